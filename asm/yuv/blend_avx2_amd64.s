//go:build !purego

#include "textflag.h"

// func blendAVX2(dst, alpha []byte, colour byte)
//
// t = 256·d + 128 - d + a·(colour-d) is the reference's t in other terms. It fits an
// unsigned word, so that it does not matter that a product alone may not. The quotient is
// 257·t >> 16.
//
//	DI dst    CX samples left    SI alpha    R8 colour
//	Y12 zero  Y13 bytes of 128   Y14 words of 257    Y15 words of colour
TEXT ·blendAVX2(SB), NOSPLIT, $0-49
	MOVQ         dst_base+0(FP), DI
	MOVQ         dst_len+8(FP), CX
	MOVQ         alpha_base+24(FP), SI
	MOVBLZX      colour+48(FP), R8
	VMOVD        R8, X15
	VPBROADCASTW X15, Y15
	MOVL         $257, AX
	VMOVD        AX, X14
	VPBROADCASTW X14, Y14
	MOVL         $128, AX
	VMOVD        AX, X13
	VPBROADCASTB X13, Y13
	VPXOR        Y12, Y12, Y12
	SUBQ         $32, CX
	JB           tail16

loop32:
	VMOVDQU    (DI), Y0
	VMOVDQU    (SI), Y1
	VPUNPCKLBW Y12, Y0, Y2
	VPUNPCKHBW Y12, Y0, Y3
	VPUNPCKLBW Y12, Y1, Y4
	VPUNPCKHBW Y12, Y1, Y5
	VPUNPCKLBW Y0, Y13, Y6
	VPUNPCKHBW Y0, Y13, Y7
	VPSUBW     Y2, Y6, Y6
	VPSUBW     Y3, Y7, Y7
	VPSUBW     Y2, Y15, Y2
	VPSUBW     Y3, Y15, Y3
	VPMULLW    Y4, Y2, Y2
	VPMULLW    Y5, Y3, Y3
	VPADDW     Y6, Y2, Y2
	VPADDW     Y7, Y3, Y3
	VPMULHUW   Y14, Y2, Y2
	VPMULHUW   Y14, Y3, Y3
	VPACKUSWB  Y3, Y2, Y2
	VMOVDQU    Y2, (DI)
	ADDQ       $32, DI
	ADDQ       $32, SI
	SUBQ       $32, CX
	JAE        loop32

tail16:
	ADDQ       $16, CX
	JNC        tail
	VMOVDQU    (DI), X0
	VPMOVZXBW  X0, Y2
	VPMOVZXBW  (SI), Y1
	VPSUBW     Y2, Y15, Y3
	VPMULLW    Y1, Y3, Y3
	VPSLLW     $8, Y2, Y4
	VPSUBW     Y2, Y4, Y4
	VPADDW     Y4, Y3, Y3
	VPUNPCKLBW Y12, Y13, Y5
	VPADDW     Y5, Y3, Y3
	VPMULHUW   Y14, Y3, Y3
	VPACKUSWB  Y3, Y3, Y3
	VPERMQ     $0x08, Y3, Y3
	VMOVDQU    X3, (DI)
	ADDQ       $16, DI
	ADDQ       $16, SI
	SUBQ       $16, CX

	// CX is the number of samples left, less 16.
tail:
	ADDQ $16, CX
	JZ   done

single:
	MOVBLZX (DI), AX
	MOVBLZX (SI), BX
	MOVL    R8, DX
	SUBL    AX, DX
	IMULL   BX, DX
	IMUL3L  $255, AX, AX
	LEAL    128(AX)(DX*1), AX
	MOVL    AX, DX
	SHRL    $8, DX
	ADDL    DX, AX
	SHRL    $8, AX
	MOVB    AX, (DI)
	INCQ    DI
	INCQ    SI
	DECQ    CX
	JNZ     single

done:
	VZEROUPPER
	RET
