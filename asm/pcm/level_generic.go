package pcm

// scaleGeneric computes in int32: 32768·GainMax + 2048 fits.
func scaleGeneric(dst, src []int16, gain int32) {
	src = src[:len(dst)]
	for i := range dst {
		dst[i] = sat16((int32(src[i])*gain + 2048) >> 12)
	}
}

func peakGeneric(src []int16) int {
	var lo, hi int16
	for _, v := range src {
		lo, hi = min(lo, v), max(hi, v)
	}
	return max(-int(lo), int(hi))
}

func energyGeneric(src []int16) uint64 {
	var e uint64
	for _, v := range src {
		e += uint64(int64(v) * int64(v))
	}
	return e
}
