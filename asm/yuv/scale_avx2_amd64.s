//go:build !purego

#include "textflag.h"

// func verticalAVX2(mid *int16, src *byte, stride int, weight *int16, count, n int)
//
// mid[x] = (Σ weight[k]·src[k·stride+x] + 64) >> 7, 32 columns at once, two rows a step:
// their bytes interleaved and widened are the pairs that VPMADDWD takes. n ≥ 32; the last
// block overlaps the one before if n wants it. weight has an even number of elements.
//
//	DI mid     SI src      DX stride    R8 weight    R9 count    CX n
//	BX column  R13 the last one to start a block from
//	R10 next weights       R11 rows left             AX, R12 two rows
//	Y0-Y3 sums             Y4 weights   Y14 doublewords of 64    Y15 zero
TEXT ·verticalAVX2(SB), NOSPLIT, $0-48
	MOVQ     mid+0(FP), DI
	MOVQ     src+8(FP), SI
	MOVQ     stride+16(FP), DX
	MOVQ     weight+24(FP), R8
	MOVQ     count+32(FP), R9
	MOVQ     n+40(FP), CX
	LEAQ     -32(CX), R13
	VPXOR    Y15, Y15, Y15
	VPCMPEQD Y14, Y14, Y14
	VPSRLD   $31, Y14, Y14
	VPSLLD   $6, Y14, Y14
	XORQ     BX, BX

columns:
	VMOVDQA Y14, Y0
	VMOVDQA Y14, Y1
	VMOVDQA Y14, Y2
	VMOVDQA Y14, Y3
	LEAQ    (SI)(BX*1), AX
	MOVQ    R8, R10
	MOVQ    R9, R11

	// The pair of the last of an odd number of rows is that row again, with weight zero.
rows:
	LEAQ         (AX)(DX*1), R12
	CMPQ         R11, $1
	CMOVQEQ      AX, R12
	VPBROADCASTD (R10), Y4
	VMOVDQU      (AX), Y5
	VMOVDQU      (R12), Y6
	VPUNPCKLBW   Y6, Y5, Y7
	VPUNPCKHBW   Y6, Y5, Y8
	VPUNPCKLBW   Y15, Y7, Y9
	VPUNPCKHBW   Y15, Y7, Y10
	VPUNPCKLBW   Y15, Y8, Y11
	VPUNPCKHBW   Y15, Y8, Y12
	VPMADDWD     Y4, Y9, Y9
	VPMADDWD     Y4, Y10, Y10
	VPMADDWD     Y4, Y11, Y11
	VPMADDWD     Y4, Y12, Y12
	VPADDD       Y9, Y0, Y0
	VPADDD       Y10, Y1, Y1
	VPADDD       Y11, Y2, Y2
	VPADDD       Y12, Y3, Y3
	LEAQ         (AX)(DX*2), AX
	ADDQ         $4, R10
	SUBQ         $2, R11
	JGT          rows

	// Y0 has columns 0-3 and 16-19, Y1 4-7 and 20-23, and so on.
	VPSRAD     $7, Y0, Y0
	VPSRAD     $7, Y1, Y1
	VPSRAD     $7, Y2, Y2
	VPSRAD     $7, Y3, Y3
	VPACKSSDW  Y1, Y0, Y0
	VPACKSSDW  Y3, Y2, Y2
	VPERM2I128 $0x20, Y2, Y0, Y5
	VPERM2I128 $0x31, Y2, Y0, Y6
	VMOVDQU    Y5, 0(DI)(BX*2)
	VMOVDQU    Y6, 32(DI)(BX*2)
	CMPQ       BX, R13
	JE         done
	ADDQ       $32, BX
	CMPQ       BX, R13
	CMOVQGT    R13, BX
	JMP        columns

done:
	VZEROUPPER
	RET

// Stores 16 outputs of the sums of 0-3 and 8-11 in Y0, 4-7 and 12-15 in Y1, which include
// what rounds them.
#define STORE16 \
	VPSRAD    $21, Y0, Y0   \
	VPSRAD    $21, Y1, Y1   \
	VPACKSSDW Y1, Y0, Y0    \
	VPACKUSWB Y0, Y0, Y0    \
	VPERMQ    $0x08, Y0, Y0 \
	VMOVDQU   X0, (DI)

// func pairsAVX2(dst *byte, mid *int16, first *int32, mask *byte, weight *int16, steps, groups int)
//
// 16 outputs a group, see tables. Reads 8 elements of mid from each of the starts in first
// plus 2·(steps-1).
//
//	DI dst    SI mid    R8 first    R9 mask    R10 weight    R11 steps    R12 groups left
//	AX, BX, CX, DX samples of the four lanes   R13 steps left
//	Y0, Y1 sums         Y8, Y9 masks           Y15 doublewords of 1<<20
TEXT ·pairsAVX2(SB), NOSPLIT, $0-56
	MOVQ     dst+0(FP), DI
	MOVQ     mid+8(FP), SI
	MOVQ     first+16(FP), R8
	MOVQ     mask+24(FP), R9
	MOVQ     weight+32(FP), R10
	MOVQ     steps+40(FP), R11
	MOVQ     groups+48(FP), R12
	VPCMPEQD Y15, Y15, Y15
	VPSRLD   $31, Y15, Y15
	VPSLLD   $20, Y15, Y15

group:
	MOVL    0(R8), AX
	MOVL    4(R8), BX
	MOVL    8(R8), CX
	MOVL    12(R8), DX
	LEAQ    (SI)(AX*2), AX
	LEAQ    (SI)(BX*2), BX
	LEAQ    (SI)(CX*2), CX
	LEAQ    (SI)(DX*2), DX
	VMOVDQU 0(R9), Y8
	VMOVDQU 32(R9), Y9
	VMOVDQA Y15, Y0
	VMOVDQA Y15, Y1
	MOVQ    R11, R13

step:
	VMOVDQU     (AX), X2
	VMOVDQU     (CX), X3
	VINSERTI128 $1, (BX), Y2, Y2
	VINSERTI128 $1, (DX), Y3, Y3
	VPSHUFB     Y8, Y2, Y2
	VPSHUFB     Y9, Y3, Y3
	VPMADDWD    0(R10), Y2, Y2
	VPMADDWD    32(R10), Y3, Y3
	VPADDD      Y2, Y0, Y0
	VPADDD      Y3, Y1, Y1
	ADDQ        $4, AX
	ADDQ        $4, BX
	ADDQ        $4, CX
	ADDQ        $4, DX
	ADDQ        $64, R10
	DECQ        R13
	JNZ         step

	STORE16
	ADDQ $16, R8
	ADDQ $64, R9
	ADDQ $16, DI
	DECQ R12
	JNZ  group
	VZEROUPPER
	RET

// Adds 8 products of each of two outputs, n and n+1 of a half group, to sum.
#define DOT(n, sum) \
	MOVL        (4*n)(R8), AX            \
	MOVL        (4*n+4)(R8), BX          \
	VMOVDQU     (DX)(AX*2), X8           \
	VINSERTI128 $1, (DX)(BX*2), Y8, Y8   \
	VPMADDWD    (16*n)(R10), Y8, Y8      \
	VPADDD      Y8, sum, sum

// func dotsAVX2(dst *byte, mid *int16, first *int32, weight *int16, steps, groups int)
//
// 16 outputs a group, see tables, in two halves. Reads 8·steps elements of mid from each of
// the starts in first.
//
//	DI dst    SI mid    R8 first    R10 weight    R11 steps    R12 groups left
//	DX mid at the step  R13 steps left            R9 halves left
//	Y2-Y5 sums of one half          Y0, Y1 the halves
//	Y15 doublewords of 1<<20
TEXT ·dotsAVX2(SB), NOSPLIT, $0-48
	MOVQ     dst+0(FP), DI
	MOVQ     mid+8(FP), SI
	MOVQ     first+16(FP), R8
	MOVQ     weight+24(FP), R10
	MOVQ     steps+32(FP), R11
	MOVQ     groups+40(FP), R12
	VPCMPEQD Y15, Y15, Y15
	VPSRLD   $31, Y15, Y15
	VPSLLD   $20, Y15, Y15

group:
	MOVL $2, R9

half:
	VMOVDQA Y1, Y0
	VPXOR   Y2, Y2, Y2
	VPXOR   Y3, Y3, Y3
	VPXOR   Y4, Y4, Y4
	VPXOR   Y5, Y5, Y5
	MOVQ    SI, DX
	MOVQ    R11, R13

step:
	DOT(0, Y2)
	DOT(2, Y3)
	DOT(4, Y4)
	DOT(6, Y5)
	ADDQ $16, DX
	ADDQ $128, R10
	DECQ R13
	JNZ  step

	VPHADDD Y3, Y2, Y2
	VPHADDD Y5, Y4, Y4
	VPHADDD Y4, Y2, Y2
	VPADDD  Y15, Y2, Y1
	ADDQ    $32, R8
	DECL    R9
	JNZ     half

	STORE16
	ADDQ $16, DI
	DECQ R12
	JNZ  group
	VZEROUPPER
	RET

// func halfAVX2(dst, src *byte, dstStride, srcStride, n, rows int)
//
// dst[x] is the mean of 2×2 samples. n ≥ 32; the last block of 32 overlaps the one before
// if n wants it.
//
//	DI dst    SI, DX two rows of src    R8 dstStride    R9 srcStride    R10 rows left
//	CX n      BX output                 R13 the last one to start a block from
//	Y14 words of 1<<13, by which VPMULHRSW divides by 4 and rounds    Y15 bytes of one
TEXT ·halfAVX2(SB), NOSPLIT, $0-48
	MOVQ     dst+0(FP), DI
	MOVQ     src+8(FP), SI
	MOVQ     dstStride+16(FP), R8
	MOVQ     srcStride+24(FP), R9
	MOVQ     n+32(FP), CX
	MOVQ     rows+40(FP), R10
	LEAQ     -32(CX), R13
	VPCMPEQD Y15, Y15, Y15
	VPABSB   Y15, Y15
	VPCMPEQD Y14, Y14, Y14
	VPSRLW   $15, Y14, Y14
	VPSLLW   $13, Y14, Y14

row:
	LEAQ (SI)(R9*1), DX
	XORQ BX, BX

loop:
	VMOVDQU    0(SI)(BX*2), Y0
	VMOVDQU    32(SI)(BX*2), Y1
	VMOVDQU    0(DX)(BX*2), Y2
	VMOVDQU    32(DX)(BX*2), Y3
	VPMADDUBSW Y15, Y0, Y0
	VPMADDUBSW Y15, Y1, Y1
	VPMADDUBSW Y15, Y2, Y2
	VPMADDUBSW Y15, Y3, Y3
	VPADDW     Y2, Y0, Y0
	VPADDW     Y3, Y1, Y1
	VPMULHRSW  Y14, Y0, Y0
	VPMULHRSW  Y14, Y1, Y1
	VPACKUSWB  Y1, Y0, Y0
	VPERMQ     $0xD8, Y0, Y0
	VMOVDQU    Y0, (DI)(BX*1)
	CMPQ       BX, R13
	JE         next
	ADDQ       $32, BX
	CMPQ       BX, R13
	CMOVQGT    R13, BX
	JMP        loop

next:
	ADDQ R8, DI
	LEAQ (SI)(R9*2), SI
	DECQ R10
	JNZ  row
	VZEROUPPER
	RET

// What VPACKSSDW and VPACKUSWB leave apart, in order again.
DATA quarterOrder<>+0(SB)/8, $0x0000000400000000
DATA quarterOrder<>+8(SB)/8, $0x0000000500000001
DATA quarterOrder<>+16(SB)/8, $0x0000000600000002
DATA quarterOrder<>+24(SB)/8, $0x0000000700000003
GLOBL quarterOrder<>(SB), RODATA|NOPTR, $32

// Sums 8 blocks of 4×4 samples to doublewords of y.
#define SUM4(off, y, tmp) \
	VMOVDQU    off(SI)(BX*4), y    \
	VMOVDQU    off(DX)(BX*4), tmp  \
	VPMADDUBSW Y15, y, y           \
	VPMADDUBSW Y15, tmp, tmp       \
	VPADDW     tmp, y, y           \
	VMOVDQU    off(R8)(BX*4), tmp  \
	VPMADDUBSW Y15, tmp, tmp       \
	VPADDW     tmp, y, y           \
	VMOVDQU    off(R9)(BX*4), tmp  \
	VPMADDUBSW Y15, tmp, tmp       \
	VPADDW     tmp, y, y           \
	VPMADDWD   Y14, y, y

// func quarterAVX2(dst, src *byte, dstStride, srcStride, n, rows int)
//
// dst[x] is the mean of 4×4 samples. n ≥ 32; the last block of 32 overlaps the one before
// if n wants it.
//
//	DI dst    SI, DX, R8, R9 four rows of src    R10 dstStride    AX srcStride    R11 rows left
//	CX n      BX output                          R13 the last one to start a block from
//	Y12 order of doublewords    Y13 words of 1<<11, by which VPMULHRSW divides by 16 and rounds
//	Y14 words of one            Y15 bytes of one
TEXT ·quarterAVX2(SB), NOSPLIT, $0-48
	MOVQ     dst+0(FP), DI
	MOVQ     src+8(FP), SI
	MOVQ     dstStride+16(FP), R10
	MOVQ     srcStride+24(FP), AX
	MOVQ     n+32(FP), CX
	MOVQ     rows+40(FP), R11
	LEAQ     -32(CX), R13
	VPCMPEQD Y15, Y15, Y15
	VPSRLW   $15, Y15, Y14
	VPSLLW   $11, Y14, Y13
	VPABSB   Y15, Y15
	VMOVDQU  quarterOrder<>(SB), Y12

row:
	LEAQ (SI)(AX*1), DX
	LEAQ (SI)(AX*2), R8
	LEAQ (DX)(AX*2), R9
	XORQ BX, BX

loop:
	SUM4(0, Y0, Y4)
	SUM4(32, Y1, Y5)
	SUM4(64, Y2, Y6)
	SUM4(96, Y3, Y7)
	VPACKSSDW Y1, Y0, Y0
	VPACKSSDW Y3, Y2, Y2
	VPMULHRSW Y13, Y0, Y0
	VPMULHRSW Y13, Y2, Y2
	VPACKUSWB Y2, Y0, Y0
	VPERMD    Y0, Y12, Y0
	VMOVDQU   Y0, (DI)(BX*1)
	CMPQ      BX, R13
	JE        next
	ADDQ      $32, BX
	CMPQ      BX, R13
	CMOVQGT   R13, BX
	JMP       loop

next:
	ADDQ R10, DI
	LEAQ (SI)(AX*4), SI
	DECQ R11
	JNZ  row
	VZEROUPPER
	RET

// For thirdAVX2: see twelves and threes in the file of AVX-512; here for 32 samples.
DATA twelves32<>+0(SB)/8, $0x0000000100000000
DATA twelves32<>+8(SB)/8, $0x0000000200000002
DATA twelves32<>+16(SB)/8, $0x0000000400000003
DATA twelves32<>+24(SB)/8, $0x0000000500000005
DATA twelves32<>+32(SB)/8, $0x0000000300000002
DATA twelves32<>+40(SB)/8, $0x0000000400000004
DATA twelves32<>+48(SB)/8, $0x0000000600000005
DATA twelves32<>+56(SB)/8, $0x0000000700000007
GLOBL twelves32<>(SB), RODATA|NOPTR, $64
DATA threes32<>+0(SB)/8, $0x8005040380020100
DATA threes32<>+8(SB)/8, $0x800b0a0980080706
GLOBL threes32<>(SB), RODATA|NOPTR, $16

// Sums 8 blocks of 3×3 samples to doublewords of y.
#define SUM3(off, order, y) \
	VPERMD     off(SI), order, y   \
	VPERMD     off(DX), order, Y4  \
	VPERMD     off(R8), order, Y5  \
	VPSHUFB    Y10, y, y           \
	VPSHUFB    Y10, Y4, Y4         \
	VPSHUFB    Y10, Y5, Y5         \
	VPMADDUBSW Y15, y, y           \
	VPMADDUBSW Y15, Y4, Y4         \
	VPMADDUBSW Y15, Y5, Y5         \
	VPADDW     Y4, y, y            \
	VPADDW     Y5, y, y            \
	VPMADDWD   Y14, y, y

// func thirdAVX2(dst, src *byte, dstStride, srcStride, n, rows int)
//
// dst[x] is the mean of 3×3 samples. n ≥ 32; the last block of 32 overlaps the one before
// if n wants it.
//
//	DI dst    R12 src    R10 dstStride    R9 srcStride    R11 rows left
//	SI, DX, R8 three rows of the block    CX n            BX output    AX next output
//	R13 the last one to start a block from
//	Y8, Y9, Y10 order of samples          Y12 order of doublewords
//	Y13 words of 3641, by which VPMULHRSW divides by 9 and rounds, up to 9·255
//	Y14 words of one                      Y15 bytes of one
TEXT ·thirdAVX2(SB), NOSPLIT, $0-48
	MOVQ           dst+0(FP), DI
	MOVQ           src+8(FP), R12
	MOVQ           dstStride+16(FP), R10
	MOVQ           srcStride+24(FP), R9
	MOVQ           n+32(FP), CX
	MOVQ           rows+40(FP), R11
	LEAQ           -32(CX), R13
	VPCMPEQD       Y15, Y15, Y15
	VPSRLW         $15, Y15, Y14
	VPABSB         Y15, Y15
	MOVL           $3641, AX
	VMOVD          AX, X13
	VPBROADCASTW   X13, Y13
	VMOVDQU        quarterOrder<>(SB), Y12
	VBROADCASTI128 threes32<>(SB), Y10
	VMOVDQU        twelves32<>+0(SB), Y8
	VMOVDQU        twelves32<>+32(SB), Y9

row:
	MOVQ R12, SI
	LEAQ (R12)(R9*1), DX
	LEAQ (R12)(R9*2), R8
	XORQ BX, BX

loop:
	SUM3(0, Y8, Y0)
	SUM3(24, Y8, Y1)
	SUM3(48, Y8, Y2)
	SUM3(64, Y9, Y3)
	VPACKSSDW Y1, Y0, Y0
	VPACKSSDW Y3, Y2, Y2
	VPMULHRSW Y13, Y0, Y0
	VPMULHRSW Y13, Y2, Y2
	VPACKUSWB Y2, Y0, Y0
	VPERMD    Y0, Y12, Y0
	VMOVDQU   Y0, (DI)(BX*1)
	LEAQ      32(BX), AX
	CMPQ      AX, R13
	CMOVQGT   R13, AX
	SUBQ      BX, AX
	JE        next
	ADDQ      AX, BX
	LEAQ      (AX)(AX*2), AX
	ADDQ      AX, SI
	ADDQ      AX, DX
	ADDQ      AX, R8
	JMP       loop

next:
	ADDQ R10, DI
	LEAQ (R9)(R9*2), AX
	ADDQ AX, R12
	DECQ R11
	JNZ  row
	VZEROUPPER
	RET
