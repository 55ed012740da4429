//go:build !purego

#include "textflag.h"

// func sameLumaNEON(same []byte, a, b *byte, aStride, bStride, rows int)
//
// After every four rows a difference is enough: moving pictures cost a quarter of still
// ones.
//
//	R0 same    R1 blocks left    R2, R3 a, b      R4, R5 strides    R6 rows
//	R7, R8 row                   R9 rows left     R10 rows until the next look
//	R11 differences
TEXT ·sameLumaNEON(SB), NOSPLIT, $0-64
	MOVD same_base+0(FP), R0
	MOVD same_len+8(FP), R1
	MOVD a+24(FP), R2
	MOVD b+32(FP), R3
	MOVD aStride+40(FP), R4
	MOVD bStride+48(FP), R5
	MOVD rows+56(FP), R6
	CBZ  R1, done

block:
	MOVD R2, R7
	MOVD R3, R8
	MOVD R6, R9
	VEOR V0.B16, V0.B16, V0.B16

look:
	MOVD $4, R10
	CMP  R10, R9
	CSEL LT, R9, R10, R10
	SUB  R10, R9, R9

row:
	VLD1 (R7), [V1.B16]
	VLD1 (R8), [V2.B16]
	VEOR V2.B16, V1.B16, V1.B16
	VORR V1.B16, V0.B16, V0.B16
	ADD  R4, R7
	ADD  R5, R8
	SUBS $1, R10, R10
	BNE  row

	VMOV V0.D[0], R11
	VMOV V0.D[1], R12
	ORR  R12, R11, R11
	CBNZ R11, store
	CBNZ R9, look

store:
	CMP    $0, R11
	CSET   EQ, R11
	MOVB.P R11, 1(R0)
	ADD    $16, R2
	ADD    $16, R3
	SUBS   $1, R1, R1
	BNE    block

done:
	RET

// func sameChromaNEON(same []byte, a, b *byte, aStride, bStride, rows int)
//
// Blocks that differ in luma are not looked at. Eight samples fit a general register.
//
//	R0 same    R1 blocks left    R2, R3 a, b    R4, R5 strides    R6 rows
//	R7, R8 row                   R9 rows left   R11 differences
TEXT ·sameChromaNEON(SB), NOSPLIT, $0-64
	MOVD same_base+0(FP), R0
	MOVD same_len+8(FP), R1
	MOVD a+24(FP), R2
	MOVD b+32(FP), R3
	MOVD aStride+40(FP), R4
	MOVD bStride+48(FP), R5
	MOVD rows+56(FP), R6
	CBZ  R1, done

block:
	MOVBU (R0), R12
	CBZ   R12, next
	MOVD  R2, R7
	MOVD  R3, R8
	MOVD  R6, R9
	MOVD  ZR, R11

row:
	MOVD (R7), R13
	MOVD (R8), R14
	EOR  R14, R13, R13
	ORR  R13, R11, R11
	ADD  R4, R7
	ADD  R5, R8
	SUBS $1, R9, R9
	BNE  row

	CMP  $0, R11
	CSET EQ, R11
	MOVB R11, (R0)

next:
	ADD  $1, R0
	ADD  $8, R2
	ADD  $8, R3
	SUBS $1, R1, R1
	BNE  block

done:
	RET
