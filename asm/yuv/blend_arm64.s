//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// func blendNEON(dst, alpha []byte, colour byte)
//
// With u = d·(255-a) + colour·a, which fits an unsigned word, the reference is
// (u + 128 + (u+128)>>8) >> 8: both roundings are those of instructions.
//
//	R0 dst    R1 samples left    R2 alpha    R3 colour
//	V30 bytes of 255             V31 bytes of colour
TEXT ·blendNEON(SB), NOSPLIT, $0-49
	MOVD  dst_base+0(FP), R0
	MOVD  dst_len+8(FP), R1
	MOVD  alpha_base+24(FP), R2
	MOVBU colour+48(FP), R3
	VMOVI $255, V30.B16
	VDUP  R3, V31.B16
	SUBS  $16, R1, R1
	BLO   tail

loop16:
	VLD1   (R0), [V0.B16]
	VLD1.P 16(R2), [V1.B16]
	VEOR   V30.B16, V1.B16, V2.B16
	UMULL(2, 0, 4)
	UMULL2(2, 0, 5)
	UMLAL(31, 1, 4)
	UMLAL2(31, 1, 5)
	URSHR8(4, 6)
	URSHR8(5, 7)
	RADDHN(6, 4, 0)
	RADDHN2(7, 5, 0)
	VST1.P [V0.B16], 16(R0)
	SUBS   $16, R1, R1
	BHS    loop16

	// R1 is the number of samples left, less 16.
tail:
	ADDS $16, R1, R1
	BEQ  done
	MOVD $255, R7

single:
	MOVBU   (R0), R4
	MOVBU.P 1(R2), R5
	SUB     R5, R7, R6
	MUL     R4, R6, R6
	MADD    R5, R6, R3, R6
	ADD     $128, R6, R6
	ADD     R6>>8, R6, R6
	LSR     $8, R6, R6
	MOVB.P  R6, 1(R0)
	SUBS    $1, R1, R1
	BNE     single

done:
	RET
