package compose

import (
	"math"
	"testing"
)

func TestGrid(t *testing.T) {
	sizes := [][2]int{{1280, 720}, {640, 360}, {1920, 1080}, {720, 1280}, {854, 480}, {64, 64}, {3840, 64}, {64, 3840}, {1278, 718}}
	for _, size := range sizes {
		for n := 0; n <= 100; n++ {
			checkGrid(t, n, size[0], size[1])
		}
	}
}

// checkGrid checks all that Grid promises of n cells that the canvas has room for.
func checkGrid(t *testing.T, n, width, height int) {
	t.Helper()
	cells := Grid(n, width, height)
	if len(cells) != n {
		t.Fatalf("Grid(%d, %d, %d): %d cells", n, width, height, len(cells))
	}
	if n == 0 {
		return
	}
	cols := int(math.Ceil(math.Sqrt(float64(n))))
	rows := (n + cols - 1) / cols
	first := cells[0]
	for i, c := range cells {
		if c.X&1|c.Y&1|c.W&1|c.H&1 != 0 || c.W < 2 || c.H < 2 {
			t.Fatalf("Grid(%d, %d, %d): cell %d is %v", n, width, height, i, c)
		}
		if c.X < 0 || c.Y < 0 || c.X+c.W > width || c.Y+c.H > height {
			t.Fatalf("Grid(%d, %d, %d): cell %d reaches outside: %v", n, width, height, i, c)
		}
		if c.W != first.W || c.H != first.H {
			t.Fatalf("Grid(%d, %d, %d): cells of different size, %v and %v", n, width, height, first, c)
		}
		if wantY := first.Y + i/cols*c.H; c.Y != wantY {
			t.Fatalf("Grid(%d, %d, %d): cell %d is in the wrong row: %v", n, width, height, i, c)
		}
		for _, other := range cells[:i] {
			if c.X < other.X+other.W && other.X < c.X+c.W && c.Y < other.Y+other.H && other.Y < c.Y+c.H {
				t.Fatalf("Grid(%d, %d, %d): %v and %v overlap", n, width, height, other, c)
			}
		}
		if i/cols*cols+cols > n { // last row, not full
			continue
		}
		if wantX := first.X + i%cols*c.W; c.X != wantX {
			t.Fatalf("Grid(%d, %d, %d): cell %d is in the wrong column: %v", n, width, height, i, c)
		}
	}
	// As large as they can be: less than one more even step fits.
	if (first.W+2)*cols <= width || (first.H+2)*rows <= height {
		t.Fatalf("Grid(%d, %d, %d): cells of %d×%d leave room", n, width, height, first.W, first.H)
	}
	// Every row centred, to the nearest even number.
	for from := 0; from < n; from += cols {
		to := min(from+cols, n) - 1
		left, right := cells[from].X, width-cells[to].X-cells[to].W
		if d := right - left; d < 0 || d > 3 {
			t.Fatalf("Grid(%d, %d, %d): row from cell %d has %d at its left, %d at its right", n, width, height, from, left, right)
		}
	}
	top, bottom := first.Y, height-cells[n-1].Y-first.H
	if d := bottom - top; d < 0 || d > 3 {
		t.Fatalf("Grid(%d, %d, %d): %d above, %d below", n, width, height, top, bottom)
	}
}

func TestGridExact(t *testing.T) {
	got := Grid(5, 1280, 720)
	want := []Rect{{0, 0, 426, 360}, {426, 0, 426, 360}, {852, 0, 426, 360}, {214, 360, 426, 360}, {640, 360, 426, 360}}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("cell %d of 5 in 1280×720: %v, want %v", i, got[i], want[i])
		}
	}
}

func TestGridTooSmall(t *testing.T) {
	for _, tt := range []struct{ n, width, height, want int }{
		{-1, 1280, 720, 0}, {3, 0, 720, 0}, {3, 1280, 1, 0}, {1, 2, 2, 1}, {2, 2, 2, 1}, {100, 4, 6, 4}, {10000, 64, 64, 1024}, {10000, 64, 3840, 1024},
	} {
		cells := Grid(tt.n, tt.width, tt.height)
		if len(cells) != tt.want {
			t.Errorf("Grid(%d, %d, %d): %d cells, want %d", tt.n, tt.width, tt.height, len(cells), tt.want)
		}
		if len(cells) > 0 {
			checkGrid(t, len(cells), tt.width, tt.height)
		}
	}
}

func TestFit(t *testing.T) {
	for _, tt := range []struct {
		name     string
		w, h     int
		in, want Rect
	}{
		{"same", 640, 360, Rect{640, 360, 640, 360}, Rect{640, 360, 640, 360}},
		{"square", 64, 64, Rect{0, 0, 640, 360}, Rect{140, 0, 360, 360}},
		{"coded size of 1080p", 1920, 1088, Rect{0, 0, 1280, 720}, Rect{4, 0, 1270, 720}},
		{"portrait", 360, 640, Rect{426, 0, 426, 360}, Rect{538, 0, 202, 360}},
		{"wide into tall", 1280, 720, Rect{0, 0, 640, 720}, Rect{0, 180, 640, 360}},
		{"rounded to the cell", 640, 360, Rect{0, 0, 426, 240}, Rect{0, 0, 426, 240}},
		{"odd", 63, 47, Rect{2, 2, 100, 100}, Rect{2, 14, 100, 74}},
		{"a line", 4096, 2, Rect{0, 0, 320, 180}, Rect{0, 88, 320, 2}},
		{"a column", 2, 4096, Rect{0, 0, 320, 180}, Rect{158, 0, 2, 180}},
		{"smallest cell", 640, 360, Rect{8, 8, 2, 2}, Rect{8, 8, 2, 2}},
	} {
		if got := fit(tt.w, tt.h, tt.in); got != tt.want {
			t.Errorf("%s: fit(%d, %d, %v) = %v, want %v", tt.name, tt.w, tt.h, tt.in, got, tt.want)
		}
	}
}
