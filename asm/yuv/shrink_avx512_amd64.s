//go:build !purego

#include "textflag.h"

// What VPACKUSWB of two registers leaves apart, in order again.
DATA packed<>+0(SB)/8, $0
DATA packed<>+8(SB)/8, $2
DATA packed<>+16(SB)/8, $4
DATA packed<>+24(SB)/8, $6
DATA packed<>+32(SB)/8, $1
DATA packed<>+40(SB)/8, $3
DATA packed<>+48(SB)/8, $5
DATA packed<>+56(SB)/8, $7
GLOBL packed<>(SB), RODATA|NOPTR, $64

// func halfAVX512(dst, src *byte, dstStride, srcStride, n, rows int)
//
// dst[x] is the mean of 2×2 samples. n ≥ 64; the last block of 64 overlaps the one before
// if n wants it.
//
//	DI dst    SI, DX two rows of src    R8 dstStride    R9 srcStride    R10 rows left
//	CX n      BX output                 R13 the last one to start a block from
//	Z13 order of quadwords    Z14 words of 1<<13, by which VPMULHRSW divides by 4 and rounds
//	Z15 bytes of one
TEXT ·halfAVX512(SB), NOSPLIT, $0-48
	MOVQ         dst+0(FP), DI
	MOVQ         src+8(FP), SI
	MOVQ         dstStride+16(FP), R8
	MOVQ         srcStride+24(FP), R9
	MOVQ         n+32(FP), CX
	MOVQ         rows+40(FP), R10
	LEAQ         -64(CX), R13
	MOVL         $1, AX
	VPBROADCASTB AX, Z15
	MOVL         $(1<<13), AX
	VPBROADCASTW AX, Z14
	VMOVDQU64    packed<>(SB), Z13

row:
	LEAQ (SI)(R9*1), DX
	XORQ BX, BX

loop:
	VMOVDQU64  0(SI)(BX*2), Z0
	VMOVDQU64  64(SI)(BX*2), Z1
	VMOVDQU64  0(DX)(BX*2), Z2
	VMOVDQU64  64(DX)(BX*2), Z3
	VPMADDUBSW Z15, Z0, Z0
	VPMADDUBSW Z15, Z1, Z1
	VPMADDUBSW Z15, Z2, Z2
	VPMADDUBSW Z15, Z3, Z3
	VPADDW     Z2, Z0, Z0
	VPADDW     Z3, Z1, Z1
	VPMULHRSW  Z14, Z0, Z0
	VPMULHRSW  Z14, Z1, Z1
	VPACKUSWB  Z1, Z0, Z0
	VPERMQ     Z0, Z13, Z0
	VMOVDQU64  Z0, (DI)(BX*1)
	CMPQ       BX, R13
	JE         next
	ADDQ       $64, BX
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

// What VPACKSSDW and VPACKUSWB leave apart of doublewords, in order again.
DATA quarters<>+0(SB)/8, $0x0000000400000000
DATA quarters<>+8(SB)/8, $0x0000000c00000008
DATA quarters<>+16(SB)/8, $0x0000000500000001
DATA quarters<>+24(SB)/8, $0x0000000d00000009
DATA quarters<>+32(SB)/8, $0x0000000600000002
DATA quarters<>+40(SB)/8, $0x0000000e0000000a
DATA quarters<>+48(SB)/8, $0x0000000700000003
DATA quarters<>+56(SB)/8, $0x0000000f0000000b
GLOBL quarters<>(SB), RODATA|NOPTR, $64

// Sums 16 blocks of 4×4 samples to doublewords of z.
#define SUM4(off, z, tmp) \
	VMOVDQU64  off(SI)(BX*4), z    \
	VMOVDQU64  off(DX)(BX*4), tmp  \
	VPMADDUBSW Z15, z, z           \
	VPMADDUBSW Z15, tmp, tmp       \
	VPADDW     tmp, z, z           \
	VMOVDQU64  off(R8)(BX*4), tmp  \
	VPMADDUBSW Z15, tmp, tmp       \
	VPADDW     tmp, z, z           \
	VMOVDQU64  off(R9)(BX*4), tmp  \
	VPMADDUBSW Z15, tmp, tmp       \
	VPADDW     tmp, z, z           \
	VPMADDWD   Z14, z, z

// func quarterAVX512(dst, src *byte, dstStride, srcStride, n, rows int)
//
// dst[x] is the mean of 4×4 samples. n ≥ 64; the last block of 64 overlaps the one before
// if n wants it.
//
//	DI dst    SI, DX, R8, R9 four rows of src    R10 dstStride    AX srcStride    R11 rows left
//	CX n      BX output                          R13 the last one to start a block from
//	Z12 order of doublewords    Z13 words of 1<<11, by which VPMULHRSW divides by 16 and rounds
//	Z14 words of one            Z15 bytes of one
TEXT ·quarterAVX512(SB), NOSPLIT, $0-48
	MOVQ         dst+0(FP), DI
	MOVQ         src+8(FP), SI
	MOVQ         dstStride+16(FP), R10
	MOVQ         n+32(FP), CX
	MOVQ         rows+40(FP), R11
	LEAQ         -64(CX), R13
	MOVL         $1, AX
	VPBROADCASTB AX, Z15
	VPBROADCASTW AX, Z14
	MOVL         $(1<<11), AX
	VPBROADCASTW AX, Z13
	VMOVDQU64    quarters<>(SB), Z12
	MOVQ         srcStride+24(FP), AX

row:
	LEAQ (SI)(AX*1), DX
	LEAQ (SI)(AX*2), R8
	LEAQ (DX)(AX*2), R9
	XORQ BX, BX

loop:
	SUM4(0, Z0, Z4)
	SUM4(64, Z1, Z5)
	SUM4(128, Z2, Z6)
	SUM4(192, Z3, Z7)
	VPACKSSDW Z1, Z0, Z0
	VPACKSSDW Z3, Z2, Z2
	VPMULHRSW Z13, Z0, Z0
	VPMULHRSW Z13, Z2, Z2
	VPACKUSWB Z2, Z0, Z0
	VPERMD    Z0, Z12, Z0
	VMOVDQU64 Z0, (DI)(BX*1)
	CMPQ      BX, R13
	JE        next
	ADDQ      $64, BX
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

// For thirdAVX512: the doublewords of four times 12 samples, in lanes of their own, of 64
// samples; the same of the last 48 of them; and what VPSHUFB takes for 4 times 3 samples.
DATA twelves<>+0(SB)/8, $0x0000000100000000
DATA twelves<>+8(SB)/8, $0x0000000200000002
DATA twelves<>+16(SB)/8, $0x0000000400000003
DATA twelves<>+24(SB)/8, $0x0000000500000005
DATA twelves<>+32(SB)/8, $0x0000000700000006
DATA twelves<>+40(SB)/8, $0x0000000800000008
DATA twelves<>+48(SB)/8, $0x0000000a00000009
DATA twelves<>+56(SB)/8, $0x0000000b0000000b
DATA twelves<>+64(SB)/8, $0x0000000500000004
DATA twelves<>+72(SB)/8, $0x0000000600000006
DATA twelves<>+80(SB)/8, $0x0000000800000007
DATA twelves<>+88(SB)/8, $0x0000000900000009
DATA twelves<>+96(SB)/8, $0x0000000b0000000a
DATA twelves<>+104(SB)/8, $0x0000000c0000000c
DATA twelves<>+112(SB)/8, $0x0000000e0000000d
DATA twelves<>+120(SB)/8, $0x0000000f0000000f
GLOBL twelves<>(SB), RODATA|NOPTR, $128
DATA threes<>+0(SB)/8, $0x8005040380020100
DATA threes<>+8(SB)/8, $0x800b0a0980080706
GLOBL threes<>(SB), RODATA|NOPTR, $16

// Sums 16 blocks of 3×3 samples to doublewords of z.
#define SUM3(off, order, z) \
	VPERMD     off(SI), order, z   \
	VPERMD     off(DX), order, Z4  \
	VPERMD     off(R8), order, Z5  \
	VPSHUFB    Z10, z, z           \
	VPSHUFB    Z10, Z4, Z4         \
	VPSHUFB    Z10, Z5, Z5         \
	VPMADDUBSW Z15, z, z           \
	VPMADDUBSW Z15, Z4, Z4         \
	VPMADDUBSW Z15, Z5, Z5         \
	VPADDW     Z4, z, z            \
	VPADDW     Z5, z, z            \
	VPMADDWD   Z14, z, z

// func thirdAVX512(dst, src *byte, dstStride, srcStride, n, rows int)
//
// dst[x] is the mean of 3×3 samples. n ≥ 64; the last block of 64 overlaps the one before
// if n wants it.
//
//	DI dst    R12 src    R10 dstStride    R9 srcStride    R11 rows left
//	SI, DX, R8 three rows of the block    CX n            BX output    AX next output
//	R13 the last one to start a block from
//	Z8, Z9, Z10 order of samples          Z12 order of doublewords
//	Z13 words of 3641, by which VPMULHRSW divides by 9 and rounds, up to 9·255
//	Z14 words of one                      Z15 bytes of one
TEXT ·thirdAVX512(SB), NOSPLIT, $0-48
	MOVQ            dst+0(FP), DI
	MOVQ            src+8(FP), R12
	MOVQ            dstStride+16(FP), R10
	MOVQ            srcStride+24(FP), R9
	MOVQ            n+32(FP), CX
	MOVQ            rows+40(FP), R11
	LEAQ            -64(CX), R13
	MOVL            $1, AX
	VPBROADCASTB    AX, Z15
	VPBROADCASTW    AX, Z14
	MOVL            $3641, AX
	VPBROADCASTW    AX, Z13
	VMOVDQU64       quarters<>(SB), Z12
	VBROADCASTI32X4 threes<>(SB), Z10
	VMOVDQU64       twelves<>+0(SB), Z8
	VMOVDQU64       twelves<>+64(SB), Z9

row:
	MOVQ R12, SI
	LEAQ (R12)(R9*1), DX
	LEAQ (R12)(R9*2), R8
	XORQ BX, BX

loop:
	SUM3(0, Z8, Z0)
	SUM3(48, Z8, Z1)
	SUM3(96, Z8, Z2)
	SUM3(128, Z9, Z3)
	VPACKSSDW Z1, Z0, Z0
	VPACKSSDW Z3, Z2, Z2
	VPMULHRSW Z13, Z0, Z0
	VPMULHRSW Z13, Z2, Z2
	VPACKUSWB Z2, Z0, Z0
	VPERMD    Z0, Z12, Z0
	VMOVDQU64 Z0, (DI)(BX*1)
	LEAQ      64(BX), AX
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
