package compose

// Rect is a rectangle of a canvas in luma samples. All four numbers are even, so that it
// covers whole chroma samples.
type Rect struct{ X, Y, W, H int }

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

// fit returns the largest rectangle of the shape w:h centred in r, its size rounded to
// the nearest even numbers but at least 2×2.
func fit(w, h int, r Rect) Rect {
	// nearestEven returns the even number nearest to a/b.
	nearestEven := func(a, b int) int { return (a + b) / (2 * b) * 2 }
	fw, fh := r.W, r.H
	if w*r.H >= h*r.W {
		fh = min(max(nearestEven(r.W*h, w), 2), r.H)
	} else {
		fw = min(max(nearestEven(r.H*w, h), 2), r.W)
	}
	return Rect{r.X + (r.W-fw)/2&^1, r.Y + (r.H-fh)/2&^1, fw, fh}
}
