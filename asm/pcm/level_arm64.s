//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// func scaleNEON(dst, src []int16, gain int32)
//
// A gain does not fit a signed word, its two halves do: x·gain = x·h + x·(gain-h).
//
//	R0 dst    R1 samples left    R2 src    R3 gain
//	V30 words of h               V31 words of gain-h
TEXT ·scaleNEON(SB), NOSPLIT, $0-52
	MOVD dst_base+0(FP), R0
	MOVD dst_len+8(FP), R1
	MOVD src_base+24(FP), R2
	MOVW gain+48(FP), R3
	LSR  $1, R3, R4
	SUB  R4, R3, R5
	VDUP R4, V30.H8
	VDUP R5, V31.H8
	SUBS $16, R1, R1
	BLO  tail

loop16:
	VLD1.P 32(R2), [V0.H8, V1.H8]
	SMULL(30, 0, 2)
	SMULL2(30, 0, 3)
	SMULL(30, 1, 4)
	SMULL2(30, 1, 5)
	SMLAL(31, 0, 2)
	SMLAL2(31, 0, 3)
	SMLAL(31, 1, 4)
	SMLAL2(31, 1, 5)
	SQRSHRN12(2, 6)
	SQRSHRN12_2(3, 6)
	SQRSHRN12(4, 7)
	SQRSHRN12_2(5, 7)
	VST1.P [V6.H8, V7.H8], 32(R0)
	SUBS   $16, R1, R1
	BHS    loop16

	// R1 is the number of samples left, less 16.
tail:
	ADDS $16, R1, R1
	BEQ  done

single:
	MOVH.P 2(R2), R4
	MULW   R3, R4, R4
	FMOVS  R4, F0
	SQRSHRN12_1(0, 0)
	VST1.P V0.H[0], 2(R0)
	SUBS   $1, R1, R1
	BNE    single

done:
	RET

// func peakNEON(src []int16) int
//
// ABS leaves -32768 as it is, which as an unsigned word is its magnitude.
//
//	R0 src    R1 samples left    R2 result    V0, V1 maxima
TEXT ·peakNEON(SB), NOSPLIT, $0-32
	MOVD src_base+0(FP), R0
	MOVD src_len+8(FP), R1
	MOVD ZR, R2
	CMP  $16, R1
	BLO  tail
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	SUB  $16, R1, R1

loop16:
	VLD1.P 32(R0), [V2.H8, V3.H8]
	ABS(2, 2)
	ABS(3, 3)
	VUMAX  V2.H8, V0.H8, V0.H8
	VUMAX  V3.H8, V1.H8, V1.H8
	SUBS   $16, R1, R1
	BHS    loop16

	// R1 is the number of samples left, less 16. The last block of 16 ends with the last
	// sample and overlaps the one before: a maximum does not mind.
	ADD   R1<<1, R0, R0
	VLD1  (R0), [V2.H8, V3.H8]
	ABS(2, 2)
	ABS(3, 3)
	VUMAX V2.H8, V0.H8, V0.H8
	VUMAX V3.H8, V1.H8, V1.H8
	VUMAX V1.H8, V0.H8, V0.H8
	UMAXV(0, 0)
	VMOV  V0.H[0], R2
	B     done

tail:
	CBZ R1, done

single:
	MOVH.P 2(R0), R3
	CMP    $0, R3
	CNEG   LT, R3, R3
	CMP    R2, R3
	CSEL   GT, R3, R2, R2
	SUBS   $1, R1, R1
	BNE    single

done:
	MOVD R2, ret+24(FP)
	RET

// func energyNEON(src []int16) uint64
//
// The sum of two squares needs all 32 bits of a doubleword, unsigned.
//
//	R0 src    R1 samples left    R2 result    V0, V1 sums
TEXT ·energyNEON(SB), NOSPLIT, $0-32
	MOVD src_base+0(FP), R0
	MOVD src_len+8(FP), R1
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	SUBS $16, R1, R1
	BLO  reduce

loop16:
	VLD1.P 32(R0), [V2.H8, V3.H8]
	SMULL(2, 2, 4)
	SMULL(3, 3, 5)
	SMLAL2(2, 2, 4)
	SMLAL2(3, 3, 5)
	UADALP(4, 0)
	UADALP(5, 1)
	SUBS   $16, R1, R1
	BHS    loop16

reduce:
	VADD V1.D2, V0.D2, V0.D2
	VMOV V0.D[0], R2
	VMOV V0.D[1], R3
	ADD  R3, R2, R2
	ADDS $16, R1, R1
	BEQ  done

single:
	MOVH.P 2(R0), R3
	MUL    R3, R3, R3
	ADD    R3, R2, R2
	SUBS   $1, R1, R1
	BNE    single

done:
	MOVD R2, ret+24(FP)
	RET
