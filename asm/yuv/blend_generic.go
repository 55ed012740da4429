package yuv

// blendGeneric draws a colour over a row. t + t>>8 before the last shift makes the division
// by 256 one by 255, exactly.
func blendGeneric(dst, alpha []byte, colour byte) {
	alpha = alpha[:len(dst)]
	for i, d := range dst {
		a := int(alpha[i])
		t := int(d)*(255-a) + int(colour)*a + 128
		dst[i] = byte((t + t>>8) >> 8)
	}
}
