//go:build !purego

#include "textflag.h"

// func scaleAVX2(dst, src []int16, gain int32)
//
// A gain does not fit a signed word, its two halves do: x·gain = x·h + x·(gain-h), which
// VPMADDWD computes of x interleaved with itself.
//
//	DI dst    CX samples left    SI src    R8 gain
//	Y15 pairs (h, gain-h)        Y14 doublewords of 2048
TEXT ·scaleAVX2(SB), NOSPLIT, $0-52
	MOVQ         dst_base+0(FP), DI
	MOVQ         dst_len+8(FP), CX
	MOVQ         src_base+24(FP), SI
	MOVL         gain+48(FP), R8
	MOVL         R8, AX
	SHRL         $1, AX
	MOVL         R8, BX
	SUBL         AX, BX
	SHLL         $16, BX
	ORL          BX, AX
	VMOVD        AX, X15
	VPBROADCASTD X15, Y15
	VPCMPEQD     Y14, Y14, Y14
	VPSRLD       $31, Y14, Y14
	VPSLLD       $11, Y14, Y14
	SUBQ         $16, CX
	JB           tail

loop16:
	VMOVDQU    (SI), Y0
	VPUNPCKHWD Y0, Y0, Y1
	VPUNPCKLWD Y0, Y0, Y0
	VPMADDWD   Y15, Y0, Y0
	VPMADDWD   Y15, Y1, Y1
	VPADDD     Y14, Y0, Y0
	VPADDD     Y14, Y1, Y1
	VPSRAD     $12, Y0, Y0
	VPSRAD     $12, Y1, Y1
	VPACKSSDW  Y1, Y0, Y0
	VMOVDQU    Y0, (DI)
	ADDQ       $32, SI
	ADDQ       $32, DI
	SUBQ       $16, CX
	JAE        loop16

tail:
	ADDQ $16, CX
	JZ   done

single:
	MOVWLSX   (SI), AX
	IMULL     R8, AX
	ADDL      $2048, AX
	SARL      $12, AX
	VMOVD     AX, X0
	VPACKSSDW X0, X0, X0
	VPEXTRW   $0, X0, (DI)
	ADDQ      $2, SI
	ADDQ      $2, DI
	DECQ      CX
	JNZ       single

done:
	VZEROUPPER
	RET

// func peakAVX2(src []int16) int
//
// VPABSW leaves -32768 as it is, which as an unsigned word is its magnitude.
//
//	SI src    CX samples left    AX result    Y0, Y1 maxima
TEXT ·peakAVX2(SB), NOSPLIT, $0-32
	MOVQ  src_base+0(FP), SI
	MOVQ  src_len+8(FP), CX
	XORL  AX, AX
	CMPQ  CX, $16
	JB    tail
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	SUBQ  $32, CX
	JB    last

loop32:
	VPABSW  0(SI), Y2
	VPABSW  32(SI), Y3
	VPMAXUW Y2, Y0, Y0
	VPMAXUW Y3, Y1, Y1
	ADDQ    $64, SI
	SUBQ    $32, CX
	JAE     loop32

	// CX is the number of samples left, less 32. One block of 16 ends with the last sample
	// and overlaps others if the length wants it: a maximum does not mind. It is enough
	// where 16 samples or fewer are left.
last:
	CMPQ    CX, $-16
	JLE     last16
	VPABSW  (SI), Y2
	VPMAXUW Y2, Y0, Y0

last16:
	VPABSW       32(SI)(CX*2), Y3
	VPMAXUW      Y3, Y1, Y1
	VPMAXUW      Y1, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPMAXUW      X1, X0, X0

	// VPHMINPOSUW finds the smallest word, the complement of the largest.
	VPCMPEQW    X1, X1, X1
	VPXOR       X1, X0, X0
	VPHMINPOSUW X0, X0
	VPXOR       X1, X0, X0
	VPEXTRW     $0, X0, AX
	JMP         done

tail:
	TESTQ CX, CX
	JZ    done

single:
	MOVWLSX (SI), BX
	MOVL    BX, DX
	NEGL    DX
	CMOVLLT BX, DX
	CMPL    DX, AX
	CMOVLGT DX, AX
	ADDQ    $2, SI
	DECQ    CX
	JNZ     single

done:
	MOVQ AX, ret+24(FP)
	VZEROUPPER
	RET

// func energyAVX2(src []int16) uint64
//
// The sum of two squares that VPMADDWD makes needs all 32 bits, unsigned; the even and the
// odd ones are added to quadwords apart.
//
//	SI src    CX samples left    AX result    Y0, Y1 sums    Y15 mask of even doublewords
TEXT ·energyAVX2(SB), NOSPLIT, $0-32
	MOVQ     src_base+0(FP), SI
	MOVQ     src_len+8(FP), CX
	VPXOR    Y0, Y0, Y0
	VPXOR    Y1, Y1, Y1
	VPCMPEQD Y15, Y15, Y15
	VPSRLQ   $32, Y15, Y15
	SUBQ     $16, CX
	JB       reduce

loop16:
	VMOVDQU  (SI), Y2
	VPMADDWD Y2, Y2, Y2
	VPSRLQ   $32, Y2, Y3
	VPAND    Y15, Y2, Y2
	VPADDQ   Y3, Y1, Y1
	VPADDQ   Y2, Y0, Y0
	ADDQ     $32, SI
	SUBQ     $16, CX
	JAE      loop16

reduce:
	VPADDQ       Y1, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDQ       X1, X0, X0
	VPSRLDQ      $8, X0, X1
	VPADDQ       X1, X0, X0
	VMOVQ        X0, AX
	ADDQ         $16, CX
	JZ           done

single:
	MOVWQSX (SI), BX
	IMULQ   BX, BX
	ADDQ    BX, AX
	ADDQ    $2, SI
	DECQ    CX
	JNZ     single

done:
	MOVQ AX, ret+24(FP)
	VZEROUPPER
	RET
