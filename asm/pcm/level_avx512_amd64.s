//go:build !purego

#include "textflag.h"

// 32 samples of Z0, scaled: as in scaleAVX2. Clobbers Z1.
#define SCALE32 \
	VPUNPCKHWD Z0, Z0, Z1   \
	VPUNPCKLWD Z0, Z0, Z0   \
	VPMADDWD   Z15, Z0, Z0  \
	VPMADDWD   Z15, Z1, Z1  \
	VPADDD     Z14, Z0, Z0  \
	VPADDD     Z14, Z1, Z1  \
	VPSRAD     $12, Z0, Z0  \
	VPSRAD     $12, Z1, Z1  \
	VPACKSSDW  Z1, Z0, Z0

// func scaleAVX512(dst, src []int16, gain int32)
//
//	DI dst    CX samples left    SI src
//	Z15 pairs of the halves of gain    Z14 doublewords of 2048    K1 samples of the last block
TEXT ·scaleAVX512(SB), NOSPLIT, $0-52
	MOVQ         dst_base+0(FP), DI
	MOVQ         dst_len+8(FP), CX
	MOVQ         src_base+24(FP), SI
	MOVL         gain+48(FP), BX
	MOVL         BX, AX
	SHRL         $1, AX
	SUBL         AX, BX
	SHLL         $16, BX
	ORL          BX, AX
	VPBROADCASTD AX, Z15
	MOVL         $2048, AX
	VPBROADCASTD AX, Z14
	SUBQ         $32, CX
	JB           tail

loop32:
	VMOVDQU16 (SI), Z0
	SCALE32
	VMOVDQU16 Z0, (DI)
	ADDQ      $64, SI
	ADDQ      $64, DI
	SUBQ      $32, CX
	JAE       loop32

	// CX is the number of samples left, less 32.
tail:
	ADDQ        $32, CX
	MOVQ        $-1, BX
	BZHIQ       CX, BX, BX
	KMOVD       BX, K1
	VMOVDQU16.Z (SI), K1, Z0
	SCALE32
	VMOVDQU16   Z0, K1, (DI)
	VZEROUPPER
	RET

// func peakAVX512(src []int16) int
//
// VPABSW leaves -32768 as it is, which as an unsigned word is its magnitude.
//
//	SI src    CX samples left    AX result    Z0, Z1 maxima    K1 samples of the last block
TEXT ·peakAVX512(SB), NOSPLIT, $0-32
	MOVQ   src_base+0(FP), SI
	MOVQ   src_len+8(FP), CX
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	SUBQ   $64, CX
	JB     tail

loop64:
	VPABSW  0(SI), Z2
	VPABSW  64(SI), Z3
	VPMAXUW Z2, Z0, Z0
	VPMAXUW Z3, Z1, Z1
	ADDQ    $128, SI
	SUBQ    $64, CX
	JAE     loop64

	// CX is the number of samples left, less 64.
tail:
	ADDQ $64, CX
	JZ   reduce

block32:
	MOVQ        $-1, BX
	BZHIQ       CX, BX, BX
	KMOVD       BX, K1
	VMOVDQU16.Z (SI), K1, Z2
	VPABSW      Z2, Z2
	VPMAXUW     Z2, Z0, Z0
	ADDQ        $64, SI
	SUBQ        $32, CX
	JA          block32

	// VPHMINPOSUW finds the smallest word, the complement of the largest.
reduce:
	VPMAXUW       Z1, Z0, Z0
	VEXTRACTI64X4 $1, Z0, Y1
	VPMAXUW       Y1, Y0, Y0
	VEXTRACTI128  $1, Y0, X1
	VPMAXUW       X1, X0, X0
	VPCMPEQW      X1, X1, X1
	VPXOR         X1, X0, X0
	VPHMINPOSUW   X0, X0
	VPXOR         X1, X0, X0
	VPEXTRW       $0, X0, AX
	MOVQ          AX, ret+24(FP)
	VZEROUPPER
	RET

// Adds the squares of the 32 samples of z to the sums all and high.
#define SQUARES(z, tmp, all, high) \
	VPMADDWD z, z, z        \
	VPSRLQ   $32, z, tmp    \
	VPADDQ   z, all, all    \
	VPADDQ   tmp, high, high

// func energyAVX512(src []int16) uint64
//
// The sum of two squares that VPMADDWD makes needs all 32 bits, unsigned. Z0 adds up whole
// quadwords, Z1 their upper halves: what Z0 has too much of these is known in the end.
//
//	SI src    CX samples left    AX result    Z0, Z2 sums of quadwords
//	Z1, Z3 sums of their upper halves         K1 samples of the last block
TEXT ·energyAVX512(SB), NOSPLIT, $0-32
	MOVQ   src_base+0(FP), SI
	MOVQ   src_len+8(FP), CX
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	VPXORD Z2, Z2, Z2
	VPXORD Z3, Z3, Z3
	SUBQ   $64, CX
	JB     tail

loop64:
	VMOVDQU16 0(SI), Z4
	VMOVDQU16 64(SI), Z5
	SQUARES(Z4, Z6, Z0, Z1)
	SQUARES(Z5, Z7, Z2, Z3)
	ADDQ      $128, SI
	SUBQ      $64, CX
	JAE       loop64

	// CX is the number of samples left, less 64.
tail:
	ADDQ $64, CX
	JZ   reduce

block32:
	MOVQ        $-1, BX
	BZHIQ       CX, BX, BX
	KMOVD       BX, K1
	VMOVDQU16.Z (SI), K1, Z4
	SQUARES(Z4, Z6, Z0, Z1)
	ADDQ        $64, SI
	SUBQ        $32, CX
	JA          block32

reduce:
	VPADDQ        Z2, Z0, Z0
	VPADDQ        Z3, Z1, Z1
	VPSLLQ        $32, Z1, Z2
	VPSUBQ        Z2, Z0, Z0
	VPADDQ        Z1, Z0, Z0
	VEXTRACTI64X4 $1, Z0, Y1
	VPADDQ        Y1, Y0, Y0
	VEXTRACTI128  $1, Y0, X1
	VPADDQ        X1, X0, X0
	VPSRLDQ       $8, X0, X1
	VPADDQ        X1, X0, X0
	VMOVQ         X0, AX
	MOVQ          AX, ret+24(FP)
	VZEROUPPER
	RET
