package pcm

import "math"

func sat16(v int32) int16 { return int16(min(max(v, math.MinInt16), math.MaxInt16)) }

func sumGeneric(total []int32, srcs [][]int16) {
	clear(total)
	for _, s := range srcs {
		s = s[:len(total)]
		for i := range total {
			total[i] += int32(s[i])
		}
	}
}

func mixMinusGeneric(dst, total []int32, own []int16) {
	total, own = total[:len(dst)], own[:len(dst)]
	for i := range dst {
		dst[i] = total[i] - int32(own[i])
	}
}

func saturateGeneric(dst []int16, total []int32) {
	total = total[:len(dst)]
	for i := range dst {
		dst[i] = sat16(total[i])
	}
}
