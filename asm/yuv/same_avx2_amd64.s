//go:build !purego

#include "textflag.h"

// func sameLumaAVX2(same []byte, a, b *byte, aStride, bStride, rows int)
//
// Differences of two blocks gather in Y0. After every four rows that is enough if both
// differ: moving pictures cost a quarter of still ones.
//
//	DI same    CX blocks left    SI, DX a, b      R8, R9 strides    R10 rows
//	AX flags   R11, R12 row      R13 rows left    R14 rows until the next look
//	Y15 zero
TEXT ·sameLumaAVX2(SB), NOSPLIT, $0-64
	MOVQ  same_base+0(FP), DI
	MOVQ  same_len+8(FP), CX
	MOVQ  a+24(FP), SI
	MOVQ  b+32(FP), DX
	MOVQ  aStride+40(FP), R8
	MOVQ  bStride+48(FP), R9
	MOVQ  rows+56(FP), R10
	VPXOR Y15, Y15, Y15
	SUBQ  $2, CX
	JB    tail

two:
	MOVQ  SI, R11
	MOVQ  DX, R12
	MOVQ  R10, R13
	VPXOR Y0, Y0, Y0

look2:
	MOVQ    $4, R14
	CMPQ    R13, R14
	CMOVQLT R13, R14
	SUBQ    R14, R13

row2:
	VMOVDQU (R11), Y1
	VPXOR   (R12), Y1, Y1
	VPOR    Y1, Y0, Y0
	ADDQ    R8, R11
	ADDQ    R9, R12
	DECQ    R14
	JNZ     row2

	// A block is the same if both its quadwords are: bit 0 for the first, 2 for the second.
	VPCMPEQQ  Y15, Y0, Y1
	VMOVMSKPD Y1, AX
	MOVL      AX, BX
	SHRL      $1, BX
	ANDL      BX, AX
	ANDL      $5, AX
	JZ        store2
	TESTQ     R13, R13
	JNZ       look2

store2:
	MOVL AX, BX
	SHRL $2, BX
	ANDL $1, AX
	MOVB AX, (DI)
	MOVB BX, 1(DI)
	ADDQ $2, DI
	ADDQ $32, SI
	ADDQ $32, DX
	SUBQ $2, CX
	JAE  two

tail:
	ADDQ  $2, CX
	JZ    done
	VPXOR X0, X0, X0

row1:
	VMOVDQU (SI), X1
	VPXOR   (DX), X1, X1
	VPOR    X1, X0, X0
	ADDQ    R8, SI
	ADDQ    R9, DX
	DECQ    R10
	JNZ     row1
	VPTEST  X0, X0
	SETEQ   (DI)

done:
	VZEROUPPER
	RET

// func sameChromaAVX2(same []byte, a, b *byte, aStride, bStride, rows int)
//
// Blocks that differ in luma are not looked at, if all four of a vector do.
//
//	DI same    CX blocks left    SI, DX a, b      R8, R9 strides    R10 rows
//	AX flags   R11, R12 row      R13 rows left    Y15 zero
TEXT ·sameChromaAVX2(SB), NOSPLIT, $0-64
	MOVQ  same_base+0(FP), DI
	MOVQ  same_len+8(FP), CX
	MOVQ  a+24(FP), SI
	MOVQ  b+32(FP), DX
	MOVQ  aStride+40(FP), R8
	MOVQ  bStride+48(FP), R9
	MOVQ  rows+56(FP), R10
	VPXOR Y15, Y15, Y15
	SUBQ  $4, CX
	JB    tail

four:
	MOVL  (DI), BX
	TESTL BX, BX
	JZ    next4
	MOVQ  SI, R11
	MOVQ  DX, R12
	MOVQ  R10, R13
	VPXOR Y0, Y0, Y0

row4:
	VMOVDQU (R11), Y1
	VPXOR   (R12), Y1, Y1
	VPOR    Y1, Y0, Y0
	ADDQ    R8, R11
	ADDQ    R9, R12
	DECQ    R13
	JNZ     row4

	// Bits 0-3 become bytes 0-3.
	VPCMPEQQ  Y15, Y0, Y1
	VMOVMSKPD Y1, AX
	IMULL     $0x204081, AX
	ANDL      $0x01010101, AX
	ANDL      BX, AX
	MOVL      AX, (DI)

next4:
	ADDQ $4, DI
	ADDQ $32, SI
	ADDQ $32, DX
	SUBQ $4, CX
	JAE  four

tail:
	ADDQ $4, CX
	JZ   done

one:
	MOVQ SI, R11
	MOVQ DX, R12
	MOVQ R10, R13
	XORL AX, AX

row1:
	MOVQ (R11), BX
	XORQ (R12), BX
	ORQ  BX, AX
	ADDQ R8, R11
	ADDQ R9, R12
	DECQ R13
	JNZ  row1

	TESTQ AX, AX
	SETEQ AX
	ANDB  AX, (DI)
	INCQ  DI
	ADDQ  $8, SI
	ADDQ  $8, DX
	DECQ  CX
	JNZ   one

done:
	VZEROUPPER
	RET
