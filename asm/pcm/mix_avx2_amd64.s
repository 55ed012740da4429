//go:build !purego

#include "textflag.h"

// Two inputs at once: their samples interleaved as words and multiplied by one, VPMADDWD
// adds a pair to a doubleword, half the work of widening each. a, b: offsets of 16 samples.
// Clobbers Y8-Y11; lo gets samples 0-3 and 8-11, hi samples 4-7 and 12-15.
#define ADD16(off, lo, hi) \
	VMOVDQU    off(R10), Y8  \
	VMOVDQU    off(R11), Y9  \
	VPUNPCKLWD Y9, Y8, Y10   \
	VPUNPCKHWD Y9, Y8, Y11   \
	VPMADDWD   Y15, Y10, Y10 \
	VPMADDWD   Y15, Y11, Y11 \
	VPADDD     Y10, lo, lo   \
	VPADDD     Y11, hi, hi

// The same for the last of an odd number of inputs.
#define ADD16LAST(off, lo, hi) \
	VMOVDQU    off(R10), Y8  \
	VPUNPCKLWD Y12, Y8, Y10  \
	VPUNPCKHWD Y12, Y8, Y11  \
	VPMADDWD   Y15, Y10, Y10 \
	VPMADDWD   Y15, Y11, Y11 \
	VPADDD     Y10, lo, lo   \
	VPADDD     Y11, hi, hi

// Stores 16 sums in order. Clobbers Y8, Y9.
#define STORE16(off, lo, hi) \
	VPERM2I128 $0x20, hi, lo, Y8    \
	VPERM2I128 $0x31, hi, lo, Y9    \
	VMOVDQU    Y8, off(DI)(BX*4)    \
	VMOVDQU    Y9, (off+32)(DI)(BX*4)

// func sumAVX2(total []int32, srcs [][]int16, offset int)
//
// total[i] = Σ srcs[k][offset+i]
//
//	DI total       CX its length      BX index of the block
//	SI srcs        DX their number    R9 2·offset
//	R8 header of the next input       AX inputs left
//	R10, R11 samples of two inputs    Y15 words of one    Y12 zero
TEXT ·sumAVX2(SB), NOSPLIT, $0-56
	MOVQ     total_base+0(FP), DI
	MOVQ     total_len+8(FP), CX
	MOVQ     srcs_base+24(FP), SI
	MOVQ     srcs_len+32(FP), DX
	MOVQ     offset+48(FP), R9
	ADDQ     R9, R9
	VPCMPEQW Y15, Y15, Y15
	VPSRLW   $15, Y15, Y15
	VPXOR    Y12, Y12, Y12
	XORQ     BX, BX

block64:
	LEAQ  64(BX), AX
	CMPQ  AX, CX
	JA    block16
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	VPXOR Y4, Y4, Y4
	VPXOR Y5, Y5, Y5
	VPXOR Y6, Y6, Y6
	VPXOR Y7, Y7, Y7
	MOVQ  SI, R8
	MOVQ  DX, AX

pair64:
	SUBQ $2, AX
	JB   last64
	MOVQ 0(R8), R10
	MOVQ 24(R8), R11
	ADDQ R9, R10
	ADDQ R9, R11
	ADD16(0, Y0, Y1)
	ADD16(32, Y2, Y3)
	ADD16(64, Y4, Y5)
	ADD16(96, Y6, Y7)
	ADDQ $48, R8
	JMP  pair64

last64:
	CMPQ AX, $-1
	JNE  store64
	MOVQ 0(R8), R10
	ADDQ R9, R10
	ADD16LAST(0, Y0, Y1)
	ADD16LAST(32, Y2, Y3)
	ADD16LAST(64, Y4, Y5)
	ADD16LAST(96, Y6, Y7)

store64:
	STORE16(0, Y0, Y1)
	STORE16(64, Y2, Y3)
	STORE16(128, Y4, Y5)
	STORE16(192, Y6, Y7)
	ADDQ $64, BX
	ADDQ $128, R9
	JMP  block64

	// The last block of 16 overlaps the one before if the length wants it: the sums are
	// the same again.
block16:
	CMPQ BX, CX
	JE   done
	CMPQ CX, $16
	JB   single
	LEAQ 16(BX), AX
	CMPQ AX, CX
	JBE  sum16
	MOVQ BX, AX
	LEAQ -16(CX), BX
	SUBQ BX, AX
	ADDQ AX, AX
	SUBQ AX, R9

sum16:
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	MOVQ  SI, R8
	MOVQ  DX, AX

pair16:
	SUBQ $2, AX
	JB   last16
	MOVQ 0(R8), R10
	MOVQ 24(R8), R11
	ADDQ R9, R10
	ADDQ R9, R11
	ADD16(0, Y0, Y1)
	ADDQ $48, R8
	JMP  pair16

last16:
	CMPQ AX, $-1
	JNE  store16
	MOVQ 0(R8), R10
	ADDQ R9, R10
	ADD16LAST(0, Y0, Y1)

store16:
	STORE16(0, Y0, Y1)
	ADDQ $16, BX
	ADDQ $32, R9
	JMP  block16

	// Fewer than 16 samples in all.
single:
	XORL R12, R12
	MOVQ SI, R8
	MOVQ DX, AX

single1:
	SUBQ    $1, AX
	JB      singleStore
	MOVQ    0(R8), R10
	MOVWLSX (R10)(R9*1), R11
	ADDL    R11, R12
	ADDQ    $24, R8
	JMP     single1

singleStore:
	MOVL R12, (DI)(BX*4)
	INCQ BX
	ADDQ $2, R9
	CMPQ BX, CX
	JB   single

done:
	VZEROUPPER
	RET

// func mixMinusAVX2(dst, total []int32, own []int16)
//
//	DI dst    CX samples left    SI total    DX own
TEXT ·mixMinusAVX2(SB), NOSPLIT, $0-72
	MOVQ dst_base+0(FP), DI
	MOVQ dst_len+8(FP), CX
	MOVQ total_base+24(FP), SI
	MOVQ own_base+48(FP), DX
	SUBQ $32, CX
	JB   tail8

loop32:
	VPMOVSXWD 0(DX), Y4
	VPMOVSXWD 16(DX), Y5
	VPMOVSXWD 32(DX), Y6
	VPMOVSXWD 48(DX), Y7
	VMOVDQU   0(SI), Y0
	VMOVDQU   32(SI), Y1
	VMOVDQU   64(SI), Y2
	VMOVDQU   96(SI), Y3
	VPSUBD    Y4, Y0, Y0
	VPSUBD    Y5, Y1, Y1
	VPSUBD    Y6, Y2, Y2
	VPSUBD    Y7, Y3, Y3
	VMOVDQU   Y0, 0(DI)
	VMOVDQU   Y1, 32(DI)
	VMOVDQU   Y2, 64(DI)
	VMOVDQU   Y3, 96(DI)
	ADDQ      $64, DX
	ADDQ      $128, SI
	ADDQ      $128, DI
	SUBQ      $32, CX
	JAE       loop32

	// CX is the number of samples left, less 32.
tail8:
	ADDQ $24, CX
	JNC  tail

block8:
	VPMOVSXWD (DX), Y4
	VMOVDQU   (SI), Y0
	VPSUBD    Y4, Y0, Y0
	VMOVDQU   Y0, (DI)
	ADDQ      $16, DX
	ADDQ      $32, SI
	ADDQ      $32, DI
	SUBQ      $8, CX
	JAE       block8

	// CX is the number of samples left, less 8.
tail:
	ADDQ $8, CX
	JZ   done

single:
	MOVL    (SI), AX
	MOVWLSX (DX), BX
	SUBL    BX, AX
	MOVL    AX, (DI)
	ADDQ    $4, SI
	ADDQ    $2, DX
	ADDQ    $4, DI
	DECQ    CX
	JNZ     single

done:
	VZEROUPPER
	RET

// func saturateAVX2(dst []int16, total []int32)
//
//	DI dst    CX samples left    SI total
TEXT ·saturateAVX2(SB), NOSPLIT, $0-48
	MOVQ dst_base+0(FP), DI
	MOVQ dst_len+8(FP), CX
	MOVQ total_base+24(FP), SI
	SUBQ $32, CX
	JB   tail16

loop32:
	VMOVDQU   0(SI), Y0
	VMOVDQU   64(SI), Y1
	VPACKSSDW 32(SI), Y0, Y0
	VPACKSSDW 96(SI), Y1, Y1
	VPERMQ    $0xD8, Y0, Y0
	VPERMQ    $0xD8, Y1, Y1
	VMOVDQU   Y0, 0(DI)
	VMOVDQU   Y1, 32(DI)
	ADDQ      $128, SI
	ADDQ      $64, DI
	SUBQ      $32, CX
	JAE       loop32

tail16:
	ADDQ      $16, CX
	JNC       tail
	VMOVDQU   0(SI), Y0
	VPACKSSDW 32(SI), Y0, Y0
	VPERMQ    $0xD8, Y0, Y0
	VMOVDQU   Y0, 0(DI)
	ADDQ      $64, SI
	ADDQ      $32, DI
	SUBQ      $16, CX

	// CX is the number of samples left, less 16.
tail:
	ADDQ $16, CX
	JZ   done

single:
	VMOVD     (SI), X0
	VPACKSSDW X0, X0, X0
	VPEXTRW   $0, X0, (DI)
	ADDQ      $4, SI
	ADDQ      $2, DI
	DECQ      CX
	JNZ       single

done:
	VZEROUPPER
	RET
