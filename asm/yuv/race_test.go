package yuv

import (
	"slices"
	"testing"

	"sectile/asm/internal/kerneltest"
)

// picture returns the accesses to one picture of a kernel that run calls: samples at the
// corners of all planes, and what lies between their rows.
func picture(what string, written bool, w, h int, run func(*Image)) []kerneltest.Access {
	return kerneltest.Accesses(what, written, func() (kernel func(), inside, outside []*byte) {
		m := NewImage(w, h)
		planes(m, func(_ string, p []byte, stride, w, h int) {
			last := (h-1)*stride + w - 1
			inside = append(inside, &p[0], &p[w-1], &p[last])
			outside = append(outside, &p[w], &p[stride-1], &p[last-w])
		})
		return func() { run(m) }, inside, outside
	})
}

func TestRaces(t *testing.T) {
	const w, h = 90, 10
	var all []kerneltest.Access
	// One for each way of scaling: in pairs, by dot products, and by exact factors.
	for _, s := range [][2]int{{97, 12}, {397, 12}, {w, h}, {2 * w, 2 * h}, {3 * w, 3 * h}, {4 * w, 4 * h}} {
		scaler := NewScaler(s[0], s[1], w, h)
		prefix := "Scale/" + name([4]int{s[0], s[1], w, h})
		all = slices.Concat(all,
			picture(prefix+"/dst", true, w, h, func(m *Image) { scaler.Scale(m, NewImage(s[0], s[1])) }),
			picture(prefix+"/src", false, s[0], s[1], func(m *Image) { scaler.Scale(NewImage(w, h), m) }))
	}
	mask := make([]byte, w*h)
	label := NewAlpha(mask, w, w, h)
	all = slices.Concat(all,
		picture("Copy/dst", true, w, h, func(m *Image) { Copy(m, NewImage(w, h)) }),
		picture("Copy/src", false, w, h, func(m *Image) { Copy(NewImage(w, h), m) }),
		picture("Fill", true, w, h, func(m *Image) { Fill(m, 1, 2, 3) }),
		picture("Blend/dst", true, w, h, func(m *Image) { Blend(m, label, 1, 2, 3) }),
		kerneltest.Accesses("Blend/label", false, func() (kernel func(), inside, outside []*byte) {
			label := NewAlpha(mask, w, w, h)
			for _, shape := range [][]byte{label.y, label.c} {
				inside = append(inside, &shape[0], &shape[len(shape)/2], &shape[len(shape)-1])
			}
			return func() { Blend(NewImage(w, h), label, 1, 2, 3) }, inside, nil
		}),
		picture("SameBlocks/a", false, w, h, func(m *Image) { SameBlocks(make([]byte, 6), 6, m, NewImage(w, h)) }),
		picture("SameBlocks/b", false, w, h, func(m *Image) { SameBlocks(make([]byte, 6), 6, NewImage(w, h), m) }),
		kerneltest.Accesses("SameBlocks/same", true, func() (kernel func(), inside, outside []*byte) {
			same := make([]byte, 10)
			a := NewImage(w, h)
			return func() { SameBlocks(same[:6], 6, a, a) }, []*byte{&same[0], &same[5]}, []*byte{&same[6], &same[9]}
		}))
	kerneltest.Races(t, all)
}
