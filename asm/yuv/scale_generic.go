package yuv

// verticalGeneric makes one row of the weighted sum of count source rows:
// mid[x] = (Σ weight[k]·src[k·stride+x] + 64) >> 7, at most 255·128.
func verticalGeneric(mid []int16, src []byte, stride int, weight []int16, count int) {
	for x := range mid {
		acc := int32(64)
		for k, w := range weight[:count] {
			acc += int32(w) * int32(src[k*stride+x])
		}
		mid[x] = int16(acc >> 7)
	}
}

// horizontalGeneric makes an output row of an intermediate one.
func horizontalGeneric(dst []byte, mid []int16, a *axis) {
	for o := range dst {
		acc := int32(1 << 20)
		weight := a.weight[a.offset[o]:][:a.count[o]]
		for k, v := range mid[a.first[o]:][:a.count[o]] {
			acc += int32(weight[k]) * int32(v)
		}
		dst[o] = byte(acc >> 21)
	}
}

// halfGeneric makes an output row of the means of 2×2 samples, rounded half up. This is
// what the general formula comes to, and so is quarterGeneric: their weights are powers of
// two, with which no intermediate result is rounded.
func halfGeneric(dst, src []byte, stride int) {
	a, b := src[:2*len(dst)], src[stride:][:2*len(dst)]
	for o := range dst {
		sum := int(a[2*o]) + int(a[2*o+1]) + int(b[2*o]) + int(b[2*o+1])
		dst[o] = byte((sum + 2) >> 2)
	}
}

// quarterGeneric is halfGeneric for 4×4 samples.
func quarterGeneric(dst, src []byte, stride int) {
	for o := range dst {
		sum := 8
		for y := range 4 {
			s := src[y*stride+4*o:][:4]
			sum += int(s[0]) + int(s[1]) + int(s[2]) + int(s[3])
		}
		dst[o] = byte(sum >> 4)
	}
}

// thirdGeneric makes an output row of the means of 3×3 samples, rounded to nearest.
func thirdGeneric(dst, src []byte, stride int) {
	for o := range dst {
		sum := 4
		for y := range 3 {
			s := src[y*stride+3*o:][:3]
			sum += int(s[0]) + int(s[1]) + int(s[2])
		}
		dst[o] = byte(sum / 9)
	}
}
