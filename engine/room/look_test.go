package room

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"slices"
	"strings"
	"testing"

	"sectile/engine/compose"
)

// TestArrange: who is shown where, and who is not.
func TestArrange(t *testing.T) {
	s := newEasel(t, nil)
	for _, name := range []string{"a", "b", "c", "d"} {
		s.join(t, name, nil)
	}
	for _, tt := range []struct {
		name     string
		cells    []LookCell
		want     string
		notShown []string
	}{
		{"in order", []LookCell{{Width: 0.5, Height: 1}, {X: 0.5, Width: 0.5, Height: 1}},
			"a{0 0 160 180} b{160 0 160 180} ", []string{"c", "d"}},
		{"named", []LookCell{{Width: 0.5, Height: 1, Stream: "b"}, {X: 0.5, Width: 0.5, Height: 1}},
			"b{0 0 160 180} a{160 0 160 180} ", []string{"c", "d"}},
		{"named last", []LookCell{{Width: 0.5, Height: 1}, {X: 0.5, Width: 0.5, Height: 1, Stream: "a"}},
			"b{0 0 160 180} a{160 0 160 180} ", []string{"c", "d"}},
		{"named and not there", []LookCell{{Width: 0.5, Height: 1, Stream: "x"}, {X: 0.5, Width: 0.5, Height: 1}},
			"a{160 0 160 180} ", []string{"b", "c", "d"}},
		{"more than streams", slices.Repeat([]LookCell{{Width: 1, Height: 1}}, 6),
			"a{0 0 320 180} b{0 0 320 180} c{0 0 320 180} d{0 0 320 180} ", []string{}},
		{"thirds meet", []LookCell{{Width: 1.0 / 3, Height: 1}, {X: 1.0 / 3, Width: 1.0 / 3, Height: 1}, {X: 2.0 / 3, Width: 1.0 / 3, Height: 1}},
			"a{0 0 106 180} b{106 0 108 180} c{214 0 106 180} ", []string{"d"}},
		{"tiny, at the edge", []LookCell{{X: 0.9999, Y: 0.9999, Width: 0.0001, Height: 0.0001}},
			"a{318 178 2 2} ", []string{"b", "c", "d"}},
	} {
		s.setLook(t, func(l *Look) { l.Layout, l.Cells = customLayout, tt.cells })
		s.picture.draw()
		got := ""
		for i, cell := range s.picture.canvas.Cells() {
			got += s.picture.shown[i].input.name + fmt.Sprint(cell.Rect()) + " "
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if stats := s.Stats(); !slices.Equal(stats.NotShown, tt.notShown) || stats.NotShown == nil || stats.Layout != customLayout {
			t.Errorf("%s: layout %s does not show %#v, want %v", tt.name, stats.Layout, stats.NotShown, tt.notShown)
		}
	}
}

// The layouts with a speaker show 16 of more participants; no grid hides anybody.
func TestNotShown(t *testing.T) {
	for layout, want := range map[compose.Layout]int{compose.Even: 0, compose.Speaker: 33, compose.Sidebar: 33, compose.PiP: 34} {
		s := newEasel(t, func(o *Options) { o.Layout = string(layout) })
		for i := range 49 {
			s.join(t, fmt.Sprintf("s%d", i), nil)
		}
		if got := s.Stats().NotShown; len(got) != want {
			t.Errorf("%s of 49: %d are not shown, want %d", layout, len(got), want)
		}
	}
	s := newEasel(t, func(o *Options) { o.DisableVideo = true })
	s.join(t, "a", nil)
	if got := s.Stats().NotShown; len(got) != 0 {
		t.Errorf("%v are not shown in a room without a mosaic", got)
	}
}

// A look that is refused changes nothing; one that lasts comes back with the room.
func TestLookIsSaved(t *testing.T) {
	s := newEasel(t, func(o *Options) { o.Layout = "pip" })
	if saved := s.Save(); saved.Look != nil {
		t.Errorf("the look of the options is saved as %+v", saved.Look)
	}
	failed := errors.New("no")
	if _, err := s.SetLook(func(l *Look) error { l.Layout = "grid"; return failed }); err != failed {
		t.Errorf("SetLook = %v", err)
	}
	var refused *OptionError
	if _, err := s.SetLook(func(l *Look) error { l.Layout = "round"; return nil }); !errors.As(err, &refused) || refused.Name != "layout" {
		t.Errorf("SetLook = %v", err)
	}
	if got := s.Stats().Layout; got != "pip" {
		t.Errorf("the layout is %s", got)
	}
	s.setLook(t, func(l *Look) {
		l.Layout, l.Fit, l.Cells = customLayout, "crop", []LookCell{{Width: 1, Height: 0.5, Stream: "a"}}
	})
	s.setLook(t, func(l *Look) { l.Layout = "speaker" }) // and keeps the cells
	data, err := json.Marshal(s.Save())
	if err != nil {
		t.Fatal(err)
	}
	var saved Saved
	if err := json.Unmarshal(data, &saved); err != nil {
		t.Fatal(err)
	}
	r, err := Restore(saved, s.env)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(r.look); got != fmt.Sprint(s.look) {
		t.Errorf("restored %s, want %+v", got, s.look)
	}
	saved.Look.Gap = -1
	if _, err := Restore(saved, s.env); err == nil {
		t.Error("a look that is not valid is restored")
	}
}

// imageURL is a background image of one colour.
func imageURL(t *testing.T, w, h int, c color.RGBA) string {
	t.Helper()
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{c})); err != nil {
		t.Fatal(err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(file.Bytes())
}

// The luma of images and of the colour behind them (ITU-R BT.601).
const blueLuma, redLuma, noImageLuma = 41, 82, 24

var blueImage, redImage = color.RGBA{0, 0, 255, 255}, color.RGBA{255, 0, 0, 255}

// corner draws the picture and returns the luma of its background.
func (s *easel) corner() byte {
	s.picture.draw()
	return s.picture.canvas.Image().Y[0]
}

// TestBackgroundImage: it is shown around the pictures, one too large is not even decoded,
// and one that cannot be decoded harms nothing.
func TestBackgroundImage(t *testing.T) {
	s := newEasel(t, nil)
	s.join(t, "a", newFakeCamera(90, 90, 200))
	want := func(what string, luma byte) {
		t.Helper()
		s.picture.draw()
		s.runAside()
		if got := s.corner(); got != luma {
			t.Errorf("%s: luma is %d, want %d", what, got, luma)
		}
	}
	want("without an image", noImageLuma)
	s.setLook(t, func(l *Look) { l.BackgroundImage = imageURL(t, 16, 9, blueImage) })
	want("with one", blueLuma)
	if img := s.picture.canvas.Image(); img.U[0] != 240 || img.V[0] != 110 {
		t.Errorf("its chroma is %d, %d", img.U[0], img.V[0])
	}
	s.join(t, "b", newFakeCamera(90, 90, 100))
	want("after a change of the places", blueLuma)
	for _, bad := range []string{imageURL(t, 3842, 2160, blueImage), "data:image/png;base64," + strings.Repeat("A", 80<<10), "x"} {
		var refused *OptionError
		_, err := s.SetLook(func(l *Look) error { l.BackgroundImage = bad; return nil })
		if !errors.As(err, &refused) || refused.Name != "background_image" || len(err.Error()) > 250 {
			t.Errorf("%.60s: %v", bad, err)
		}
	}
	want("after those that are refused", blueLuma)
	cut := imageURL(t, 16, 9, blueImage)
	s.setLook(t, func(l *Look) { l.BackgroundImage = cut[:len(cut)-16] }) // the header is complete
	want("with one that cannot be decoded", noImageLuma)
}

// TestBackgroundImageAside: no picture waits for an image, and the newest is shown, whatever
// was wanted while another one was prepared.
func TestBackgroundImageAside(t *testing.T) {
	s := newEasel(t, nil)
	set := func(url string) {
		t.Helper()
		s.setLook(t, func(l *Look) { l.BackgroundImage = url })
	}
	step := func(what string, runs int, luma byte) {
		t.Helper()
		if n := s.runAside(); n != runs {
			t.Errorf("%s: %d goroutines", what, n)
		}
		if got := s.corner(); got != luma {
			t.Errorf("%s: luma is %d, want %d", what, got, luma)
		}
	}
	blue, red := imageURL(t, 16, 9, blueImage), imageURL(t, 16, 9, redImage)
	step("no image", 0, noImageLuma)
	set(blue)
	step("not prepared", 0, noImageLuma)
	step("prepared", 1, blueLuma)
	set(red)
	step("the one before", 0, blueLuma)
	step("another one", 1, redLuma)
	set("")
	step("removed", 0, noImageLuma)
	set(blue)
	step("again", 0, noImageLuma)
	set("")
	s.picture.draw()
	step("removed while it is prepared", 1, noImageLuma)

	// While one is prepared, others are wanted.
	b := &s.picture.backdrop
	set(blue)
	step("the first", 0, noImageLuma)
	s.aside = nil
	first := b.next("", nil)
	for _, url := range []string{"", blue, red} {
		set(url)
		step("meanwhile", 0, noImageLuma)
	}
	second := b.next(first, s.prepareImage(first))
	if first != blue || second != red {
		t.Error("the newest image is not prepared next")
	}
	step("the first is prepared", 0, noImageLuma)
	if b.next(second, s.prepareImage(second)) != "" {
		t.Error("more images are prepared than are wanted")
	}
	set(red) // which tells the picture, too
	step("the second is prepared", 0, redLuma)
}
