package pcm

import "math"

func peakTotalGeneric(total []int32) uint32 {
	var peak uint32
	for _, v := range total {
		peak = max(peak, uint32(max(v, -v))) // -v of the least one is itself: 2³¹
	}
	return peak
}

// rampGeneric has conversions where they keep the compiler from fusing two operations.
func rampGeneric(dst []int16, total []int32, from, step float32) {
	total = total[:len(dst)]
	for i := range dst {
		gain := from + float32(float32(i)*step)
		v := min(max(float32(float32(total[i])*gain), math.MinInt16), math.MaxInt16)
		dst[i] = int16(math.RoundToEven(float64(v)))
	}
}
