package compose

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
)

func TestRGB(t *testing.T) {
	// ITU-R BT.601: black, white and the primaries in 8-bit limited range.
	for _, tt := range []struct {
		hex  uint32
		want colour
	}{
		{0x000000, colour{16, 128, 128}}, {0xffffff, colour{235, 128, 128}}, {0x808080, colour{126, 128, 128}},
		{0xff0000, colour{82, 90, 240}}, {0x00ff00, colour{144, 54, 34}}, {0x0000ff, colour{41, 240, 110}},
	} {
		if got := rgb(tt.hex); got != tt.want {
			t.Errorf("rgb(%06x) = %v, want %v", tt.hex, got, tt.want)
		}
	}
}

// linear is the light of an sRGB value, both 0 to 1 (WCAG 2.2, relative luminance).
func linear(c float64) float64 {
	if c <= 0.04045 {
		return c / 12.92
	}
	return math.Pow((c+0.055)/1.055, 2.4)
}

// WCAG 2.2, success criterion 1.4.3.
func TestPaletteContrast(t *testing.T) {
	part := func(v uint32) float64 { return linear(float64(v&0xff) / 255) }
	for _, hex := range palette {
		luminance := 0.2126*part(hex>>16) + 0.7152*part(hex>>8) + 0.0722*part(hex)
		if contrast := 1.05 / (luminance + 0.05); contrast < 4.5 {
			t.Errorf("white on %06x has a contrast of %.2f", hex, contrast)
		}
	}
}

func TestCardColourStable(t *testing.T) {
	// Pinned: a participant keeps the colour over restarts and versions.
	for name, want := range map[string]uint32{"cam1": 0x6b6a2e, "cam2": 0x3f7048, "alice": 0x6f5a4c, "Алиса": 0x3f7048} {
		if got := cardColour(name); got != rgb(want) {
			t.Errorf("%q is %v, want %06x", name, got, want)
		}
	}
	used := map[colour]bool{}
	for _, name := range names(100) {
		used[cardColour(name)] = true
	}
	if len(used) != len(palette) {
		t.Errorf("100 names use %d of %d colours", len(used), len(palette))
	}
}

// A card of one cell: its own colour, text that can be seen, in the middle, and the same
// every time.
func TestCard(t *testing.T) {
	for _, size := range [][2]int{{1280, 720}, {640, 360}, {360, 640}, {128, 72}, {64, 36}} {
		for _, name := range []string{"ann", "H", "Алиса", "a name that is far too long for any of these cards, even for the largest of them all"} {
			c := NewCanvas(size[0], size[1])
			c.Layout([]string{name})
			cell := c.Cells()[0]
			drawCard(cell, name)
			r := cell.cardRect()
			want := cardColour(name)
			if got := at(c.img, r.X, r.Y); got != want {
				t.Errorf("%q in %d×%d: corner %v, want %v", name, size[0], size[1], got, want)
			}
			checkRect(t, "margin", c.img, Rect{0, 0, size[0], r.Y}, background)
			checkRect(t, "margin", c.img, Rect{0, 0, r.X, size[1]}, background)

			bright, pure, left, right := 0, false, size[0], 0
			for y := range size[1] {
				for x := range size[0] {
					got := at(c.img, x, y)
					if got.y > 180 {
						bright++
					}
					pure = pure || got == white
					if got.y > want.y+20 {
						left, right = min(left, x), max(right, x)
					}
				}
			}
			share := float64(bright) / float64(r.W*r.H)
			if share < 0.0005 || share > 0.12 {
				t.Errorf("%q in %d×%d: text covers %.4f of the card", name, size[0], size[1], share)
			}
			if !pure && r.H > 100 { // smaller glyphs may cover no chroma sample whole
				t.Errorf("%q in %d×%d: no text is white", name, size[0], size[1])
			}
			if left < r.X || right >= r.X+r.W {
				t.Errorf("%q in %d×%d: text from %d to %d on a card from %d to %d", name, size[0], size[1], left, right, r.X, r.X+r.W)
			}
			if d := (left + right + 1) - (2*r.X + r.W); d < -r.W/20-4 || d > r.W/20+4 {
				t.Errorf("%q in %d×%d: text from %d to %d is not in the middle of %v", name, size[0], size[1], left, right, r)
			}

			again := NewCanvas(size[0], size[1])
			again.Layout([]string{"someone else"})
			drawCard(again.Cells()[0], "someone else")
			drawCard(again.Cells()[0], name)
			if !same(c, again) {
				t.Errorf("%q in %d×%d: two cards differ", name, size[0], size[1])
			}
		}
	}
}

// Where pictures fill their cells cards do, too, so that a camera that goes off moves no edge.
func TestCardFillsCropped(t *testing.T) {
	for _, r := range []Rect{{0, 0, 320, 180}, {40, 20, 60, 140}, {40, 20, 200, 40}, {2, 2, 2, 2}} {
		c := NewCanvas(320, 180)
		c.Arrange(Style{Crop: true, Names: true}, []Place{{"ann", r}})
		c.Cells()[0].DrawCard()
		want := cardColour("ann")
		for _, corner := range [][2]int{{r.X, r.Y}, {r.X + r.W - 1, r.Y}, {r.X, r.Y + r.H - 1}, {r.X + r.W - 1, r.Y + r.H - 1}} {
			if got := at(c.img, corner[0], corner[1]); got != want {
				t.Errorf("%v: %v at %v, want %v", r, got, corner, want)
			}
		}
	}
}

// Names come from outside, and cells can be of any size: nothing may panic.
func TestCardAnyNameAnySize(t *testing.T) {
	list := []string{"", " ", "\xff\xfe", "a\nb\x00", "日本語", "👩‍👩‍👧", "e\u0301\u0301\u0301", strings.Repeat("W", 10000), strings.Repeat("\u0301", 10000)}
	for _, size := range [][2]int{{2, 2}, {2, 64}, {64, 2}, {4, 4}, {16, 16}, {18, 16}, {20, 12}, {64, 64}, {3840, 64}, {64, 3840}, {1280, 720}} {
		c := NewCanvas(size[0], size[1])
		c.Layout([]string{"x"})
		for _, name := range list {
			if !drawCard(c.Cells()[0], name) {
				t.Errorf("%q in %d×%d: no change reported", name, size[0], size[1])
			}
		}
	}
}

func TestShorten(t *testing.T) {
	face := NewCanvas(64, 64).faceOf(20)
	width := func(s string) fixed.Int26_6 { return font.MeasureString(face, s) }
	for _, name := range []string{"participant-1234", "AVAVAVAVAVAV", "Пётр Ильич Чайковский", "one two three four", "\xffbroken\xff", "日本語"} {
		full := width(name)
		for limit := fixed.Int26_6(0); limit <= full+64; limit += 16 {
			got := shorten(face, name, limit)
			switch {
			case limit >= full:
				if got != name {
					t.Fatalf("%q fits %v but became %q", name, limit, got)
				}
			case got == "":
				if limit >= width("…") {
					t.Fatalf("%q in %v: nothing, an ellipsis would fit", name, limit)
				}
			default:
				kept, ok := strings.CutSuffix(got, "…")
				if !ok || !strings.HasPrefix(name, kept) || strings.HasSuffix(kept, " ") {
					t.Fatalf("%q in %v: %q", name, limit, got)
				}
				if width(kept)+width("…") > limit {
					t.Fatalf("%q in %v: %q is too wide", name, limit, got)
				}
				// One more rune would be too much.
				rest := strings.TrimLeft(name[len(kept):], " ")
				_, size := utf8.DecodeRuneInString(rest)
				more := name[:len(name)-len(rest)+size]
				if width(more)+width("…") <= limit {
					t.Fatalf("%q in %v: %q, but %q fits", name, limit, got, more)
				}
			}
		}
	}
}
