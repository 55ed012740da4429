//go:build !purego

#include "textflag.h"

// func peakTotalAVX512(total []int32) uint32
//
// VPABSD leaves the least doubleword as it is, which unsigned is its magnitude.
//
//	SI total    CX samples left    AX result    Z0, Z1 maxima    K1 samples of the last block
TEXT ·peakTotalAVX512(SB), NOSPLIT, $0-28
	MOVQ   total_base+0(FP), SI
	MOVQ   total_len+8(FP), CX
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	SUBQ   $32, CX
	JB     tail

loop32:
	VPABSD  0(SI), Z2
	VPABSD  64(SI), Z3
	VPMAXUD Z2, Z0, Z0
	VPMAXUD Z3, Z1, Z1
	ADDQ    $128, SI
	SUBQ    $32, CX
	JAE     loop32

	// CX is the number of samples left, less 32.
tail:
	ADDQ $32, CX
	JZ   reduce

block16:
	MOVQ     $-1, BX
	BZHIQ    CX, BX, BX
	KMOVW    BX, K1
	VPABSD.Z (SI), K1, Z2
	VPMAXUD  Z2, Z0, Z0
	ADDQ     $64, SI
	SUBQ     $16, CX
	JA       block16

reduce:
	VPMAXUD       Z1, Z0, Z0
	VEXTRACTI64X4 $1, Z0, Y1
	VPMAXUD       Y1, Y0, Y0
	VEXTRACTI128  $1, Y0, X1
	VPMAXUD       X1, X0, X0
	VPSHUFD       $0x4E, X0, X1
	VPMAXUD       X1, X0, X0
	VPSHUFD       $0xB1, X0, X1
	VPMAXUD       X1, X0, X0
	VMOVD         X0, AX
	MOVL          AX, ret+24(FP)
	VZEROUPPER
	RET

DATA rampIndex512<>+0(SB)/4, $(0.0)
DATA rampIndex512<>+4(SB)/4, $(1.0)
DATA rampIndex512<>+8(SB)/4, $(2.0)
DATA rampIndex512<>+12(SB)/4, $(3.0)
DATA rampIndex512<>+16(SB)/4, $(4.0)
DATA rampIndex512<>+20(SB)/4, $(5.0)
DATA rampIndex512<>+24(SB)/4, $(6.0)
DATA rampIndex512<>+28(SB)/4, $(7.0)
DATA rampIndex512<>+32(SB)/4, $(8.0)
DATA rampIndex512<>+36(SB)/4, $(9.0)
DATA rampIndex512<>+40(SB)/4, $(10.0)
DATA rampIndex512<>+44(SB)/4, $(11.0)
DATA rampIndex512<>+48(SB)/4, $(12.0)
DATA rampIndex512<>+52(SB)/4, $(13.0)
DATA rampIndex512<>+56(SB)/4, $(14.0)
DATA rampIndex512<>+60(SB)/4, $(15.0)
GLOBL rampIndex512<>(SB), RODATA|NOPTR, $64

DATA rampConst512<>+0(SB)/4, $(16.0)
DATA rampConst512<>+4(SB)/4, $(32767.0)
GLOBL rampConst512<>(SB), RODATA|NOPTR, $8

// Sixteen samples of r under the gains of the next sixteen indices, see RAMP8 of AVX2.
#define RAMP16(r, tmp) \
	VMULPS    Z14, Z13, tmp \
	VADDPS    Z12, Z13, Z13 \
	VADDPS    Z15, tmp, tmp \
	VMULPS    tmp, r, r     \
	VMINPS    Z11, r, r     \
	VCVTPS2DQ r, r

// func rampAVX512(dst []int16, total []int32, from, step float32)
//
//	DI dst    CX samples left    SI total    K1 samples of the last block
//	Z15 from    Z14 step    Z13 indices    Z12 sixteens    Z11 the largest sample
TEXT ·rampAVX512(SB), NOSPLIT, $0-56
	MOVQ         dst_base+0(FP), DI
	MOVQ         dst_len+8(FP), CX
	MOVQ         total_base+24(FP), SI
	VBROADCASTSS from+48(FP), Z15
	VBROADCASTSS step+52(FP), Z14
	VMOVUPS      rampIndex512<>(SB), Z13
	VBROADCASTSS rampConst512<>+0(SB), Z12
	VBROADCASTSS rampConst512<>+4(SB), Z11
	SUBQ         $32, CX
	JB           tail

loop32:
	VCVTDQ2PS 0(SI), Z0
	VCVTDQ2PS 64(SI), Z1
	RAMP16(Z0, Z2)
	RAMP16(Z1, Z3)
	VPMOVSDW  Z0, 0(DI)
	VPMOVSDW  Z1, 32(DI)
	ADDQ      $128, SI
	ADDQ      $64, DI
	SUBQ      $32, CX
	JAE       loop32

	// CX is the number of samples left, less 32.
tail:
	ADDQ $32, CX
	JZ   done

block16:
	MOVQ        $-1, BX
	BZHIQ       CX, BX, BX
	KMOVW       BX, K1
	VCVTDQ2PS.Z (SI), K1, Z0
	RAMP16(Z0, Z2)
	VPMOVSDW    Z0, K1, (DI)
	ADDQ        $64, SI
	ADDQ        $32, DI
	SUBQ        $16, CX
	JA          block16

done:
	VZEROUPPER
	RET
