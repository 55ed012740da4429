//go:build !purego

#include "textflag.h"

// func peakTotalAVX2(total []int32) uint32
//
// VPABSD leaves the least doubleword as it is, which unsigned is its magnitude.
//
//	SI total    CX samples left    AX result    Y0, Y1 maxima
TEXT ·peakTotalAVX2(SB), NOSPLIT, $0-28
	MOVQ  total_base+0(FP), SI
	MOVQ  total_len+8(FP), CX
	XORL  AX, AX
	CMPQ  CX, $8
	JB    tail
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	SUBQ  $16, CX
	JB    last

loop16:
	VPABSD  0(SI), Y2
	VPABSD  32(SI), Y3
	VPMAXUD Y2, Y0, Y0
	VPMAXUD Y3, Y1, Y1
	ADDQ    $64, SI
	SUBQ    $16, CX
	JAE     loop16

	// CX is the number of samples left, less 16. One block of 8 ends with the last sample
	// and overlaps others if the length wants it: a maximum does not mind. It is enough
	// where 8 samples or fewer are left.
last:
	CMPQ    CX, $-8
	JLE     last8
	VPABSD  (SI), Y2
	VPMAXUD Y2, Y0, Y0

last8:
	VPABSD       32(SI)(CX*4), Y3
	VPMAXUD      Y3, Y1, Y1
	VPMAXUD      Y1, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPMAXUD      X1, X0, X0
	VPSHUFD      $0x4E, X0, X1
	VPMAXUD      X1, X0, X0
	VPSHUFD      $0xB1, X0, X1
	VPMAXUD      X1, X0, X0
	VMOVD        X0, AX
	JMP          done

tail:
	TESTQ CX, CX
	JZ    done

single:
	MOVL    (SI), BX
	MOVL    BX, DX
	NEGL    DX
	CMOVLLT BX, DX
	CMPL    DX, AX
	CMOVLHI DX, AX
	ADDQ    $4, SI
	DECQ    CX
	JNZ     single

done:
	MOVL AX, ret+24(FP)
	VZEROUPPER
	RET

DATA rampIndex<>+0(SB)/4, $(0.0)
DATA rampIndex<>+4(SB)/4, $(1.0)
DATA rampIndex<>+8(SB)/4, $(2.0)
DATA rampIndex<>+12(SB)/4, $(3.0)
DATA rampIndex<>+16(SB)/4, $(4.0)
DATA rampIndex<>+20(SB)/4, $(5.0)
DATA rampIndex<>+24(SB)/4, $(6.0)
DATA rampIndex<>+28(SB)/4, $(7.0)
GLOBL rampIndex<>(SB), RODATA|NOPTR, $32

DATA rampConst<>+0(SB)/4, $(8.0)
DATA rampConst<>+4(SB)/4, $(32767.0)
DATA rampConst<>+8(SB)/4, $(1.0)
GLOBL rampConst<>(SB), RODATA|NOPTR, $12

// Eight samples of r under the gains of the next eight indices. What is too small for a
// doubleword becomes the least one, as it should; so would what is too large. Clobbers tmp.
#define RAMP8(r, tmp) \
	VMULPS    Y14, Y13, tmp \
	VADDPS    Y12, Y13, Y13 \
	VADDPS    Y15, tmp, tmp \
	VMULPS    tmp, r, r     \
	VMINPS    Y11, r, r     \
	VCVTPS2DQ r, r

// func rampAVX2(dst []int16, total []int32, from, step float32)
//
//	DI dst    CX samples left    SI total
//	Y15 from    Y14 step    Y13 indices    Y12 eights    Y11 the largest sample    X10 one
TEXT ·rampAVX2(SB), NOSPLIT, $0-56
	MOVQ         dst_base+0(FP), DI
	MOVQ         dst_len+8(FP), CX
	MOVQ         total_base+24(FP), SI
	VBROADCASTSS from+48(FP), Y15
	VBROADCASTSS step+52(FP), Y14
	VMOVUPS      rampIndex<>(SB), Y13
	VBROADCASTSS rampConst<>+0(SB), Y12
	VBROADCASTSS rampConst<>+4(SB), Y11
	SUBQ         $16, CX
	JB           tail8

loop16:
	VCVTDQ2PS 0(SI), Y0
	VCVTDQ2PS 32(SI), Y1
	RAMP8(Y0, Y2)
	RAMP8(Y1, Y3)
	VPACKSSDW Y1, Y0, Y0
	VPERMQ    $0xD8, Y0, Y0
	VMOVDQU   Y0, (DI)
	ADDQ      $64, SI
	ADDQ      $32, DI
	SUBQ      $16, CX
	JAE       loop16

tail8:
	ADDQ         $8, CX
	JNC          tail
	VCVTDQ2PS    (SI), Y0
	RAMP8(Y0, Y2)
	VEXTRACTI128 $1, Y0, X1
	VPACKSSDW    X1, X0, X0
	VMOVDQU      X0, (DI)
	ADDQ         $32, SI
	ADDQ         $16, DI
	SUBQ         $8, CX

	// CX is the number of samples left, less 8.
tail:
	ADDQ   $8, CX
	JZ     done
	VMOVSS rampConst<>+8(SB), X10

single:
	VCVTSI2SSL (SI), X0, X0
	VMULSS     X14, X13, X2
	VADDSS     X10, X13, X13
	VADDSS     X15, X2, X2
	VMULSS     X2, X0, X0
	VMINSS     X11, X0, X0
	VCVTSS2SI  X0, AX
	VMOVD      AX, X0
	VPACKSSDW  X0, X0, X0
	VPEXTRW    $0, X0, (DI)
	ADDQ       $4, SI
	ADDQ       $2, DI
	DECQ       CX
	JNZ        single

done:
	VZEROUPPER
	RET
