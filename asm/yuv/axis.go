package yuv

// weightOne is the sum of the weights of each output sample: 14 bits of fraction, so that
// a weight of one is still a signed word.
const weightOne = 1 << 14

// axis says how one dimension is scaled: output o is made of the count[o] source samples
// that start at first[o], with the weights from weight[offset[o]] on. Weights are at least
// 0 and sum up to weightOne. Those of an output are padded with a zero to an even number,
// which is what kernels work with.
type axis struct {
	first, count, offset []int32
	weight               []int16
	taps                 int // the largest count
}

func newAxis(src, dst int) *axis {
	a := &axis{
		first:  make([]int32, dst),
		count:  make([]int32, dst),
		offset: make([]int32, dst),
	}
	if dst < src {
		a.area(src, dst)
	} else {
		a.linear(src, dst)
	}
	return a
}

// add appends a source sample to output o.
func (a *axis) add(o int, w int16) {
	a.weight = append(a.weight, w)
	a.count[o]++
	a.taps = max(a.taps, int(a.count[o]))
}

func (a *axis) pad() {
	if len(a.weight)&1 != 0 {
		a.weight = append(a.weight, 0)
	}
}

// area gives each output the mean of the stretch of source it covers. In units of 1/dst
// source samples, output o covers [o·src, (o+1)·src) and source sample i is
// [i·dst, (i+1)·dst), so all is exact but the weights themselves. Not they are rounded but
// their running sums: no sum of them is then off by more than half a unit.
func (a *axis) area(src, dst int) {
	for o := range dst {
		begin, end := o*src, (o+1)*src
		first := begin / dst
		a.first[o], a.offset[o] = int32(first), int32(len(a.weight))
		sum := 0
		for i := first; i*dst < end; i++ {
			covered := min((i+1)*dst, end) - begin
			next := (2*covered*weightOne + src) / (2 * src)
			a.add(o, int16(next-sum))
			sum = next
		}
		a.pad()
	}
}

// linear interpolates between the two source samples nearest to the centre of each output,
// which is ((2o+1)·src - dst) / 2dst. Beyond the outermost centres the edge repeats.
func (a *axis) linear(src, dst int) {
	for o := range dst {
		at := max((2*o+1)*src-dst, 0)
		first, rest := at/(2*dst), at%(2*dst)
		w := (2*rest*weightOne + 2*dst) / (4 * dst)
		if first >= src-1 {
			first, w = src-1, 0
		}
		a.first[o], a.offset[o] = int32(first), int32(len(a.weight))
		a.add(o, int16(weightOne-w))
		if w != 0 {
			a.add(o, int16(w))
		}
		a.pad()
	}
}

// firstOf and weightOf read an axis that goes on with zero weights behind its end.
func firstOf(a *axis, o int) int32 { return a.first[min(o, len(a.first)-1)] }

func weightOf(a *axis, o, k int) int16 {
	if o >= len(a.first) || k >= int(a.count[o]) {
		return 0
	}
	return a.weight[int(a.offset[o])+k]
}
