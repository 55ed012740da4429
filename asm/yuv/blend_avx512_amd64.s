//go:build !purego

#include "textflag.h"

// The samples of Z0 under the opacities of Z1, to Z2: as in blendAVX2. Clobbers Z3-Z7.
#define BLEND64 \
	VPUNPCKLBW Z12, Z0, Z2  \
	VPUNPCKHBW Z12, Z0, Z3  \
	VPUNPCKLBW Z12, Z1, Z4  \
	VPUNPCKHBW Z12, Z1, Z5  \
	VPUNPCKLBW Z0, Z13, Z6  \
	VPUNPCKHBW Z0, Z13, Z7  \
	VPSUBW     Z2, Z6, Z6   \
	VPSUBW     Z3, Z7, Z7   \
	VPSUBW     Z2, Z15, Z2  \
	VPSUBW     Z3, Z15, Z3  \
	VPMULLW    Z4, Z2, Z2   \
	VPMULLW    Z5, Z3, Z3   \
	VPADDW     Z6, Z2, Z2   \
	VPADDW     Z7, Z3, Z3   \
	VPMULHUW   Z14, Z2, Z2  \
	VPMULHUW   Z14, Z3, Z3  \
	VPACKUSWB  Z3, Z2, Z2

// func blendAVX512(dst, alpha []byte, colour byte)
//
//	DI dst    CX samples left    SI alpha    K1 samples of the last block
//	Z12 zero  Z13 bytes of 128   Z14 words of 257    Z15 words of colour
TEXT ·blendAVX512(SB), NOSPLIT, $0-49
	MOVQ         dst_base+0(FP), DI
	MOVQ         dst_len+8(FP), CX
	MOVQ         alpha_base+24(FP), SI
	MOVBLZX      colour+48(FP), AX
	VPBROADCASTW AX, Z15
	MOVL         $257, AX
	VPBROADCASTW AX, Z14
	MOVL         $128, AX
	VPBROADCASTB AX, Z13
	VPXORD       Z12, Z12, Z12
	SUBQ         $64, CX
	JB           tail

loop64:
	VMOVDQU8 (DI), Z0
	VMOVDQU8 (SI), Z1
	BLEND64
	VMOVDQU8 Z2, (DI)
	ADDQ     $64, DI
	ADDQ     $64, SI
	SUBQ     $64, CX
	JAE      loop64

	// CX is the number of samples left, less 64.
tail:
	ADDQ       $64, CX
	JZ         done
	MOVQ       $-1, AX
	BZHIQ      CX, AX, AX
	KMOVQ      AX, K1
	VMOVDQU8.Z (DI), K1, Z0
	VMOVDQU8.Z (SI), K1, Z1
	BLEND64
	VMOVDQU8   Z2, K1, (DI)

done:
	VZEROUPPER
	RET
