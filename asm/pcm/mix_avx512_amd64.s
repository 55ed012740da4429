//go:build !purego

#include "textflag.h"

// Quadwords of two registers whose 128-bit lanes alternate in memory, see STORE32.
DATA lanes<>+0(SB)/8, $0
DATA lanes<>+8(SB)/8, $1
DATA lanes<>+16(SB)/8, $8
DATA lanes<>+24(SB)/8, $9
DATA lanes<>+32(SB)/8, $2
DATA lanes<>+40(SB)/8, $3
DATA lanes<>+48(SB)/8, $10
DATA lanes<>+56(SB)/8, $11
DATA lanes<>+64(SB)/8, $4
DATA lanes<>+72(SB)/8, $5
DATA lanes<>+80(SB)/8, $12
DATA lanes<>+88(SB)/8, $13
DATA lanes<>+96(SB)/8, $6
DATA lanes<>+104(SB)/8, $7
DATA lanes<>+112(SB)/8, $14
DATA lanes<>+120(SB)/8, $15
GLOBL lanes<>(SB), RODATA|NOPTR, $128

// Two inputs at once, as in sumAVX2, 32 samples of each. Clobbers Z20-Z23.
#define ADD32(off, lo, hi) \
	VMOVDQU32  off(R10), Z20   \
	VMOVDQU32  off(R11), Z21   \
	VPUNPCKLWD Z21, Z20, Z22   \
	VPUNPCKHWD Z21, Z20, Z23   \
	VPMADDWD   Z31, Z22, Z22   \
	VPMADDWD   Z31, Z23, Z23   \
	VPADDD     Z22, lo, lo     \
	VPADDD     Z23, hi, hi

// The same for the last of an odd number of inputs.
#define ADD32LAST(off, lo, hi) \
	VMOVDQU32  off(R10), Z20   \
	VPUNPCKLWD Z28, Z20, Z22   \
	VPUNPCKHWD Z28, Z20, Z23   \
	VPMADDWD   Z31, Z22, Z22   \
	VPMADDWD   Z31, Z23, Z23   \
	VPADDD     Z22, lo, lo     \
	VPADDD     Z23, hi, hi

// Stores 32 sums in order. Clobbers Z20 and hi.
#define STORE32(off, lo, hi) \
	VMOVDQA64 lo, Z20            \
	VPERMT2Q  hi, Z29, Z20       \
	VPERMT2Q  hi, Z30, lo        \
	VMOVDQU32 Z20, off(DI)       \
	VMOVDQU32 lo, (off+64)(DI)

#define ZERO(a, b) \
	VPXORD a, a, a \
	VPXORD b, b, b

// func sumAVX512(total []int32, srcs [][]int16, offset int)
//
// total[i] = Σ srcs[k][offset+i]
//
//	DI total of the block             CX samples left
//	SI srcs        DX their number    R9 2·offset of the block
//	R8 header of the next input       AX inputs left
//	R10, R11 samples of two inputs    R12 samples of a last block    Z0-Z19 sums
//	Z28 zero    Z29, Z30 order of a store    Z31 words of one
//	K1 samples of the last block, K2 its first 16, K3 the others
TEXT ·sumAVX512(SB), NOSPLIT, $0-56
	MOVQ        total_base+0(FP), DI
	MOVQ        total_len+8(FP), CX
	MOVQ        srcs_base+24(FP), SI
	MOVQ        srcs_len+32(FP), DX
	MOVQ        offset+48(FP), R9
	ADDQ        R9, R9
	VPTERNLOGD  $0xFF, Z31, Z31, Z31
	VPSRLW      $15, Z31, Z31
	VPXORD      Z28, Z28, Z28
	VMOVDQU64   lanes<>+0(SB), Z29
	VMOVDQU64   lanes<>+64(SB), Z30

	// 640 bytes of each input at once: shorter stretches leave the prefetcher behind.
block320:
	CMPQ CX, $320
	JB   block32
	ZERO(Z0, Z1)
	ZERO(Z2, Z3)
	ZERO(Z4, Z5)
	ZERO(Z6, Z7)
	ZERO(Z8, Z9)
	ZERO(Z10, Z11)
	ZERO(Z12, Z13)
	ZERO(Z14, Z15)
	ZERO(Z16, Z17)
	ZERO(Z18, Z19)
	MOVQ SI, R8
	MOVQ DX, AX

pair320:
	SUBQ $2, AX
	JB   last320
	MOVQ 0(R8), R10
	MOVQ 24(R8), R11
	ADDQ R9, R10
	ADDQ R9, R11
	ADD32(0, Z0, Z1)
	ADD32(64, Z2, Z3)
	ADD32(128, Z4, Z5)
	ADD32(192, Z6, Z7)
	ADD32(256, Z8, Z9)
	ADD32(320, Z10, Z11)
	ADD32(384, Z12, Z13)
	ADD32(448, Z14, Z15)
	ADD32(512, Z16, Z17)
	ADD32(576, Z18, Z19)
	ADDQ $48, R8
	JMP  pair320

last320:
	CMPQ AX, $-1
	JNE  store320
	MOVQ 0(R8), R10
	ADDQ R9, R10
	ADD32LAST(0, Z0, Z1)
	ADD32LAST(64, Z2, Z3)
	ADD32LAST(128, Z4, Z5)
	ADD32LAST(192, Z6, Z7)
	ADD32LAST(256, Z8, Z9)
	ADD32LAST(320, Z10, Z11)
	ADD32LAST(384, Z12, Z13)
	ADD32LAST(448, Z14, Z15)
	ADD32LAST(512, Z16, Z17)
	ADD32LAST(576, Z18, Z19)

store320:
	STORE32(0, Z0, Z1)
	STORE32(128, Z2, Z3)
	STORE32(256, Z4, Z5)
	STORE32(384, Z6, Z7)
	STORE32(512, Z8, Z9)
	STORE32(640, Z10, Z11)
	STORE32(768, Z12, Z13)
	STORE32(896, Z14, Z15)
	STORE32(1024, Z16, Z17)
	STORE32(1152, Z18, Z19)
	ADDQ $1280, DI
	ADDQ $640, R9
	SUBQ $320, CX
	JMP  block320

	// Up to 32 samples at once.
block32:
	TESTQ   CX, CX
	JZ      done
	MOVL    $32, R12 // BZHI would take the low byte of a length over 255
	CMPQ    CX, R12
	CMOVQCS CX, R12
	MOVQ    $-1, BX
	BZHIQ   R12, BX, BX
	KMOVD   BX, K1
	KMOVW   BX, K2
	SHRQ    $16, BX
	KMOVW   BX, K3
	ZERO(Z0, Z1)
	MOVQ    SI, R8
	MOVQ    DX, AX

pair32:
	SUBQ        $2, AX
	JB          last32
	MOVQ        0(R8), R10
	MOVQ        24(R8), R11
	VMOVDQU16.Z (R10)(R9*1), K1, Z20
	VMOVDQU16.Z (R11)(R9*1), K1, Z21
	VPUNPCKLWD  Z21, Z20, Z22
	VPUNPCKHWD  Z21, Z20, Z23
	VPMADDWD    Z31, Z22, Z22
	VPMADDWD    Z31, Z23, Z23
	VPADDD      Z22, Z0, Z0
	VPADDD      Z23, Z1, Z1
	ADDQ        $48, R8
	JMP         pair32

last32:
	CMPQ        AX, $-1
	JNE         store32
	MOVQ        0(R8), R10
	VMOVDQU16.Z (R10)(R9*1), K1, Z20
	VPUNPCKLWD  Z28, Z20, Z22
	VPUNPCKHWD  Z28, Z20, Z23
	VPMADDWD    Z31, Z22, Z22
	VPMADDWD    Z31, Z23, Z23
	VPADDD      Z22, Z0, Z0
	VPADDD      Z23, Z1, Z1

store32:
	VMOVDQA64 Z0, Z20
	VPERMT2Q  Z1, Z29, Z20
	VPERMT2Q  Z1, Z30, Z0
	VMOVDQU32 Z20, K2, 0(DI)
	VMOVDQU32 Z0, K3, 64(DI)
	ADDQ      $128, DI
	ADDQ      $64, R9
	SUBQ      $32, CX
	JA        block32

done:
	VZEROUPPER
	RET

// func mixMinusAVX512(dst, total []int32, own []int16)
//
//	DI dst    CX samples left    SI total    DX own    K1 samples of the last block
TEXT ·mixMinusAVX512(SB), NOSPLIT, $0-72
	MOVQ dst_base+0(FP), DI
	MOVQ dst_len+8(FP), CX
	MOVQ total_base+24(FP), SI
	MOVQ own_base+48(FP), DX
	SUBQ $64, CX
	JB   tail

loop64:
	VPMOVSXWD 0(DX), Z4
	VPMOVSXWD 32(DX), Z5
	VPMOVSXWD 64(DX), Z6
	VPMOVSXWD 96(DX), Z7
	VMOVDQU32 0(SI), Z0
	VMOVDQU32 64(SI), Z1
	VMOVDQU32 128(SI), Z2
	VMOVDQU32 192(SI), Z3
	VPSUBD    Z4, Z0, Z0
	VPSUBD    Z5, Z1, Z1
	VPSUBD    Z6, Z2, Z2
	VPSUBD    Z7, Z3, Z3
	VMOVDQU32 Z0, 0(DI)
	VMOVDQU32 Z1, 64(DI)
	VMOVDQU32 Z2, 128(DI)
	VMOVDQU32 Z3, 192(DI)
	ADDQ      $128, DX
	ADDQ      $256, SI
	ADDQ      $256, DI
	SUBQ      $64, CX
	JAE       loop64

	// CX is the number of samples left, less 64.
tail:
	ADDQ $64, CX
	JZ   done

block16:
	MOVQ        $-1, BX
	BZHIQ       CX, BX, BX
	KMOVW       BX, K1
	VPMOVSXWD.Z (DX), K1, Z4
	VMOVDQU32.Z (SI), K1, Z0
	VPSUBD      Z4, Z0, Z0
	VMOVDQU32   Z0, K1, (DI)
	ADDQ        $32, DX
	ADDQ        $64, SI
	ADDQ        $64, DI
	SUBQ        $16, CX
	JA          block16

done:
	VZEROUPPER
	RET

// What VPACKSSDW of two registers leaves apart, in order again.
DATA packed<>+0(SB)/8, $0
DATA packed<>+8(SB)/8, $2
DATA packed<>+16(SB)/8, $4
DATA packed<>+24(SB)/8, $6
DATA packed<>+32(SB)/8, $1
DATA packed<>+40(SB)/8, $3
DATA packed<>+48(SB)/8, $5
DATA packed<>+56(SB)/8, $7
GLOBL packed<>(SB), RODATA|NOPTR, $64

// func saturateAVX512(dst []int16, total []int32)
//
//	DI dst    CX samples left    SI total    Z15 order of quadwords
//	K1 samples of the last block, K2 its first 16, K3 the others
TEXT ·saturateAVX512(SB), NOSPLIT, $0-48
	MOVQ      dst_base+0(FP), DI
	MOVQ      dst_len+8(FP), CX
	MOVQ      total_base+24(FP), SI
	VMOVDQU64 packed<>(SB), Z15
	SUBQ      $64, CX
	JB        tail

loop64:
	VMOVDQU32 0(SI), Z0
	VMOVDQU32 128(SI), Z1
	VPACKSSDW 64(SI), Z0, Z0
	VPACKSSDW 192(SI), Z1, Z1
	VPERMQ    Z0, Z15, Z0
	VPERMQ    Z1, Z15, Z1
	VMOVDQU16 Z0, 0(DI)
	VMOVDQU16 Z1, 64(DI)
	ADDQ      $256, SI
	ADDQ      $128, DI
	SUBQ      $64, CX
	JAE       loop64

	// CX is the number of samples left, less 64.
tail:
	ADDQ $64, CX
	JZ   done

block32:
	MOVQ        $-1, BX
	BZHIQ       CX, BX, BX
	KMOVD       BX, K1
	KMOVW       BX, K2
	SHRQ        $16, BX
	KMOVW       BX, K3
	VMOVDQU32.Z 0(SI), K2, Z0
	VMOVDQU32.Z 64(SI), K3, Z1
	VPACKSSDW   Z1, Z0, Z0
	VPERMQ      Z0, Z15, Z0
	VMOVDQU16   Z0, K1, (DI)
	ADDQ        $128, SI
	ADDQ        $64, DI
	SUBQ        $32, CX
	JA          block32

done:
	VZEROUPPER
	RET
