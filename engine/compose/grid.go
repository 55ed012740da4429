package compose

// Rect is a rectangle of a canvas in luma samples. All four numbers are even, so that it
// covers whole chroma samples.
type Rect struct{ X, Y, W, H int }

// intersect returns what r and s have in common; the result has no area if that is nothing.
func (r Rect) intersect(s Rect) Rect {
	x, y := max(r.X, s.X), max(r.Y, s.Y)
	return Rect{x, y, max(min(r.X+r.W, s.X+s.W)-x, 0), max(min(r.Y+r.H, s.Y+s.H)-y, 0)}
}

func (r Rect) empty() bool { return r.W <= 0 || r.H <= 0 }

// covered tells whether tops together cover all of r.
func covered(r Rect, tops []Rect) bool {
	for i, top := range tops {
		x := r.intersect(top)
		if x.empty() {
			continue
		}
		// What top leaves of r: above, below, left and right of it.
		for _, rest := range []Rect{
			{r.X, r.Y, r.W, x.Y - r.Y}, {r.X, x.Y + x.H, r.W, r.Y + r.H - x.Y - x.H},
			{r.X, x.Y, x.X - r.X, x.H}, {x.X + x.W, x.Y, r.X + r.W - x.X - x.W, x.H},
		} {
			if !rest.empty() && !covered(rest, tops[i+1:]) {
				return false
			}
		}
		return true
	}
	return r.empty()
}

// Grid returns the cells of n pictures on a canvas of width×height: ceil(√n) columns, as
// many rows as it takes, filled row by row, the last row centred. All cells have the same
// even size and even coordinates, lie inside the canvas and touch without a gap: with
// none, the common sizes divide exactly (four cameras of 640×360 in 1280×720 are copied,
// not scaled). What the division leaves over is left evenly at the edges.
//
// A cell is at least 2×2. Where n of those do not fit the grid, the result has only as
// many cells as do (s², s being half of the shorter side): never fewer than 1024 from
// 64×64 up. There are none if n ≤ 0 or a side is below 2.
func Grid(n, width, height int) []Rect {
	side := min(width, height) / 2
	n = min(n, side*side)
	if n <= 0 || side <= 0 {
		return nil
	}
	cols := 1
	for cols*cols < n {
		cols++
	}
	rows := (n + cols - 1) / cols
	w, h := width/cols&^1, height/rows&^1

	cells := make([]Rect, 0, n)
	y := (height - rows*h) / 2 &^ 1
	for left := n; left > 0; left -= cols {
		inRow := min(left, cols)
		x := (width - inRow*w) / 2 &^ 1
		for range inRow {
			cells = append(cells, Rect{x, y, w, h})
			x += w
		}
		y += h
	}
	return cells
}

// nearestEven returns the even number nearest to a/b, at least 2.
func nearestEven(a, b int) int { return max((a+b)/(2*b)*2, 2) }

// fit returns the largest rectangle of the shape w:h centred in r, its size rounded to
// the nearest even numbers but at least 2×2.
func fit(w, h int, r Rect) Rect {
	fw, fh := r.W, r.H
	if w*r.H >= h*r.W {
		fh = min(nearestEven(r.W*h, w), r.H)
	} else {
		fw = min(nearestEven(r.H*w, h), r.W)
	}
	return Rect{r.X + (r.W-fw)/2&^1, r.Y + (r.H-fh)/2&^1, fw, fh}
}

// crop returns the largest part of a picture of w×h that has the shape of r, centred. Its
// sides are even where they are not the picture's own.
func crop(w, h int, r Rect) Rect {
	cw, ch := w, h
	if w*r.H >= h*r.W {
		cw = min(nearestEven(h*r.W, r.H), w)
	} else {
		ch = min(nearestEven(w*r.H, r.W), h)
	}
	return Rect{(w - cw) / 2 &^ 1, (h - ch) / 2 &^ 1, cw, ch}
}
