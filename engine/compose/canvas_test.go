package compose

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sectile/asm/yuv"
)

var background = rgb(DefaultStyle.Background)

// plain returns a canvas that writes no names over pictures.
func plain(w, h int) *Canvas {
	c := NewCanvas(w, h)
	c.Arrange(Style{Background: DefaultStyle.Background}, nil)
	c.Settle()
	return c
}

// solid returns a picture of w×h in one colour.
func solid(w, h int, c colour) *yuv.Image {
	img := yuv.NewImage(w, h)
	yuv.Fill(img, c.y, c.u, c.v)
	return img
}

// noise returns a picture of w×h whose content depends on seed.
func noise(w, h int, seed uint64) *yuv.Image {
	img := yuv.NewImage(w, h)
	rng := rand.New(rand.NewPCG(seed, 1))
	for _, plane := range [][]byte{img.Y, img.U, img.V} {
		for i := range plane {
			plane[i] = byte(rng.Uint32())
		}
	}
	return img
}

// at returns the colour of one luma sample and its chroma.
func at(img *yuv.Image, x, y int) colour {
	return colour{img.Y[y*img.YStride+x], img.U[y/2*img.CStride+x/2], img.V[y/2*img.CStride+x/2]}
}

// checkRect fails if any sample of r is not c.
func checkRect(t *testing.T, what string, img *yuv.Image, r Rect, c colour) {
	t.Helper()
	for y := r.Y; y < r.Y+r.H; y++ {
		for x := r.X; x < r.X+r.W; x++ {
			if got := at(img, x, y); got != c {
				t.Fatalf("%s: %v at (%d,%d), want %v", what, got, x, y, c)
			}
		}
	}
}

// checkPicture fails unless cell shows c in pic and background in the rest of its rectangle.
func checkPicture(t *testing.T, what string, img *yuv.Image, cell, pic Rect, c colour) {
	t.Helper()
	checkRect(t, what+", picture", img, pic, c)
	checkRect(t, what+", above", img, Rect{cell.X, cell.Y, cell.W, pic.Y - cell.Y}, background)
	checkRect(t, what+", left", img, Rect{cell.X, cell.Y, pic.X - cell.X, cell.H}, background)
	below, right := pic.Y+pic.H, pic.X+pic.W
	checkRect(t, what+", below", img, Rect{cell.X, below, cell.W, cell.Y + cell.H - below}, background)
	checkRect(t, what+", right", img, Rect{right, cell.Y, cell.X + cell.W - right, cell.H}, background)
}

// drawCard draws the card of another name than that of the layout.
func drawCard(c *Cell, name string) bool {
	if c.name != name {
		c.name, c.title = name, label{}
		if c.shows == card {
			c.shows = nothing
		}
	}
	return c.DrawCard()
}

// names returns n different names.
func names(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("participant-%d", i)
	}
	return list
}

// same reports whether two canvases are equal to the byte, padding included.
func same(a, b *Canvas) bool {
	return bytes.Equal(a.img.Y, b.img.Y) && bytes.Equal(a.img.U, b.img.U) && bytes.Equal(a.img.V, b.img.V)
}

func TestNewCanvas(t *testing.T) {
	c := NewCanvas(64, 66)
	checkRect(t, "new canvas", c.Image(), Rect{0, 0, 64, 66}, background)
	if len(c.Cells()) != 0 {
		t.Errorf("new canvas has %d cells", len(c.Cells()))
	}
	for _, size := range [][2]int{{0, 64}, {64, -2}, {63, 64}, {64, 65}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("NewCanvas(%d, %d) does not panic", size[0], size[1])
				}
			}()
			NewCanvas(size[0], size[1])
		}()
	}
}

func TestEveryCellShowsItsOwn(t *testing.T) {
	for _, size := range [][2]int{{854, 480}, {360, 640}, {64, 64}} {
		for _, n := range []int{1, 2, 3, 4, 5, 9, 17, 100} {
			c := plain(size[0], size[1])
			c.Layout(names(n))
			colours := make([]colour, n)
			for i, cell := range c.Cells() {
				colours[i] = colour{byte(40 + i*2), byte(20 + i*2), byte(230 - i*2)}
				if !cell.DrawPicture(solid(320, 180, colours[i]), 1) {
					t.Fatalf("cell %d: no change reported", i)
				}
			}
			for i, cell := range c.Cells() {
				r := cell.Rect()
				what := fmt.Sprintf("%d cells in %d×%d, cell %d", n, size[0], size[1], i)
				checkPicture(t, what, c.Image(), r, fit(320, 180, r), colours[i])
			}
		}
	}
}

func TestPictureGeometry(t *testing.T) {
	c := plain(1280, 720)
	c.Layout(names(4))
	cell := c.Cells()[2]
	rng := rand.New(rand.NewPCG(1, 2))
	// One after the other in the same cell: nothing of the one before may stay.
	for i, size := range [][2]int{
		{64, 64}, {1920, 1088}, {640, 360}, {360, 640}, {641, 361}, {63, 47}, {1, 1}, {64, 64},
		{2048, 2}, {2, 2048}, {320, 180}, {1280, 720}, {640, 360}, {637, 360},
	} {
		col := colour{byte(30 + rng.IntN(200)), byte(rng.IntN(256)), byte(rng.IntN(256))}
		if !cell.DrawPicture(solid(size[0], size[1], col), uint64(i)) {
			t.Fatalf("%d×%d: no change reported", size[0], size[1])
		}
		what := fmt.Sprintf("%d×%d", size[0], size[1])
		checkPicture(t, what, c.Image(), cell.Rect(), fit(size[0], size[1], cell.Rect()), col)
	}
}

// A picture of the size shown before the card leaves nothing of the card.
func TestPictureAfterCard(t *testing.T) {
	c := plain(640, 360)
	c.Layout([]string{"ann"})
	cell, img := c.Cells()[0], solid(90, 160, colour{200, 90, 60})
	for seq := range uint64(2) {
		cell.DrawPicture(img, seq)
		checkPicture(t, "before", c.Image(), cell.Rect(), fit(90, 160, cell.Rect()), colour{200, 90, 60})
		drawCard(cell, "ann")
	}
	cell.DrawPicture(img, 1)
	checkPicture(t, "after", c.Image(), cell.Rect(), fit(90, 160, cell.Rect()), colour{200, 90, 60})
}

func TestPictureThatCannotBeShown(t *testing.T) {
	card := NewCanvas(64, 64)
	card.Layout([]string{"ann"})
	card.Cells()[0].DrawCard()
	for _, size := range [][2]int{{0, 0}, {MaxSide + 1, 2}, {2, MaxSide + 1}} {
		c := NewCanvas(64, 64)
		c.Layout([]string{"ann"})
		img := &yuv.Image{}
		if size[0] > 0 {
			img = noise(size[0], size[1], 1)
		}
		if cell := c.Cells()[0]; !cell.DrawPicture(img, 1) || cell.DrawPicture(img, 2) || !same(c, card) {
			t.Errorf("%d×%d: not a card, reported once", size[0], size[1])
		}
	}
	for _, size := range [][2]int{{MaxSide, 2}, {2, MaxSide}, {MaxSide, MaxSide}} {
		c := NewCanvas(64, 64)
		c.Layout([]string{"ann"})
		c.Cells()[0].DrawPicture(solid(size[0], size[1], white), 1)
		if got := at(c.img, 31, 31); got != white {
			t.Errorf("%d×%d: %v in the middle, want %v", size[0], size[1], got, white)
		}
	}
}

// A picture that fits as it is keeps every sample.
func TestPictureCopied(t *testing.T) {
	c := plain(1280, 720)
	c.Layout(names(4))
	cell, img := c.Cells()[3], noise(640, 360, 7)
	cell.DrawPicture(img, 1)
	for y := range 360 {
		for x := range 640 {
			if got, want := at(c.Image(), 640+x, 360+y), at(img, x, y); got != want {
				t.Fatalf("%v at (%d,%d) of the picture, want %v", got, x, y, want)
			}
		}
	}
}

func TestDrawReportsChange(t *testing.T) {
	c := NewCanvas(640, 360)
	if c.Layout(nil) {
		t.Error("no names on a new canvas: a change")
	}
	if !c.Layout([]string{"ann", "bob"}) || c.Layout([]string{"ann", "bob"}) {
		t.Error("a layout must be a change once")
	}
	cell, img := c.Cells()[0], solid(64, 64, white)
	for i, step := range []struct {
		draw func() bool
		want bool
	}{
		{func() bool { return drawCard(cell, "") }, true},
		{func() bool { return drawCard(cell, "") }, false},
		{func() bool { return drawCard(cell, "ann") }, true},
		{func() bool { return drawCard(cell, "ann") }, false},
		{func() bool { return cell.DrawPicture(img, 0) }, true},
		{func() bool { return cell.DrawPicture(img, 0) }, false},
		{func() bool { return cell.DrawPicture(img, 1) }, true},
		{func() bool { return drawCard(cell, "ann") }, true},
		{func() bool { return cell.DrawPicture(img, 1) }, true},
		{func() bool { c.Clear(); return cell.DrawPicture(img, 1) }, true},
		{func() bool { c.Clear(); return drawCard(cell, "ann") }, true},
		{func() bool { c.Clear(); return drawCard(cell, "ann") }, true},
		{func() bool { c.Layout([]string{"ann"}); cell = c.Cells()[0]; return drawCard(cell, "ann") }, true},
		{func() bool { return c.Layout([]string{"bob"}) }, true},
		{func() bool { return c.Layout(nil) }, true},
	} {
		before := NewCanvas(640, 360)
		yuv.Copy(before.img, c.img)
		if got := step.draw(); got != step.want {
			t.Errorf("step %d reports %v", i, got)
		}
		if !step.want && !same(c, before) {
			t.Errorf("step %d reports no change but makes one", i)
		}
	}
	checkRect(t, "nobody left", c.Image(), Rect{0, 0, 640, 360}, background)
}

// Outside of the changes nothing differs from the canvas at Settle, and a canvas on which
// nothing was drawn has none.
func TestChanges(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 8))
	c, before := NewCanvas(320, 180), NewCanvas(320, 180)
	for step := range 300 {
		c.Settle()
		if len(c.Changes()) != 0 {
			t.Fatal("changes after Settle")
		}
		yuv.Copy(before.img, c.img)
		drawn := false
		for range rng.IntN(30) {
			switch rng.IntN(40) {
			case 0:
				drawn = c.Layout(names(rng.IntN(9))) || drawn
			case 1:
				drawn = c.Arrange(randomStyle(rng), randomPlaces(rng, 320, 180)) || drawn
			}
			if len(c.cells) == 0 {
				continue
			}
			cell := c.cells[rng.IntN(len(c.cells))]
			cell.Mark(rng.IntN(2) == 0, rng.IntN(2) == 0)
			switch size := 32 + 2*rng.IntN(3); rng.IntN(3) {
			case 0:
				drawn = drawCard(cell, []string{"ann", "bob"}[rng.IntN(2)]) || drawn
			case 1:
				drawn = cell.DrawPicture(noise(64, size, uint64(step)), uint64(step)) || drawn
			default:
				drawn = cell.DrawPicture(noise(64, 36, 1), 1) || drawn
			}
		}
		if changed := len(c.Changes()) > 0; changed != drawn {
			t.Fatalf("step %d: drawn is %v, changes are %v", step, drawn, c.Changes())
		}
		for y := range 180 {
			for x := range 320 {
				if at(c.img, x, y) == at(before.img, x, y) {
					continue
				}
				if !slices.ContainsFunc(c.Changes(), func(r Rect) bool {
					return x >= r.X && x < r.X+r.W && y >= r.Y && y < r.Y+r.H
				}) {
					t.Fatalf("step %d: (%d,%d) changed outside of %v", step, x, y, c.Changes())
				}
			}
		}
	}
}

func TestLayoutKeepsNoReference(t *testing.T) {
	c := NewCanvas(640, 360)
	list := []string{"ann", "bob"}
	c.Layout(list)
	list[1] = "eve"
	if !c.Layout(list) {
		t.Error("another list in the same slice is no change")
	}
}

func TestNeighboursUntouched(t *testing.T) {
	const canary = 77
	for _, n := range []int{1, 2, 5, 9, 30} {
		c := NewCanvas(854, 480)
		c.Layout(names(n))
		for i, cell := range c.Cells() {
			planes := [][]byte{c.img.Y, c.img.U, c.img.V}
			for _, plane := range planes {
				for k := range plane {
					plane[k] = canary
				}
			}
			drawCard(cell, strings.Repeat("Ŵide…", 20))
			cell.DrawPicture(noise(640, 360, 3), 1)
			cell.DrawPicture(noise(47, 63, 4), 2)
			drawCard(cell, "ÄÖÜgjpqy")

			r := cell.Rect()
			for p, plane := range planes {
				stride, x, y, w, h := c.img.YStride, r.X, r.Y, r.W, r.H
				if p > 0 {
					stride, x, y, w, h = c.img.CStride, x/2, y/2, w/2, h/2
				}
				for k, v := range plane {
					inside := k%stride >= x && k%stride < x+w && k/stride >= y && k/stride < y+h
					if !inside && v != canary {
						t.Fatalf("cell %d of %d, %v: plane %d changed at (%d,%d)", i, n, r, p, k%stride, k/stride)
					}
				}
			}
		}
	}
}

func randomStyle(rng *rand.Rand) Style {
	return Style{Background: rng.Uint32N(1 << 24), Crop: rng.IntN(2) == 0, Names: rng.IntN(2) == 0}
}

// randomPlaces returns one of the layouts, or cells that lie anywhere, even on each other.
func randomPlaces(rng *rand.Rand, width, height int) []Place {
	n := 1 + rng.IntN(9)
	places := make([]Place, n)
	if k := rng.IntN(len(Layouts) + 2); k < len(Layouts) {
		for i, r := range Layouts[k].Cells(n, width, height, 2*rng.IntN(5)) {
			places[i].Rect = r
		}
	} else {
		for i := range places {
			w, h := 2+2*rng.IntN(width/2), 2+2*rng.IntN(height/2)
			places[i].Rect = Rect{2 * rng.IntN((width-w)/2+1), 2 * rng.IntN((height-h)/2+1), w, h}
		}
	}
	for i, name := range names(n) {
		places[(i*7+n)%n].Name = name // not always the same one first
	}
	return places
}

// TestPersistentEqualsFresh draws at random and compares, after every step, with a new
// canvas on which only what shows now is drawn.
func TestPersistentEqualsFresh(t *testing.T) {
	type shown struct {
		img   *yuv.Image // nil for a card
		marks marks
	}
	rng := rand.New(rand.NewPCG(11, 13))
	var pictures []*yuv.Image
	for i, size := range [][2]int{{64, 64}, {320, 180}, {160, 90}, {90, 160}, {160, 90}, {33, 17}, {320, 180}} {
		pictures = append(pictures, noise(size[0], size[1], uint64(i)))
	}
	c := NewCanvas(320, 180)
	var style Style
	var places []Place
	var cells []shown
	for step := range 300 {
		if step == 0 || rng.IntN(10) == 0 {
			if len(places) > 2 && rng.IntN(2) == 0 { // one leaves, two change places
				places = slices.Clone(places[1:])
				places[0].Name, places[1].Name = places[1].Name, places[0].Name
			} else {
				style, places = randomStyle(rng), randomPlaces(rng, 320, 180)
			}
			if c.Arrange(style, places) {
				cells = make([]shown, len(places))
				for _, cell := range c.Cells() {
					cell.Mark(false, false)
					cell.DrawCard()
				}
			}
		}
		i := rng.IntN(len(cells))
		m := marks{talking: rng.IntN(2) == 0, muted: rng.IntN(2) == 0}
		c.Cells()[i].Mark(m.talking, m.muted)
		if rng.IntN(3) == 0 {
			cells[i] = shown{marks: m}
			c.Cells()[i].DrawCard()
		} else {
			k := rng.IntN(len(pictures))
			cells[i] = shown{img: pictures[k], marks: m}
			c.Cells()[i].DrawPicture(pictures[k], uint64(k))
		}

		fresh := NewCanvas(320, 180)
		fresh.Arrange(style, places)
		for i, s := range cells {
			fresh.Cells()[i].Mark(s.marks.talking, s.marks.muted)
			if s.img != nil {
				fresh.Cells()[i].DrawPicture(s.img, 0)
			} else {
				fresh.Cells()[i].DrawCard()
			}
		}
		if !same(c, fresh) {
			t.Fatalf("step %d, %d cells: the canvas differs from one drawn anew", step, len(cells))
		}
	}
}

// A cell that stays where it is, while others come, move and go, is not drawn again.
func TestCellsThatStay(t *testing.T) {
	c := NewCanvas(640, 360)
	a, b := Place{"a", Rect{0, 0, 320, 180}}, Place{"b", Rect{320, 0, 320, 180}}
	cam := noise(160, 90, 1)
	draw := func(i int) bool { return c.Cells()[i].DrawPicture(cam, 1) }
	c.Arrange(DefaultStyle, []Place{a, b})
	draw(0)
	draw(1)
	for _, step := range []struct {
		what   string
		places []Place
		again  []bool // which of them must be drawn
	}{
		{"one came", []Place{a, b, {"c", Rect{0, 180, 320, 180}}}, []bool{false, false, true}},
		{"another order", []Place{b, a, {"c", Rect{0, 180, 320, 180}}}, []bool{false, false, false}},
		{"one moved", []Place{b, a, {"c", Rect{320, 180, 320, 180}}}, []bool{false, false, true}},
		{"two changed places", []Place{{"b", a.Rect}, {"a", b.Rect}}, []bool{true, true}},
		{"back", []Place{a, b}, []bool{true, true}},
		{"one on another", []Place{a, b, {"c", Rect{310, 10, 100, 100}}}, []bool{true, true, true}},
		{"gone", []Place{a, b}, []bool{true, true}},
		{"one left", []Place{b}, []bool{false}},
	} {
		c.Settle()
		if !c.Arrange(DefaultStyle, step.places) {
			t.Errorf("%s: no change", step.what)
		}
		fresh := NewCanvas(640, 360)
		fresh.Arrange(DefaultStyle, step.places)
		for i, want := range step.again {
			if got := draw(i); got != want {
				t.Errorf("%s: cell %d was drawn: %v, want %v", step.what, i, got, want)
			}
			fresh.Cells()[i].DrawPicture(cam, 1)
		}
		if !same(c, fresh) {
			t.Errorf("%s: the canvas differs from one drawn anew", step.what)
		}
		if step.again[0] {
			continue
		}
		for _, r := range c.Changes() {
			if !r.intersect(step.places[0].Rect).empty() {
				t.Errorf("%s: %v changed, over the cell %v", step.what, r, step.places[0].Rect)
			}
		}
	}
	style := DefaultStyle
	style.Names = false
	c.Arrange(style, []Place{b})
	if !draw(0) {
		t.Error("another style, and the cell is not drawn")
	}
}

// Whatever is drawn in which order, a later cell lies on those before it, and one that is
// never seen is not drawn.
func TestCellsOnCells(t *testing.T) {
	c := plain(320, 180)
	c.Arrange(Style{Crop: true}, []Place{
		{"hidden", Rect{40, 40, 40, 40}}, {"low", Rect{0, 0, 320, 180}}, {"middle", Rect{20, 20, 100, 100}}, {"high", Rect{60, 60, 100, 100}},
	})
	colours := []colour{{50, 60, 70}, {80, 90, 100}, {110, 120, 130}, {140, 150, 160}}
	check := func() {
		t.Helper()
		checkRect(t, "low", c.img, Rect{0, 0, 320, 20}, colours[1])
		checkRect(t, "low", c.img, Rect{0, 160, 320, 20}, colours[1])
		checkRect(t, "middle", c.img, Rect{20, 20, 100, 40}, colours[2])
		checkRect(t, "middle", c.img, Rect{20, 60, 40, 60}, colours[2])
		checkRect(t, "high", c.img, Rect{60, 60, 100, 100}, colours[3])
	}
	for i, cell := range c.Cells() {
		if cell.Covered() != (i == 0) {
			t.Errorf("cell %d: covered is %v", i, cell.Covered())
		}
		if changed := cell.DrawPicture(solid(64, 64, colours[i]), 1); changed == cell.Covered() {
			t.Errorf("cell %d: changed is %v", i, changed)
		}
	}
	check()
	for seq, i := range []int{1, 3, 2, 1, 2, 0, 3} {
		c.Cells()[i].DrawPicture(solid(64, 64, colours[i]), uint64(seq+2))
		check()
	}
}

// Cells that scale between the same sizes share the scaler; it must not outlive its use.
func TestScalerShared(t *testing.T) {
	c := NewCanvas(640, 360)
	c.Layout(names(4))
	cells := c.Cells()
	cells[0].DrawPicture(noise(160, 90, 1), 1)
	cells[1].DrawPicture(noise(160, 90, 2), 1)
	if cells[0].scaler == nil || cells[0].scaler != cells[1].scaler {
		t.Error("two cells with pictures of one size have a scaler each")
	}
	cells[1].DrawPicture(noise(90, 160, 2), 2)
	if cells[0].scaler == cells[1].scaler {
		t.Error("pictures of two sizes use one scaler")
	}
	cells[1].DrawPicture(noise(320, 180, 2), 3)
	if cells[1].scaler != nil {
		t.Error("a picture that fits as it is has a scaler")
	}
}

func TestAllocs(t *testing.T) {
	c := NewCanvas(1280, 720)
	list := names(5)
	c.Layout(list)
	scaled, copied := noise(640, 360, 1), noise(426, 240, 2)
	seq := uint64(0)
	draw := func(c *Canvas) {
		for i, cell := range c.Cells() {
			cell.Mark(seq%2 == 0, seq/2%2 == 0) // everybody begins and ends to talk, and is muted
			switch i {
			case 0:
				cell.DrawPicture(copied, seq)
			case 1, 2:
				cell.DrawPicture(scaled, seq)
			case 3:
				cell.DrawPicture(scaled, 1)
			default:
				cell.DrawCard()
			}
		}
		c.Settle()
	}
	over := NewCanvas(1280, 720)
	var places []Place
	for i, r := range PiP.Cells(5, 1280, 720, 0) {
		places = append(places, Place{list[i], r})
	}
	over.Arrange(Style{Crop: true, Names: true}, places)
	tick := func() {
		c.Layout(list)
		draw(c)
		over.Arrange(over.style, places)
		draw(over)
		seq++
	}
	for range 4 {
		tick()
	}
	if n := testing.AllocsPerRun(20, tick); n != 0 {
		t.Errorf("%v allocations a tick", n)
	}
}
