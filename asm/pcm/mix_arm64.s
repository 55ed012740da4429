//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// func sumNEON(total []int32, srcs [][]int16, offset int)
//
// total[i] = Σ srcs[k][offset+i]
//
//	R0 total     R1 its length     R2 index of the block
//	R3 srcs      R4 their number   R5 2·offset
//	R6 header of the next input    R7 inputs left    R8 its samples
//	V0-V7 samples                  V16-V31 sums
TEXT ·sumNEON(SB), NOSPLIT, $0-56
	MOVD total_base+0(FP), R0
	MOVD total_len+8(FP), R1
	MOVD srcs_base+24(FP), R3
	MOVD srcs_len+32(FP), R4
	MOVD offset+48(FP), R5
	LSL  $1, R5, R5
	MOVD ZR, R2

block64:
	ADD  $64, R2, R9
	CMP  R1, R9
	BHI  block16
	VEOR V16.B16, V16.B16, V16.B16
	VEOR V17.B16, V17.B16, V17.B16
	VEOR V18.B16, V18.B16, V18.B16
	VEOR V19.B16, V19.B16, V19.B16
	VEOR V20.B16, V20.B16, V20.B16
	VEOR V21.B16, V21.B16, V21.B16
	VEOR V22.B16, V22.B16, V22.B16
	VEOR V23.B16, V23.B16, V23.B16
	VEOR V24.B16, V24.B16, V24.B16
	VEOR V25.B16, V25.B16, V25.B16
	VEOR V26.B16, V26.B16, V26.B16
	VEOR V27.B16, V27.B16, V27.B16
	VEOR V28.B16, V28.B16, V28.B16
	VEOR V29.B16, V29.B16, V29.B16
	VEOR V30.B16, V30.B16, V30.B16
	VEOR V31.B16, V31.B16, V31.B16
	MOVD R3, R6
	MOVD R4, R7
	CBZ  R7, store64

input64:
	MOVD   (R6), R8
	ADD    R5, R8, R8
	VLD1.P 64(R8), [V0.H8, V1.H8, V2.H8, V3.H8]
	VLD1   (R8), [V4.H8, V5.H8, V6.H8, V7.H8]
	SADDW(0, 16, 16)
	SADDW2(0, 17, 17)
	SADDW(1, 18, 18)
	SADDW2(1, 19, 19)
	SADDW(2, 20, 20)
	SADDW2(2, 21, 21)
	SADDW(3, 22, 22)
	SADDW2(3, 23, 23)
	SADDW(4, 24, 24)
	SADDW2(4, 25, 25)
	SADDW(5, 26, 26)
	SADDW2(5, 27, 27)
	SADDW(6, 28, 28)
	SADDW2(6, 29, 29)
	SADDW(7, 30, 30)
	SADDW2(7, 31, 31)
	ADD    $24, R6, R6
	SUBS   $1, R7, R7
	BNE    input64

store64:
	VST1.P [V16.S4, V17.S4, V18.S4, V19.S4], 64(R0)
	VST1.P [V20.S4, V21.S4, V22.S4, V23.S4], 64(R0)
	VST1.P [V24.S4, V25.S4, V26.S4, V27.S4], 64(R0)
	VST1.P [V28.S4, V29.S4, V30.S4, V31.S4], 64(R0)
	ADD    $64, R2, R2
	ADD    $128, R5, R5
	B      block64

	// The last block of 16 overlaps the one before if the length wants it: the sums are
	// the same again.
block16:
	CMP  R1, R2
	BEQ  done
	CMP  $16, R1
	BLO  single
	ADD  $16, R2, R9
	SUBS R1, R9, R9
	BLS  sum16
	SUB  R9, R2, R2
	SUB  R9<<1, R5, R5
	SUB  R9<<2, R0, R0

sum16:
	VEOR V16.B16, V16.B16, V16.B16
	VEOR V17.B16, V17.B16, V17.B16
	VEOR V18.B16, V18.B16, V18.B16
	VEOR V19.B16, V19.B16, V19.B16
	MOVD R3, R6
	MOVD R4, R7
	CBZ  R7, store16

input16:
	MOVD (R6), R8
	ADD  R5, R8, R8
	VLD1 (R8), [V0.H8, V1.H8]
	SADDW(0, 16, 16)
	SADDW2(0, 17, 17)
	SADDW(1, 18, 18)
	SADDW2(1, 19, 19)
	ADD  $24, R6, R6
	SUBS $1, R7, R7
	BNE  input16

store16:
	VST1.P [V16.S4, V17.S4, V18.S4, V19.S4], 64(R0)
	ADD    $16, R2, R2
	ADD    $32, R5, R5
	B      block16

	// Fewer than 16 samples in all.
single:
	MOVD ZR, R9
	MOVD R3, R6
	MOVD R4, R7
	CBZ  R7, singleStore

single1:
	MOVD (R6), R8
	MOVH (R8)(R5), R10
	ADDW R10, R9, R9
	ADD  $24, R6, R6
	SUBS $1, R7, R7
	BNE  single1

singleStore:
	MOVW.P R9, 4(R0)
	ADD    $1, R2, R2
	ADD    $2, R5, R5
	CMP    R1, R2
	BLO    single

done:
	RET

// func mixMinusNEON(dst, total []int32, own []int16)
//
//	R0 dst    R1 samples left    R2 total    R3 own
TEXT ·mixMinusNEON(SB), NOSPLIT, $0-72
	MOVD dst_base+0(FP), R0
	MOVD dst_len+8(FP), R1
	MOVD total_base+24(FP), R2
	MOVD own_base+48(FP), R3
	SUBS $16, R1, R1
	BLO  tail

loop16:
	VLD1.P 64(R2), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 32(R3), [V4.H8, V5.H8]
	SSUBW(4, 0, 0)
	SSUBW2(4, 1, 1)
	SSUBW(5, 2, 2)
	SSUBW2(5, 3, 3)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	SUBS   $16, R1, R1
	BHS    loop16

	// R1 is the number of samples left, less 16.
tail:
	ADDS $16, R1, R1
	BEQ  done

single:
	MOVW.P 4(R2), R4
	MOVH.P 2(R3), R5
	SUBW   R5, R4, R4
	MOVW.P R4, 4(R0)
	SUBS   $1, R1, R1
	BNE    single

done:
	RET

// func saturateNEON(dst []int16, total []int32)
//
//	R0 dst    R1 samples left    R2 total
TEXT ·saturateNEON(SB), NOSPLIT, $0-48
	MOVD dst_base+0(FP), R0
	MOVD dst_len+8(FP), R1
	MOVD total_base+24(FP), R2
	SUBS $16, R1, R1
	BLO  tail

loop16:
	VLD1.P 64(R2), [V0.S4, V1.S4, V2.S4, V3.S4]
	SQXTN(0, 6)
	SQXTN2(1, 6)
	SQXTN(2, 7)
	SQXTN2(3, 7)
	VST1.P [V6.H8, V7.H8], 32(R0)
	SUBS   $16, R1, R1
	BHS    loop16

	// R1 is the number of samples left, less 16.
tail:
	ADDS $16, R1, R1
	BEQ  done

single:
	FMOVS.P 4(R2), F0
	SQXTN1(0, 0)
	VST1.P  V0.H[0], 2(R0)
	SUBS    $1, R1, R1
	BNE     single

done:
	RET
