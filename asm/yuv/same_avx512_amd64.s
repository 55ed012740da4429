//go:build !purego

#include "textflag.h"

// func sameLumaAVX512(same []byte, a, b *byte, aStride, bStride, rows int)
//
// Four blocks at a time, the last up to three under a mask; see sameLumaAVX2.
//
//	DI same    CX blocks left    SI, DX a, b      R8, R9 strides    R10 rows
//	AX flags   R11, R12 row      R13 rows left    R14 rows until the next look
//	R15 every other bit          K1 bytes of the last blocks
TEXT ·sameLumaAVX512(SB), NOSPLIT, $0-64
	MOVQ same_base+0(FP), DI
	MOVQ same_len+8(FP), CX
	MOVQ a+24(FP), SI
	MOVQ b+32(FP), DX
	MOVQ aStride+40(FP), R8
	MOVQ bStride+48(FP), R9
	MOVQ rows+56(FP), R10
	MOVL $0x55, R15
	SUBQ $4, CX
	JB   tail

four:
	MOVQ   SI, R11
	MOVQ   DX, R12
	MOVQ   R10, R13
	VPXORQ Z0, Z0, Z0

look4:
	MOVQ    $4, R14
	CMPQ    R13, R14
	CMOVQLT R13, R14
	SUBQ    R14, R13

row4:
	VMOVDQU64  (R11), Z1
	VPTERNLOGQ $0xF6, (R12), Z1, Z0 // Z0 |= Z1 ^ b
	ADDQ       R8, R11
	ADDQ       R9, R12
	DECQ       R14
	JNZ        row4

	VPTESTNMQ Z0, Z0, K2
	KMOVB     K2, AX
	MOVL      AX, BX
	SHRL      $1, BX
	ANDL      BX, AX
	ANDL      R15, AX
	JZ        store4
	TESTQ     R13, R13
	JNZ       look4
	PEXTL     R15, AX, AX
	IMULL     $0x204081, AX
	ANDL      $0x01010101, AX

store4:
	MOVL AX, (DI)
	ADDQ $4, DI
	ADDQ $64, SI
	ADDQ $64, DX
	SUBQ $4, CX
	JAE  four

tail:
	ADDQ   $4, CX
	JZ     done
	MOVQ   CX, BX
	SHLQ   $4, BX
	MOVQ   $-1, AX
	BZHIQ  BX, AX, AX
	KMOVQ  AX, K1
	VPXORQ Z0, Z0, Z0

row:
	VMOVDQU8.Z (SI), K1, Z1
	VMOVDQU8.Z (DX), K1, Z2
	VPTERNLOGQ $0xF6, Z2, Z1, Z0
	ADDQ       R8, SI
	ADDQ       R9, DX
	DECQ       R10
	JNZ        row

	VPTESTNMQ Z0, Z0, K2
	KMOVB     K2, AX
	MOVL      AX, BX
	SHRL      $1, BX
	ANDL      BX, AX

store:
	MOVL AX, BX
	ANDL $1, BX
	MOVB BX, (DI)
	SHRL $2, AX
	INCQ DI
	DECQ CX
	JNZ  store

done:
	VZEROUPPER
	RET

// func sameChromaAVX512(same []byte, a, b *byte, aStride, bStride, rows int)
//
// Eight blocks at a time, the last up to seven under masks; see sameChromaAVX2.
//
//	DI same    CX blocks left    SI, DX a, b      R8, R9 strides    R10 rows
//	R11, R12 row                 R13 rows left    BX flags
//	K1 bytes of the last blocks  K3 their flags
TEXT ·sameChromaAVX512(SB), NOSPLIT, $0-64
	MOVQ same_base+0(FP), DI
	MOVQ same_len+8(FP), CX
	MOVQ a+24(FP), SI
	MOVQ b+32(FP), DX
	MOVQ aStride+40(FP), R8
	MOVQ bStride+48(FP), R9
	MOVQ rows+56(FP), R10
	SUBQ $8, CX
	JB   tail

eight:
	MOVQ   (DI), BX
	TESTQ  BX, BX
	JZ     next8
	MOVQ   SI, R11
	MOVQ   DX, R12
	MOVQ   R10, R13
	VPXORQ Z0, Z0, Z0

row8:
	VMOVDQU64  (R11), Z1
	VPTERNLOGQ $0xF6, (R12), Z1, Z0 // Z0 |= Z1 ^ b
	ADDQ       R8, R11
	ADDQ       R9, R12
	DECQ       R13
	JNZ        row8

	VPTESTNMQ  Z0, Z0, K2
	VMOVQ      BX, X1
	VMOVDQU8.Z X1, K2, X1
	VMOVQ      X1, (DI)

next8:
	ADDQ $8, DI
	ADDQ $64, SI
	ADDQ $64, DX
	SUBQ $8, CX
	JAE  eight

tail:
	ADDQ   $8, CX
	JZ     done
	MOVQ   $-1, AX
	BZHIQ  CX, AX, BX
	KMOVQ  BX, K3
	SHLQ   $3, CX
	BZHIQ  CX, AX, AX
	KMOVQ  AX, K1
	VPXORQ Z0, Z0, Z0

row:
	VMOVDQU8.Z (SI), K1, Z1
	VMOVDQU8.Z (DX), K1, Z2
	VPTERNLOGQ $0xF6, Z2, Z1, Z0
	ADDQ       R8, SI
	ADDQ       R9, DX
	DECQ       R10
	JNZ        row

	VPTESTNMQ  Z0, Z0, K2
	VMOVDQU8.Z (DI), K3, X1
	VMOVDQU8.Z X1, K2, X1
	VMOVDQU8   X1, K3, (DI)

done:
	VZEROUPPER
	RET
