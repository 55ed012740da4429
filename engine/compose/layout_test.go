package compose

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestLayouts checks all that Cells promises, on canvases of many shapes.
func TestLayouts(t *testing.T) {
	sizes := [][2]int{{1280, 720}, {640, 360}, {1920, 1080}, {720, 1280}, {854, 480}, {64, 64}, {66, 64}, {3840, 64}, {64, 3840}, {1278, 718}}
	most := map[Layout]int{Even: 100, Speaker: 16, Sidebar: 16, PiP: 15}
	for _, l := range Layouts {
		for _, size := range sizes {
			for _, gap := range []int{0, 2, 8, MaxGap} {
				for n := range 51 {
					what := fmt.Sprintf("%s of %d in %d×%d, gap %d", l, n, size[0], size[1], gap)
					cells := l.Cells(n, size[0], size[1], gap)
					if want := min(n, most[l]); len(cells) != want {
						t.Fatalf("%s: %d cells, want %d", what, len(cells), want)
					}
					checkCells(t, what, cells, size[0], size[1], l == PiP)
					if l.HasSpeaker() {
						checkSpeaker(t, what, cells)
					}
				}
			}
		}
	}
}

// checkCells fails unless all cells are even, inside, and overlap at most the first one,
// where insets are allowed.
func checkCells(t *testing.T, what string, cells []Rect, width, height int, insets bool) {
	t.Helper()
	for i, c := range cells {
		if c.X&1|c.Y&1|c.W&1|c.H&1 != 0 || c.W < 2 || c.H < 2 {
			t.Fatalf("%s: cell %d is %v", what, i, c)
		}
		if c.X < 0 || c.Y < 0 || c.X+c.W > width || c.Y+c.H > height {
			t.Fatalf("%s: cell %d reaches outside: %v", what, i, c)
		}
		for k, other := range cells[:i] {
			if !c.intersect(other).empty() && !(insets && k == 0) {
				t.Fatalf("%s: %v and %v overlap", what, c, other)
			}
		}
	}
}

// checkSpeaker fails unless the first cell is larger than all others, and those are equal.
func checkSpeaker(t *testing.T, what string, cells []Rect) {
	t.Helper()
	for i, c := range cells[min(1, len(cells)):] {
		if cells[0].W*cells[0].H < 4*c.W*c.H {
			t.Fatalf("%s: cell %d of %v is no small one beside %v", what, i+1, c, cells[0])
		}
		if c.W != cells[1].W || c.H != cells[1].H {
			t.Fatalf("%s: small cells of different size, %v and %v", what, cells[1], c)
		}
	}
}

// TestEveryLayoutShowsItsOwn: in all layouts each cell has its own picture in its middle.
func TestEveryLayoutShowsItsOwn(t *testing.T) {
	for _, l := range Layouts {
		for n := 1; n <= 49; n++ {
			c := NewCanvas(640, 360)
			var places []Place
			for i, r := range l.Cells(n, 640, 360, n%3*2) {
				places = append(places, Place{fmt.Sprint(i), r})
			}
			c.Arrange(Style{Crop: n%2 == 0, Names: true}, places)
			own := func(i int) colour { return colour{byte(40 + i*4), byte(30 + i*4), byte(230 - i*4)} }
			for i, cell := range c.Cells() {
				cell.DrawPicture(solid(160, 90, own(i)), 1)
			}
			for i, cell := range c.Cells() {
				r := cell.Rect()
				checkRect(t, fmt.Sprintf("%s of %d, cell %d", l, n, i), c.img, Rect{r.X + r.W/2 - 2, r.Y + r.H/2 - 4, 4, 4}, own(i))
			}
		}
	}
}

// Gaps are as wide as asked for, between cells and at the edges.
func TestGaps(t *testing.T) {
	for _, gap := range []int{2, 8, 20} {
		cells := Even.Cells(4, 1280, 720, gap)
		if d := cells[0].X; d != gap {
			t.Errorf("gap %d: %d at the left", gap, d)
		}
		if d := cells[1].X - cells[0].X - cells[0].W; d != gap {
			t.Errorf("gap %d: %d between columns", gap, d)
		}
		if d := cells[2].Y - cells[0].Y - cells[0].H; d != gap {
			t.Errorf("gap %d: %d between rows", gap, d)
		}
		if d := 1280 - cells[3].X - cells[3].W; d < gap || d > gap+3 {
			t.Errorf("gap %d: %d at the right", gap, d)
		}
	}
}

// Common sizes divide exactly, so that cameras are copied or shrunk by whole numbers.
func TestLayoutsExact(t *testing.T) {
	for _, tt := range []struct {
		layout Layout
		n      int
		want   []Rect
	}{
		{Speaker, 1, []Rect{{0, 0, 1280, 720}}},
		{Speaker, 3, []Rect{{160, 0, 960, 540}, {320, 540, 320, 180}, {640, 540, 320, 180}}},
		{Speaker, 6, []Rect{{0, 0, 960, 540}, {0, 540, 320, 180}, {320, 540, 320, 180}, {640, 540, 320, 180}, {960, 540, 320, 180}, {960, 360, 320, 180}}},
		{Sidebar, 3, []Rect{{0, 0, 960, 720}, {960, 180, 320, 180}, {960, 360, 320, 180}}},
		{PiP, 3, []Rect{{0, 0, 1280, 720}, {1008, 560, 256, 144}, {1008, 400, 256, 144}}},
	} {
		got := tt.layout.Cells(tt.n, 1280, 720, 0)
		if fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s of %d: %v, want %v", tt.layout, tt.n, got, tt.want)
		}
	}
}

// TestCovered compares with painting.
func TestCovered(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	yes := 0
	for range 3000 {
		random := func(most int) Rect {
			return Rect{2 * rng.IntN(6), 2 * rng.IntN(6), 2 + 2*rng.IntN(most), 2 + 2*rng.IntN(most)}
		}
		r := random(4)
		tops := make([]Rect, rng.IntN(6))
		left := map[[2]int]bool{}
		for y := r.Y; y < r.Y+r.H; y++ {
			for x := r.X; x < r.X+r.W; x++ {
				left[[2]int{x, y}] = true
			}
		}
		for i := range tops {
			tops[i] = random(7)
			for at := range left {
				if !(Rect{at[0], at[1], 1, 1}).intersect(tops[i]).empty() {
					delete(left, at)
				}
			}
		}
		want := len(left) == 0
		if got := covered(r, tops); got != want {
			t.Fatalf("covered(%v, %v) = %v", r, tops, got)
		}
		if want {
			yes++
		}
	}
	if yes < 100 {
		t.Errorf("only %d of the cases are covered", yes)
	}
}

func TestCrop(t *testing.T) {
	for _, tt := range []struct {
		name string
		w, h int
		in   Rect
		want Rect
	}{
		{"same shape", 640, 360, Rect{0, 0, 320, 180}, Rect{0, 0, 640, 360}},
		{"shape of a rounded cell", 640, 360, Rect{0, 0, 426, 240}, Rect{0, 0, 640, 360}},
		{"4:3 into 16:9", 640, 480, Rect{0, 0, 640, 360}, Rect{0, 60, 640, 360}},
		{"portrait", 360, 640, Rect{0, 0, 640, 360}, Rect{0, 218, 360, 202}},
		{"wide into tall", 1280, 720, Rect{0, 0, 640, 720}, Rect{320, 0, 640, 720}},
		{"coded size of 1080p", 1920, 1088, Rect{0, 0, 1280, 720}, Rect{0, 4, 1920, 1080}},
		{"odd", 63, 47, Rect{0, 0, 100, 100}, Rect{6, 0, 48, 47}},
		{"one sample", 1, 1, Rect{0, 0, 100, 10}, Rect{0, 0, 1, 1}},
		{"a line", 4096, 2, Rect{0, 0, 2, 180}, Rect{2046, 0, 2, 2}},
		{"a column", 1, 4096, Rect{0, 0, 320, 180}, Rect{0, 2046, 1, 2}},
	} {
		if got := crop(tt.w, tt.h, tt.in); got != tt.want {
			t.Errorf("%s: crop(%d, %d, %v) = %v, want %v", tt.name, tt.w, tt.h, tt.in, got, tt.want)
		}
	}
}
