package compose

import "testing"

// BenchmarkDraw is a tick in which every camera has a new picture, and one in which the
// places change, too.
func BenchmarkDraw(b *testing.B) {
	for _, l := range Layouts {
		for _, names := range []bool{false, true} {
			for _, switches := range []bool{false, true} {
				what := string(l)
				if names {
					what += "/names"
				}
				if switches {
					what += "/switch"
				}
				b.Run(what, func(b *testing.B) { benchmarkDraw(b, l, names, switches) })
			}
		}
	}
}

func benchmarkDraw(b *testing.B, l Layout, names, switches bool) {
	img := noise(640, 360, 1)
	c := NewCanvas(1280, 720)
	places := make([]Place, 9)
	for i, r := range l.Cells(9, 1280, 720, 0) {
		places[i] = Place{"participant-" + string(rune('0'+i)), r}
	}
	style := Style{Names: names}
	c.Arrange(style, places)
	seq := uint64(0)
	for b.Loop() {
		if switches {
			places[0].Name, places[1].Name = places[1].Name, places[0].Name
			c.Arrange(style, places)
		}
		seq++
		for _, cell := range c.Cells() {
			cell.DrawPicture(img, seq)
		}
		c.Settle()
	}
}
