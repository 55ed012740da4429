//go:build !purego

#include "textflag.h"

// Quadwords of the registers of columns 0-7 and 8-15 of every 16, in order.
DATA columns<>+0(SB)/8, $0
DATA columns<>+8(SB)/8, $1
DATA columns<>+16(SB)/8, $8
DATA columns<>+24(SB)/8, $9
DATA columns<>+32(SB)/8, $2
DATA columns<>+40(SB)/8, $3
DATA columns<>+48(SB)/8, $10
DATA columns<>+56(SB)/8, $11
DATA columns<>+64(SB)/8, $4
DATA columns<>+72(SB)/8, $5
DATA columns<>+80(SB)/8, $12
DATA columns<>+88(SB)/8, $13
DATA columns<>+96(SB)/8, $6
DATA columns<>+104(SB)/8, $7
DATA columns<>+112(SB)/8, $14
DATA columns<>+120(SB)/8, $15
GLOBL columns<>(SB), RODATA|NOPTR, $128

// Adds a pair of rows. Clobbers Z4-Z11.
#define PAIR \
	VMOVDQU64    (AX), Z6         \
	VMOVDQU64    (R12), Z7        \
	VPBROADCASTD 4(R10), Z4       \
	VPBROADCASTD 8(R10), Z5       \
	VPUNPCKLBW   Z7, Z6, Z8       \
	VPUNPCKHBW   Z7, Z6, Z9       \
	VPMADDUBSW   Z4, Z8, Z10      \
	VPMADDUBSW   Z4, Z9, Z11      \
	VPMADDUBSW   Z5, Z8, Z8       \
	VPMADDUBSW   Z5, Z9, Z9       \
	VPADDW       Z10, Z0, Z0      \
	VPADDW       Z11, Z1, Z1      \
	VPADDW       Z8, Z2, Z2       \
	VPADDW       Z9, Z3, Z3

// func verticalAVX512(mid *int16, src *byte, stride int, weight *byte, count, n int)
//
// mid[x] = 64 + (Σ w[k]·src[k·stride+x] + 64) >> 7, 64 columns at once, two rows a step.
// n ≥ 64; the last block overlaps the one before if n wants it.
//
// A weight is 128·h + l, both of them bytes: VPMADDUBSW adds up h·s in A and l·s in B, and
// the result is A + B>>7. A has one of 16 bits in the end, whatever happens between. B is
// unsigned and begins with a bias that keeps it so. Four rows fill it: after them what is a
// multiple of 128 goes over to A.
//
//	DI mid     SI src      DX stride    R8 weight    R9 count    CX n
//	BX column  R13 the last one to start a block from
//	R10 next weights       R11 rows left             AX, R12 two rows
//	Z0, Z1 A   Z2, Z3 B    Z4, Z5 h and l of a pair
//	Z29, Z30 order of a store    Z31 words of 127
TEXT ·verticalAVX512(SB), NOSPLIT, $0-48
	MOVQ         mid+0(FP), DI
	MOVQ         src+8(FP), SI
	MOVQ         stride+16(FP), DX
	MOVQ         weight+24(FP), R8
	MOVQ         count+32(FP), R9
	MOVQ         n+40(FP), CX
	LEAQ         -64(CX), R13
	VMOVDQU64    columns<>+0(SB), Z29
	VMOVDQU64    columns<>+64(SB), Z30
	MOVL         $127, AX
	VPBROADCASTW AX, Z31
	XORQ         BX, BX

block:
	VPBROADCASTD 0(R8), Z0
	VPBROADCASTD 4(R8), Z2
	VMOVDQA64    Z0, Z1
	VMOVDQA64    Z2, Z3
	LEAQ         (SI)(BX*1), AX
	LEAQ         4(R8), R10
	MOVQ         R9, R11

	// The pair of the last of an odd number of rows is that row again.
rows:
	LEAQ    (AX)(DX*1), R12
	CMPQ    R11, $1
	CMOVQEQ AX, R12
	PAIR
	SUBQ    $2, R11
	JLE     finish
	LEAQ    (AX)(DX*2), AX
	LEAQ    (AX)(DX*1), R12
	CMPQ    R11, $1
	CMOVQEQ AX, R12
	ADDQ    $8, R10
	PAIR
	SUBQ    $2, R11
	JLE     finish
	LEAQ    (AX)(DX*2), AX
	ADDQ    $12, R10

	VPBROADCASTD (R10), Z6
	VPSRLW       $7, Z2, Z4
	VPSRLW       $7, Z3, Z5
	VPADDW       Z4, Z0, Z0
	VPADDW       Z5, Z1, Z1
	VPTERNLOGD   $0xEC, Z31, Z6, Z2
	VPTERNLOGD   $0xEC, Z31, Z6, Z3
	JMP          rows

finish:
	VPSRLW    $7, Z2, Z2
	VPSRLW    $7, Z3, Z3
	VPADDW    Z2, Z0, Z0
	VPADDW    Z3, Z1, Z1
	VMOVDQA64 Z0, Z2
	VPERMT2Q  Z1, Z29, Z2
	VPERMT2Q  Z1, Z30, Z0
	VMOVDQU64 Z2, 0(DI)(BX*2)
	VMOVDQU64 Z0, 64(DI)(BX*2)
	CMPQ      BX, R13
	JE        done
	ADDQ      $64, BX
	CMPQ      BX, R13
	CMOVQGT   R13, BX
	JMP       block

done:
	VZEROUPPER
	RET

// Doublewords of 4 outputs each of two groups of two rows, in order: those of the first
// row, those of the second.
DATA groups<>+0(SB)/8, $0x0000000400000000
DATA groups<>+8(SB)/8, $0x0000000c00000008
DATA groups<>+16(SB)/8, $0x0000000600000002
DATA groups<>+24(SB)/8, $0x0000000e0000000a
DATA groups<>+32(SB)/8, $0x0000000500000001
DATA groups<>+40(SB)/8, $0x0000000d00000009
DATA groups<>+48(SB)/8, $0x0000000700000003
DATA groups<>+56(SB)/8, $0x0000000f0000000b
GLOBL groups<>(SB), RODATA|NOPTR, $64

// The same in words where 2 outputs are followed by those 8 further on.
DATA halves<>+0(SB)/8, $0x0018001000080000
DATA halves<>+8(SB)/8, $0x0019001100090001
DATA halves<>+16(SB)/8, $0x001c0014000c0004
DATA halves<>+24(SB)/8, $0x001d0015000d0005
DATA halves<>+32(SB)/8, $0x001a0012000a0002
DATA halves<>+40(SB)/8, $0x001b0013000b0003
DATA halves<>+48(SB)/8, $0x001e0016000e0006
DATA halves<>+56(SB)/8, $0x001f0017000f0007
GLOBL halves<>(SB), RODATA|NOPTR, $64

// The arguments of all horizontal kernels:
//
//	DI, R9 two rows of dst    SI, DX two rows of mid    R8 first    R10 index    R11 weight
//	R12 steps                 CX outputs left           Z30 words of the distance of two steps
//	Z31 order of a store      K1 outputs of the block
#define LOAD_ARGUMENTS(distance) \
	MOVQ         dst0+0(FP), DI     \
	MOVQ         dst1+8(FP), R9     \
	MOVQ         mid0+16(FP), SI    \
	MOVQ         mid1+24(FP), DX    \
	MOVQ         first+32(FP), R8   \
	MOVQ         index+40(FP), R10  \
	MOVQ         weight+48(FP), R11 \
	MOVQ         steps+56(FP), R12  \
	MOVQ         n+64(FP), CX       \
	MOVL         distance, AX       \
	VPBROADCASTW AX, Z30            \
	KXNORD       K1, K1, K1

// Makes bytes of 32 outputs of two rows: the sums in r0g0, ... are doublewords.
#define NARROW(r0g0, r1g0, r0g1, r1g1) \
	VPSRLD    $21, r0g0, r0g0    \
	VPSRLD    $21, r1g0, r1g0    \
	VPSRLD    $21, r0g1, r0g1    \
	VPSRLD    $21, r1g1, r1g1    \
	VPACKSSDW r1g0, r0g0, r0g0   \
	VPACKSSDW r1g1, r0g1, r0g1   \
	VPACKUSWB r0g1, r0g0, r0g0

// Sets K1 where fewer than 32 outputs are left.
#define MASK32(full) \
	CMPQ  CX, $32     \
	JAE   full        \
	MOVL  $-1, AX     \
	BZHIL CX, AX, AX  \
	KMOVD AX, K1

// The sums of 16 outputs of two rows, whose samples are among 32. Clobbers AX, R13, Z8-Z14.
#define GROUP32(firstOff, indexOff, r0, r1, step, check) \
	MOVL      firstOff(R8), AX     \
	VMOVDQU16 (SI)(AX*2), Z8       \
	VMOVDQU16 (DX)(AX*2), Z9       \
	VMOVDQU16 indexOff(R10), Z10   \
	VMOVDQU16 (R11), Z11           \
	VPERMW    Z8, Z10, Z12         \
	VPERMW    Z9, Z10, Z13         \
	VPMADDWD  Z11, Z12, r0         \
	VPMADDWD  Z11, Z13, r1         \
	ADDQ      $64, R11             \
	MOVQ      R12, R13             \
	JMP       check                \
	step:                          \
	VPADDW    Z30, Z10, Z10        \
	VMOVDQU16 (R11), Z11           \
	VPERMW    Z8, Z10, Z12         \
	VPERMW    Z9, Z10, Z13         \
	VPMADDWD  Z11, Z12, Z12        \
	VPMADDWD  Z11, Z13, Z13        \
	VPADDD    Z12, r0, r0          \
	VPADDD    Z13, r1, r1          \
	ADDQ      $64, R11             \
	check:                         \
	DECQ      R13                  \
	JNZ       step

// func pairs32AVX512(dst0, dst1 *byte, mid0, mid1 *int16, first *int32, index *uint16, weight *int16, steps, n int)
//
// Two output rows, see wideTables. The samples of 16 outputs are among 32 of mid.
TEXT ·pairs32AVX512(SB), NOSPLIT, $0-72
	LOAD_ARGUMENTS($2)
	VMOVDQU64 groups<>(SB), Z31

block:
	MASK32(whole)

whole:
	GROUP32(0, 0, Z0, Z1, stepA, checkA)
	GROUP32(4, 64, Z2, Z3, stepB, checkB)
	NARROW(Z0, Z1, Z2, Z3)
	VPERMD        Z0, Z31, Z0
	VEXTRACTI64X4 $1, Z0, Y1
	VMOVDQU8      Y0, K1, (DI)
	VMOVDQU8      Y1, K1, (R9)
	ADDQ          $32, DI
	ADDQ          $32, R9
	ADDQ          $8, R8
	ADDQ          $128, R10
	SUBQ          $32, CX
	JA            block
	VZEROUPPER
	RET

// The sums of the outputs of one register, whose samples are among 64. Clobbers AX, R13,
// Z8-Z15.
#define GROUP64(firstOff, indexOff, r0, r1, step, check) \
	MOVL      firstOff(R8), AX     \
	VMOVDQU16 0(SI)(AX*2), Z8      \
	VMOVDQU16 64(SI)(AX*2), Z9     \
	VMOVDQU16 0(DX)(AX*2), Z14     \
	VMOVDQU16 64(DX)(AX*2), Z15    \
	VMOVDQU16 indexOff(R10), Z10   \
	VMOVDQU16 (R11), Z11           \
	VMOVDQA64 Z10, Z12             \
	VMOVDQA64 Z10, Z13             \
	VPERMI2W  Z9, Z8, Z12          \
	VPERMI2W  Z15, Z14, Z13        \
	VPMADDWD  Z11, Z12, r0         \
	VPMADDWD  Z11, Z13, r1         \
	ADDQ      $64, R11             \
	MOVQ      R12, R13             \
	JMP       check                \
	step:                          \
	VPADDW    Z30, Z10, Z10        \
	VMOVDQU16 (R11), Z11           \
	VMOVDQA64 Z10, Z12             \
	VMOVDQA64 Z10, Z13             \
	VPERMI2W  Z9, Z8, Z12          \
	VPERMI2W  Z15, Z14, Z13        \
	VPMADDWD  Z11, Z12, Z12        \
	VPMADDWD  Z11, Z13, Z13        \
	VPADDD    Z12, r0, r0          \
	VPADDD    Z13, r1, r1          \
	ADDQ      $64, R11             \
	check:                         \
	DECQ      R13                  \
	JNZ       step

// func pairs64AVX512(dst0, dst1 *byte, mid0, mid1 *int16, first *int32, index *uint16, weight *int16, steps, n int)
//
// Two output rows, see wideTables. The samples of 16 outputs are among 64 of mid.
TEXT ·pairs64AVX512(SB), NOSPLIT, $0-72
	LOAD_ARGUMENTS($2)
	VMOVDQU64 groups<>(SB), Z31

block:
	MASK32(whole)

whole:
	GROUP64(0, 0, Z0, Z1, stepA, checkA)
	GROUP64(4, 64, Z2, Z3, stepB, checkB)
	NARROW(Z0, Z1, Z2, Z3)
	VPERMD        Z0, Z31, Z0
	VEXTRACTI64X4 $1, Z0, Y1
	VMOVDQU8      Y0, K1, (DI)
	VMOVDQU8      Y1, K1, (R9)
	ADDQ          $32, DI
	ADDQ          $32, R9
	ADDQ          $8, R8
	ADDQ          $128, R10
	SUBQ          $32, CX
	JA            block
	VZEROUPPER
	RET

// Adds neighbours: a and b have two sums of each of 8 outputs.
#define NEIGHBOURS(a, b) \
	VSHUFPS $0x88, b, a, Z16 \
	VSHUFPS $0xDD, b, a, Z17 \
	VPADDD  Z17, Z16, a

// func quadsAVX512(dst0, dst1 *byte, mid0, mid1 *int16, first *int32, index *uint16, weight *int16, steps, n int)
//
// Two output rows, see wideTables. The samples of 8 outputs are among 64 of mid.
TEXT ·quadsAVX512(SB), NOSPLIT, $0-72
	LOAD_ARGUMENTS($4)
	VMOVDQU64 halves<>(SB), Z31

block:
	MASK32(whole)

whole:
	GROUP64(0, 0, Z0, Z1, stepA, checkA)
	GROUP64(4, 64, Z2, Z3, stepB, checkB)
	GROUP64(8, 128, Z4, Z5, stepC, checkC)
	GROUP64(12, 192, Z6, Z7, stepD, checkD)
	NEIGHBOURS(Z0, Z2)
	NEIGHBOURS(Z1, Z3)
	NEIGHBOURS(Z4, Z6)
	NEIGHBOURS(Z5, Z7)
	NARROW(Z0, Z1, Z4, Z5)
	VPERMW        Z0, Z31, Z0
	VEXTRACTI64X4 $1, Z0, Y1
	VMOVDQU8      Y0, K1, (DI)
	VMOVDQU8      Y1, K1, (R9)
	ADDQ          $32, DI
	ADDQ          $32, R9
	ADDQ          $16, R8
	ADDQ          $256, R10
	SUBQ          $32, CX
	JA            block
	VZEROUPPER
	RET
