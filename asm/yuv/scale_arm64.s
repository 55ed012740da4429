//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

#define ZERO(v) VEOR v.B16, v.B16, v.B16

// func verticalNEON(mid *int16, src *byte, stride int, weight *int16, count, n int)
//
// mid[x] = (Σ weight[k]·src[k·stride+x] + 64) >> 7, 32 columns at once. n ≥ 32; the last
// block overlaps the one before if n wants it.
//
//	R0 mid     R1 src     R2 stride    R3 weight    R4 count
//	R5 the last column to start a block from        R6 column
//	R7 next weight        R8 rows left              R9 a row    R10 where its block goes
//	V0-V5 samples         V6 words of the weight    V16-V23 sums
TEXT ·verticalNEON(SB), NOSPLIT, $0-48
	MOVD mid+0(FP), R0
	MOVD src+8(FP), R1
	MOVD stride+16(FP), R2
	MOVD weight+24(FP), R3
	MOVD count+32(FP), R4
	MOVD n+40(FP), R5
	SUB  $32, R5, R5
	MOVD ZR, R6

columns:
	ZERO(V16)
	ZERO(V17)
	ZERO(V18)
	ZERO(V19)
	ZERO(V20)
	ZERO(V21)
	ZERO(V22)
	ZERO(V23)
	MOVD R3, R7
	MOVD R4, R8
	ADD  R6, R1, R9

rows:
	VLD1R.P 2(R7), [V6.H8]
	VLD1    (R9), [V0.B16, V1.B16]
	VUXTL   V0.B8, V2.H8
	VUXTL2  V0.B16, V3.H8
	VUXTL   V1.B8, V4.H8
	VUXTL2  V1.B16, V5.H8
	SMLAL(6, 2, 16)
	SMLAL2(6, 2, 17)
	SMLAL(6, 3, 18)
	SMLAL2(6, 3, 19)
	SMLAL(6, 4, 20)
	SMLAL2(6, 4, 21)
	SMLAL(6, 5, 22)
	SMLAL2(6, 5, 23)
	ADD     R2, R9, R9
	SUBS    $1, R8, R8
	BNE     rows

	RSHRN7(16, 0)
	RSHRN7_2(17, 0)
	RSHRN7(18, 1)
	RSHRN7_2(19, 1)
	RSHRN7(20, 2)
	RSHRN7_2(21, 2)
	RSHRN7(22, 3)
	RSHRN7_2(23, 3)
	ADD  R6<<1, R0, R10
	VST1 [V0.H8, V1.H8, V2.H8, V3.H8], (R10)
	CMP  R5, R6
	BEQ  done
	ADD  $32, R6, R6
	CMP  R5, R6
	CSEL GT, R5, R6, R6
	B    columns

done:
	RET

// Stores 16 outputs of their sums in V16, V18, V20 and V22.
#define STORE16 \
	URSHR21(16, 16)                    \
	URSHR21(18, 18)                    \
	URSHR21(20, 20)                    \
	URSHR21(22, 22)                    \
	VUZP1  V18.H8, V16.H8, V16.H8      \
	VUZP1  V22.H8, V20.H8, V20.H8      \
	VUZP1  V20.B16, V16.B16, V16.B16   \
	VST1.P [V16.B16], 16(R0)

// func pairsNEON(dst *byte, mid *int16, first *int32, mask *byte, weight *int16, steps, groups int)
//
// 16 outputs a group, see tables. Reads 8 elements of mid from each of the starts in first
// plus 2·(steps-1).
//
//	R0 dst    R1 mid    R2 first    R3 mask    R4 weight    R5 steps    R6 groups left
//	R7-R10 samples of each 4 outputs           R11 steps left           R12 bytes of a pair
//	V0-V3 samples    V4-V7 weights    V16-V23 sums, two registers for 4 outputs
//	V24-V27 masks
TEXT ·pairsNEON(SB), NOSPLIT, $0-56
	MOVD dst+0(FP), R0
	MOVD mid+8(FP), R1
	MOVD first+16(FP), R2
	MOVD mask+24(FP), R3
	MOVD weight+32(FP), R4
	MOVD steps+40(FP), R5
	MOVD groups+48(FP), R6
	MOVD $4, R12

group:
	MOVWU.P 4(R2), R7
	MOVWU.P 4(R2), R8
	MOVWU.P 4(R2), R9
	MOVWU.P 4(R2), R10
	ADD     R7<<1, R1, R7
	ADD     R8<<1, R1, R8
	ADD     R9<<1, R1, R9
	ADD     R10<<1, R1, R10
	VLD1.P  64(R3), [V24.B16, V25.B16, V26.B16, V27.B16]
	ZERO(V16)
	ZERO(V17)
	ZERO(V18)
	ZERO(V19)
	ZERO(V20)
	ZERO(V21)
	ZERO(V22)
	ZERO(V23)
	MOVD    R5, R11

step:
	VLD1.P (R7)(R12), [V0.B16]
	VLD1.P (R8)(R12), [V1.B16]
	VLD1.P (R9)(R12), [V2.B16]
	VLD1.P (R10)(R12), [V3.B16]
	VLD1.P 64(R4), [V4.H8, V5.H8, V6.H8, V7.H8]
	VTBL   V24.B16, [V0.B16], V0.B16
	VTBL   V25.B16, [V1.B16], V1.B16
	VTBL   V26.B16, [V2.B16], V2.B16
	VTBL   V27.B16, [V3.B16], V3.B16
	SMLAL(4, 0, 16)
	SMLAL2(4, 0, 17)
	SMLAL(5, 1, 18)
	SMLAL2(5, 1, 19)
	SMLAL(6, 2, 20)
	SMLAL2(6, 2, 21)
	SMLAL(7, 3, 22)
	SMLAL2(7, 3, 23)
	SUBS   $1, R11, R11
	BNE    step

	VADDP V17.S4, V16.S4, V16.S4
	VADDP V19.S4, V18.S4, V18.S4
	VADDP V21.S4, V20.S4, V20.S4
	VADDP V23.S4, V22.S4, V22.S4
	STORE16
	SUBS  $1, R6, R6
	BNE   group
	RET

// Adds up 4 outputs to v, 8 products of each a step.
#define DOTS4(loop, v) \
	MOVWU.P 4(R2), R7            \
	MOVWU.P 4(R2), R8            \
	MOVWU.P 4(R2), R9            \
	MOVWU.P 4(R2), R10           \
	ADD     R7<<1, R1, R7        \
	ADD     R8<<1, R1, R8        \
	ADD     R9<<1, R1, R9        \
	ADD     R10<<1, R1, R10      \
	ZERO(V24)                    \
	ZERO(V25)                    \
	ZERO(V26)                    \
	ZERO(V27)                    \
	ZERO(V28)                    \
	ZERO(V29)                    \
	ZERO(V30)                    \
	ZERO(V31)                    \
	MOVD    R5, R11              \
loop:                                \
	VLD1.P  16(R7), [V0.H8]      \
	VLD1.P  16(R8), [V1.H8]      \
	VLD1.P  16(R9), [V2.H8]      \
	VLD1.P  16(R10), [V3.H8]     \
	VLD1.P  64(R4), [V4.H8, V5.H8, V6.H8, V7.H8] \
	SMLAL(4, 0, 24)              \
	SMLAL2(4, 0, 25)             \
	SMLAL(5, 1, 26)              \
	SMLAL2(5, 1, 27)             \
	SMLAL(6, 2, 28)              \
	SMLAL2(6, 2, 29)             \
	SMLAL(7, 3, 30)              \
	SMLAL2(7, 3, 31)             \
	SUBS    $1, R11, R11         \
	BNE     loop                 \
	VADD    V25.S4, V24.S4, V24.S4  \
	VADD    V27.S4, V26.S4, V26.S4  \
	VADD    V29.S4, V28.S4, V28.S4  \
	VADD    V31.S4, V30.S4, V30.S4  \
	VADDP   V26.S4, V24.S4, V24.S4  \
	VADDP   V30.S4, V28.S4, V28.S4  \
	VADDP   V28.S4, V24.S4, v.S4

// func dotsNEON(dst *byte, mid *int16, first *int32, weight *int16, steps, groups int)
//
// 16 outputs a group, see tables, 4 at once. Reads 8·steps elements of mid from each of the
// starts in first.
//
//	R0 dst    R1 mid    R2 first    R4 weight    R5 steps    R6 groups left
//	R7-R10 samples of the 4 outputs              R11 steps left
//	V0-V3 samples    V4-V7 weights    V24-V31 sums, two registers an output
//	V16, V18, V20, V22 sums of 4 outputs each
TEXT ·dotsNEON(SB), NOSPLIT, $0-48
	MOVD dst+0(FP), R0
	MOVD mid+8(FP), R1
	MOVD first+16(FP), R2
	MOVD weight+24(FP), R4
	MOVD steps+32(FP), R5
	MOVD groups+40(FP), R6

group:
	DOTS4(step0, V16)
	DOTS4(step4, V18)
	DOTS4(step8, V20)
	DOTS4(step12, V22)
	STORE16
	SUBS $1, R6, R6
	BNE  group
	RET

// func halfNEON(dst, src *byte, stride, n int)
//
// dst[x] is the mean of 2×2 samples. n ≥ 16; the last block of 16 overlaps the one before
// if n wants it.
//
//	R0 dst    R1, R2 two rows    R3 the last output to start a block from    R4 output
//	R5, R6 addresses             V0-V3 samples    V16, V17 sums
TEXT ·halfNEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD stride+16(FP), R2
	MOVD n+24(FP), R3
	ADD  R1, R2, R2
	SUB  $16, R3, R3
	MOVD ZR, R4

loop:
	ADD  R4<<1, R1, R5
	ADD  R4<<1, R2, R6
	VLD1 (R5), [V0.B16, V1.B16]
	VLD1 (R6), [V2.B16, V3.B16]
	UADDLP(0, 16)
	UADDLP(1, 17)
	UADALP(2, 16)
	UADALP(3, 17)
	RSHRN2(16, 0)
	RSHRN2_2(17, 0)
	ADD  R4, R0, R5
	VST1 [V0.B16], (R5)
	CMP  R3, R4
	BEQ  done
	ADD  $16, R4, R4
	CMP  R3, R4
	CSEL GT, R3, R4, R4
	B    loop

done:
	RET

// func quarterNEON(dst, src *byte, stride, n int)
//
// dst[x] is the mean of 4×4 samples. n ≥ 16; the last block of 16 overlaps the one before
// if n wants it.
//
//	R0 dst    R1 src    R2 stride    R3 the last output to start a block from    R4 output
//	R5 address          V0-V3 samples of a row    V16-V19 sums
TEXT ·quarterNEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD stride+16(FP), R2
	MOVD n+24(FP), R3
	SUB  $16, R3, R3
	MOVD ZR, R4

loop:
	ADD    R4<<2, R1, R5
	VLD1.P (R5)(R2), [V0.B16, V1.B16, V2.B16, V3.B16]
	UADDLP(0, 16)
	UADDLP(1, 17)
	UADDLP(2, 18)
	UADDLP(3, 19)
	VLD1.P (R5)(R2), [V0.B16, V1.B16, V2.B16, V3.B16]
	UADALP(0, 16)
	UADALP(1, 17)
	UADALP(2, 18)
	UADALP(3, 19)
	VLD1.P (R5)(R2), [V0.B16, V1.B16, V2.B16, V3.B16]
	UADALP(0, 16)
	UADALP(1, 17)
	UADALP(2, 18)
	UADALP(3, 19)
	VLD1   (R5), [V0.B16, V1.B16, V2.B16, V3.B16]
	UADALP(0, 16)
	UADALP(1, 17)
	UADALP(2, 18)
	UADALP(3, 19)
	VADDP  V17.H8, V16.H8, V16.H8
	VADDP  V19.H8, V18.H8, V18.H8
	RSHRN4(16, 0)
	RSHRN4_2(18, 0)
	ADD    R4, R0, R5
	VST1   [V0.B16], (R5)
	CMP    R3, R4
	BEQ    done
	ADD    $16, R4, R4
	CMP    R3, R4
	CSEL   GT, R3, R4, R4
	B      loop

done:
	RET
