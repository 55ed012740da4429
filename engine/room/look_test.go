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

// TestBackgroundImage: it is shown around the pictures, one too large is not even decoded,
// and one that cannot be decoded harms nothing.
func TestBackgroundImage(t *testing.T) {
	url := func(w, h int) string {
		img := image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{color.RGBA{0, 0, 255, 255}})
		var file bytes.Buffer
		if err := png.Encode(&file, img); err != nil {
			t.Fatal(err)
		}
		return "data:image/png;base64," + base64.StdEncoding.EncodeToString(file.Bytes())
	}
	s := newEasel(t, nil)
	s.join(t, "a", newFakeCamera(90, 90, 200))
	blue := func() bool {
		s.picture.draw()
		img := s.picture.canvas.Image()
		return img.Y[0] == 41 && img.U[0] == 240 && img.V[0] == 110 // ITU-R BT.601
	}
	if blue() {
		t.Fatal("blue without an image")
	}
	s.setLook(t, func(l *Look) { l.BackgroundImage = url(16, 9) })
	if !blue() || !blue() {
		t.Error("the image is not shown")
	}
	s.join(t, "b", newFakeCamera(90, 90, 100))
	if !blue() {
		t.Error("the image is not shown after a change of the places")
	}
	for _, bad := range []string{url(3842, 2160), "data:image/png;base64," + strings.Repeat("A", 80<<10), "x"} {
		var refused *OptionError
		_, err := s.SetLook(func(l *Look) error { l.BackgroundImage = bad; return nil })
		if !errors.As(err, &refused) || refused.Name != "background_image" || len(err.Error()) > 250 {
			t.Errorf("%.60s: %v", bad, err)
		}
	}
	if !blue() {
		t.Error("an image that is refused replaces the one shown")
	}
	cut := url(16, 9)
	s.setLook(t, func(l *Look) { l.BackgroundImage = cut[:len(cut)-16] }) // the header is complete
	if blue() || s.picture.canvas.Image().Y[0] != 24 {
		t.Error("without an image there is no colour")
	}
}
