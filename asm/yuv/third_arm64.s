//go:build !purego

#include "textflag.h"

// SQRDMULH Vm.H8, Vn.H8, Vd.H8
#define SQRDMULH(m, n, d) WORD $(0x6E60B400 | m<<16 | n<<5 | d)

// Adds 16 times 3 samples to the words of V16 and V17.
#define ADD3 \
	VLD3    (R5), [V0.B16, V1.B16, V2.B16] \
	VUADDW  V0.B8, V16.H8, V16.H8          \
	VUADDW2 V0.B16, V17.H8, V17.H8         \
	VUADDW  V1.B8, V16.H8, V16.H8          \
	VUADDW2 V1.B16, V17.H8, V17.H8         \
	VUADDW  V2.B8, V16.H8, V16.H8          \
	VUADDW2 V2.B16, V17.H8, V17.H8

// func thirdNEON(dst, src *byte, stride, n int)
//
// dst[x] is the mean of 3×3 samples. n ≥ 16; the last block of 16 overlaps the one before
// if n wants it.
//
//	R0 dst    R1 src    R2 stride    R3 the last output to start a block from    R4 output
//	R5 samples          R6 3         V0-V2 samples          V16, V17 sums
//	V18 words of 3641, by which SQRDMULH divides by 9 and rounds, up to 9·255
TEXT ·thirdNEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD stride+16(FP), R2
	MOVD n+24(FP), R3
	SUB  $16, R3, R3
	MOVD ZR, R4
	MOVD $3, R6
	MOVD $3641, R5
	VDUP R5, V18.H8

loop:
	VEOR  V16.B16, V16.B16, V16.B16
	VEOR  V17.B16, V17.B16, V17.B16
	MADD  R6, R1, R4, R5
	ADD3
	ADD   R2, R5, R5
	ADD3
	ADD   R2, R5, R5
	ADD3
	SQRDMULH(18, 16, 16)
	SQRDMULH(18, 17, 17)
	VUZP1 V17.B16, V16.B16, V0.B16
	ADD   R4, R0, R5
	VST1  [V0.B16], (R5)
	CMP   R3, R4
	BEQ   done
	ADD   $16, R4, R4
	CMP   R3, R4
	CSEL  GT, R3, R4, R4
	B     loop

done:
	RET
