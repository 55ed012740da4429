package compose

// Layout names a way to arrange cells.
type Layout string

// The layouts. All but Grid have one large cell, the first one, for who speaks.
const (
	Even    Layout = "grid"    // equal cells, as Grid has them
	Speaker Layout = "speaker" // the first one large, the others in a row below it and then at its right
	PiP     Layout = "pip"     // the first one fills the canvas, the others are insets on it
	Sidebar Layout = "sidebar" // the first one at the left, the others in a column at the right
)

// Layouts are all of them.
var Layouts = []Layout{Even, Speaker, PiP, Sidebar}

// HasSpeaker tells whether the first cell is larger than the others.
func (l Layout) HasSpeaker() bool { return l != Even }

// MaxGap is the largest gap between cells.
const MaxGap = 64

// Cells returns the cells of n pictures on a canvas of width×height with gap samples
// between them and at the edges; gap is even. They lie inside the canvas, have even
// coordinates, are at least 2×2, and none overlaps another, except that the insets of PiP
// lie on its first one.
//
// Small cells do not shrink without end: Speaker, PiP and Sidebar have at most 16 cells,
// with a side of at least an eighth of the canvas, before gaps; Grid says what it has.
// Those pictures that come last have none. Where a gap leaves nothing of a cell, it is
// halved until it does.
func (l Layout) Cells(n, width, height, gap int) []Rect {
	for {
		if cells, ok := l.spaced(n, width, height, gap); ok || gap == 0 {
			return cells
		}
		gap = gap / 2 &^ 1
	}
}

// spaced tells with ok = false that a cell got lost in the gaps.
func (l Layout) spaced(n, width, height, gap int) (cells []Rect, ok bool) {
	if l == PiP {
		return insets(n, width, height, gap), true
	}
	// On a canvas that is smaller by one gap each cell gives up one gap: what remains is one
	// gap between any two and at all edges.
	switch l {
	case Speaker:
		cells = speaker(n, width-gap, height-gap)
	case Sidebar:
		cells = sidebar(n, width-gap, height-gap)
	default:
		cells = Grid(n, width-gap, height-gap)
	}
	if len(cells) == 0 && n > 0 {
		return nil, false
	}
	for i, c := range cells {
		cells[i] = Rect{c.X + gap, c.Y + gap, c.W - gap, c.H - gap}
		if cells[i].W < 2 || cells[i].H < 2 {
			return nil, false
		}
	}
	return cells, true
}

// share is the largest even size that fits n times, at least 2.
func share(size, n int) int { return max(size/n&^1, 2) }

// mostCells bounds the cells of layouts with a speaker.
const mostCells = 16

// speaker divides the canvas into k×k cells, of which the first picture has (k-1)×(k-1).
// Up to four others are a row below it; more are in an L around its lower right corner.
func speaker(n, width, height int) []Rect {
	n = min(n, mostCells)
	if n <= 1 || min(width, height) < 16 {
		return Grid(min(n, 1), width, height)
	}
	others := n - 1
	k := max(4, (others+2)/2)
	w, h := share(width, k), share(height, k)
	big := Rect{0, 0, (width - w) &^ 1, (height - h) &^ 1}
	inRow := min(others, k)
	x := (width - inRow*w) &^ 1
	if others <= 4 {
		x = (width - inRow*w) / 2 &^ 1
		big.W = share(width*(k-1), k)
		big.X = (width - big.W) / 2 &^ 1
	}
	cells := []Rect{big}
	for i := range inRow {
		cells = append(cells, Rect{x + i*w, big.H, w, h})
	}
	for i := range others - inRow { // upwards from the corner
		cells = append(cells, Rect{big.W, big.H - (i+1)*h, w, h})
	}
	return cells
}

// sidebar has the first picture at the left, in full height, and the others in one or two
// columns at the right, centred.
func sidebar(n, width, height int) []Rect {
	n = min(n, mostCells)
	if n <= 1 || min(width, height) < 16 {
		return Grid(min(n, 1), width, height)
	}
	others, columns, k := n-1, 1, 4
	if others > 6 {
		columns, k = 2, 6
	}
	rows := (others + columns - 1) / columns
	k = max(k, rows)
	w, h := share(width, k), share(height, k)
	left := (width - columns*w) &^ 1
	cells := []Rect{{0, 0, left, height &^ 1}}
	top := (height - rows*h) / 2 &^ 1
	for i := range others {
		cells = append(cells, Rect{left + i%columns*w, top + i/columns*h, w, h})
	}
	return cells
}

// insets has the first picture everywhere and the others from the lower right corner
// upwards, in one or two columns, where they do not hide the first one's name.
func insets(n, width, height, gap int) []Rect {
	n = min(n, mostCells-1)
	if n <= 1 || min(width, height) < 64 {
		return Grid(min(n, 1), width, height)
	}
	others, k, perColumn := n-1, 5, 4
	if others > perColumn {
		k, perColumn = 8, 7
	}
	w, h := share(width, k), share(height, k)
	room := min((height-perColumn*h)/(perColumn+1), (width-2*w)/3) &^ 1
	gap = min(max(gap, min(width, height)/45&^1), room)
	cells := []Rect{{0, 0, width &^ 1, height &^ 1}}
	for i := range others {
		right, bottom := i/perColumn+1, i%perColumn+1
		cells = append(cells, Rect{(width - right*(w+gap)) &^ 1, (height - bottom*(h+gap)) &^ 1, w, h})
	}
	return cells
}
