//go:build !purego

#include "textflag.h"

// func blendAVX2(dst, alpha []byte, colour byte)
//
// t = 255·d + a·(colour-d) + 128 is the reference's t in other terms. It fits an unsigned
// word, so that it does not matter that a product alone may not.
//
//	DI dst    CX samples left    SI alpha    R8 colour
//	Y14 words of 128             Y15 words of colour
TEXT ·blendAVX2(SB), NOSPLIT, $0-49
	MOVQ         dst_base+0(FP), DI
	MOVQ         dst_len+8(FP), CX
	MOVQ         alpha_base+24(FP), SI
	MOVBLZX      colour+48(FP), R8
	VMOVD        R8, X15
	VPBROADCASTW X15, Y15
	VPCMPEQW     Y14, Y14, Y14
	VPSRLW       $15, Y14, Y14
	VPSLLW       $7, Y14, Y14
	SUBQ         $16, CX
	JB           tail

loop16:
	VPMOVZXBW (DI), Y0
	VPMOVZXBW (SI), Y1
	VPSUBW    Y0, Y15, Y2
	VPMULLW   Y1, Y2, Y2
	VPSLLW    $8, Y0, Y3
	VPSUBW    Y0, Y3, Y3
	VPADDW    Y14, Y2, Y2
	VPADDW    Y3, Y2, Y2
	VPSRLW    $8, Y2, Y3
	VPADDW    Y3, Y2, Y2
	VPSRLW    $8, Y2, Y2
	VPACKUSWB Y2, Y2, Y2
	VPERMQ    $0x08, Y2, Y2
	VMOVDQU   X2, (DI)
	ADDQ      $16, DI
	ADDQ      $16, SI
	SUBQ      $16, CX
	JAE       loop16

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
