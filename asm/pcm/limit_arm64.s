//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// func peakTotalNEON(total []int32) uint32
//
// ABS leaves the least doubleword as it is, which unsigned is its magnitude.
//
//	R0 total    R1 samples left    R2 result    V0, V1 maxima
TEXT ·peakTotalNEON(SB), NOSPLIT, $0-28
	MOVD total_base+0(FP), R0
	MOVD total_len+8(FP), R1
	MOVD ZR, R2
	CMP  $8, R1
	BLO  tail
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	SUB  $8, R1, R1

loop8:
	VLD1.P 32(R0), [V2.S4, V3.S4]
	ABS4(2, 2)
	ABS4(3, 3)
	VUMAX  V2.S4, V0.S4, V0.S4
	VUMAX  V3.S4, V1.S4, V1.S4
	SUBS   $8, R1, R1
	BHS    loop8

	// R1 is the number of samples left, less 8. The last block of 8 ends with the last
	// sample and overlaps the one before: a maximum does not mind.
	ADD   R1<<2, R0, R0
	VLD1  (R0), [V2.S4, V3.S4]
	ABS4(2, 2)
	ABS4(3, 3)
	VUMAX V2.S4, V0.S4, V0.S4
	VUMAX V3.S4, V1.S4, V1.S4
	VUMAX V1.S4, V0.S4, V0.S4
	UMAXV4(0, 0)
	VMOV  V0.S[0], R2
	B     done

tail:
	CBZ R1, done

single:
	MOVW.P 4(R0), R3
	CMPW   $0, R3
	CNEGW  LT, R3, R3
	CMPW   R2, R3
	CSELW  HI, R3, R2, R2
	SUBS   $1, R1, R1
	BNE    single

done:
	MOVW R2, ret+24(FP)
	RET

DATA rampIndex<>+0(SB)/4, $(0.0)
DATA rampIndex<>+4(SB)/4, $(1.0)
DATA rampIndex<>+8(SB)/4, $(2.0)
DATA rampIndex<>+12(SB)/4, $(3.0)
GLOBL rampIndex<>(SB), RODATA|NOPTR, $16

// Four samples of V[r] under the gains of the next four indices. The conversion saturates.
#define RAMP4(r, tmp) \
	FMUL4(30, 29, tmp)  \
	FADD4(28, 29, 29)   \
	FADD4(31, tmp, tmp) \
	SCVTF4(r, r)        \
	FMUL4(tmp, r, r)    \
	FCVTNS4(r, r)

// func rampNEON(dst []int16, total []int32, from, step float32)
//
//	R0 dst    R1 samples left    R2 total
//	V31 from    V30 step    V29 indices    V28 fours    F27 one
TEXT ·rampNEON(SB), NOSPLIT, $0-56
	MOVD  dst_base+0(FP), R0
	MOVD  dst_len+8(FP), R1
	MOVD  total_base+24(FP), R2
	FMOVS from+48(FP), F31
	VDUP  V31.S[0], V31.S4
	FMOVS step+52(FP), F30
	VDUP  V30.S[0], V30.S4
	MOVD  $rampIndex<>(SB), R3
	VLD1  (R3), [V29.S4]
	FMOVS $4.0, F28
	VDUP  V28.S[0], V28.S4
	FMOVS $1.0, F27
	SUBS  $16, R1, R1
	BLO   tail

loop16:
	VLD1.P 64(R2), [V0.S4, V1.S4, V2.S4, V3.S4]
	RAMP4(0, 4)
	RAMP4(1, 5)
	RAMP4(2, 6)
	RAMP4(3, 7)
	SQXTN(0, 16)
	SQXTN2(1, 16)
	SQXTN(2, 17)
	SQXTN2(3, 17)
	VST1.P [V16.H8, V17.H8], 32(R0)
	SUBS   $16, R1, R1
	BHS    loop16

	// R1 is the number of samples left, less 16.
tail:
	ADDS $16, R1, R1
	BEQ  done

single:
	FMOVS.P 4(R2), F0
	SCVTF1(0, 0)
	FMULS   F30, F29, F4
	FADDS   F27, F29, F29
	FADDS   F31, F4, F4
	FMULS   F4, F0, F0
	FCVTNS1(0, 0)
	SQXTN1(0, 0)
	VST1.P  V0.H[0], 2(R0)
	SUBS    $1, R1, R1
	BNE     single

done:
	RET
