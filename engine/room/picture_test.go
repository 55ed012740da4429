package room

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"sectile/asm/yuv"
	"sectile/engine/compose"
	"sectile/engine/load"
	"sectile/engine/metrics"
)

// easel is a room with a picture, of which nothing runs by itself.
type easel struct {
	*Room
	now     time.Duration
	picture *picture
	aside   []func() // waits for runAside
}

func newEasel(t *testing.T, change func(*Options)) *easel {
	t.Helper()
	s := &easel{}
	o := DefaultOptions()
	o.DisableVideo, o.Width, o.Height = false, 320, 180
	if change != nil {
		change(&o)
	}
	r, err := New("r", o, Env{
		Now: func() time.Duration { return s.now }, Pictures: func() int { return load.AllPictures },
		Aside:   func(f func()) { s.aside = append(s.aside, f) },
		Metrics: metrics.New(), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Room, s.picture = r, newPicture(r)
	return s
}

// runAside does what was left aside, and returns how much that was.
func (s *easel) runAside() (n int) {
	n = len(s.aside)
	for _, f := range s.aside {
		f()
	}
	s.aside = nil
	return n
}

// join adds a stream that publishes a picture and no sound.
func (s *easel) join(t *testing.T, name string, camera Camera) *Input {
	t.Helper()
	in, err := s.AddStream(name)
	if err != nil {
		t.Fatal(err)
	}
	s.connect(in, camera)
	return in
}

// connect is what Input.Connect and Disconnect do to the picture.
func (s *easel) connect(in *Input, camera Camera) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in.connected, in.camera = camera != nil, camera
	s.changes++
}

func (s *easel) remove(t *testing.T, in *Input) {
	t.Helper()
	s.connect(in, nil)
	if _, err := s.RemoveStream(in.name); err != nil {
		t.Fatal(err)
	}
}

func (s *easel) talk(in *Input, talking bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in.talking = talking
}

func (s *easel) setLook(t *testing.T, change func(*Look)) {
	t.Helper()
	if _, err := s.SetLook(func(l *Look) error { change(l); return nil }); err != nil {
		t.Fatal(err)
	}
}

// fakeCamera shows one colour.
type fakeCamera struct {
	img      *yuv.Image
	sequence uint64
	gone     bool // just now: there is a sequence, but no picture any more
	asked    int  // for its sequence, which makes a camera decode
	told     [][2]int
}

var pictures uint64

func newFakeCamera(w, h int, y byte) *fakeCamera {
	pictures++
	c := &fakeCamera{img: yuv.NewImage(w, h), sequence: pictures}
	yuv.Fill(c.img, y, 100, 160)
	return c
}

func (c *fakeCamera) Sequence() uint64 {
	c.asked++
	return c.sequence
}

func (c *fakeCamera) View(f func(*yuv.Image)) {
	if !c.gone {
		f(c.img)
	}
}

func (c *fakeCamera) Shown(width, height int, _ bool) { c.told = append(c.told, [2]int{width, height}) }

// TestPictureIsAlwaysComplete changes everything at random. In each single tick every cell
// shows its camera's picture or a card.
func TestPictureIsAlwaysComplete(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 7))
	s := newEasel(t, nil)
	next, checked := 0, 0
	for step := range 2000 {
		inputs := s.Inputs()
		var in *Input
		if len(inputs) > 0 {
			in = inputs[rng.IntN(len(inputs))]
		}
		switch op := rng.IntN(10); {
		case op == 0 || in == nil:
			s.join(t, fmt.Sprintf("s%d", next), newFakeCamera(160, 90, byte(40+next%180)))
			next++
		case op == 1 && len(inputs) > 4:
			s.remove(t, in)
		case op == 2:
			if _, err := s.SetMuted(in.name, Video, !in.mutedVideo); err != nil {
				t.Fatal(err)
			}
		case op == 3:
			in.mutedAudio.Store(!in.mutedAudio.Load())
		case op == 4 && in.connected:
			s.connect(in, nil)
		case op == 4:
			s.connect(in, newFakeCamera([]int{160, 320}[rng.IntN(2)], 90, byte(40+next%180)))
		case op == 5:
			s.setLook(t, func(l *Look) { *l = randomLook(rng, inputs) })
		case op == 6:
			s.talk(in, !in.talking)
		case op == 7 && in.camera != nil:
			camera := in.camera.(*fakeCamera)
			camera.gone = !camera.gone
		case op == 8 && in.camera != nil:
			pictures++
			in.camera.(*fakeCamera).sequence = pictures
		}
		s.now += time.Duration(rng.IntN(400)) * time.Millisecond
		s.picture.draw()
		checked += checkComplete(t, s)
		if t.Failed() {
			t.Fatalf("in step %d, look %+v", step, s.look)
		}
		if rng.IntN(2) == 0 {
			s.picture.canvas.Settle()
		}
	}
	if checked < 3000 {
		t.Errorf("only %d cells were looked at", checked)
	}
}

// checkComplete looks at the middle of each cell that no other one covers there.
func checkComplete(t *testing.T, s *easel) (checked int) {
	img := s.picture.canvas.Image()
	cells := s.picture.canvas.Cells()
	for i, cell := range cells {
		r := cell.Rect()
		x, y := r.X+r.W/2, r.Y+r.H/2
		if slices.ContainsFunc(cells[i+1:], func(top *compose.Cell) bool {
			r := top.Rect()
			return x >= r.X && x < r.X+r.W && y >= r.Y && y < r.Y+r.H
		}) {
			continue
		}
		checked++
		shown := s.picture.shown[i]
		got := img.Y[y*img.YStride+x]
		camera, _ := shown.camera.(*fakeCamera)
		switch {
		case camera != nil && !camera.gone:
			if got != camera.img.Y[0] {
				t.Errorf("cell %d of %d, %s: luma %d, want that of its camera, %d", i, len(cells), shown.input.name, got, camera.img.Y[0])
			}
		case got == testBackground:
			t.Errorf("cell %d of %d, %s: background instead of a card", i, len(cells), shown.input.name)
		}
	}
	return checked
}

// testBackground is the luma of randomLook's background, black. No card is that dark.
const testBackground = 16

func randomLook(rng *rand.Rand, inputs []*Input) Look {
	l := defaultLook(string(compose.Layouts[rng.IntN(len(compose.Layouts))]))
	l.Background = "#000000"
	l.Gap = 2 * rng.IntN(8)
	l.Fit = []string{"crop", "letterbox"}[rng.IntN(2)]
	l.Names = []string{"on", "off"}[rng.IntN(2)]
	if rng.IntN(3) == 0 {
		l.Layout = customLayout
		for i := range 1 + rng.IntN(8) {
			c := LookCell{X: rng.Float64() * 0.8, Y: rng.Float64() * 0.8}
			c.Width, c.Height = 0.1+rng.Float64()*(0.9-c.X), 0.1+rng.Float64()*(0.9-c.Y)
			if i < len(inputs) && rng.IntN(2) == 0 {
				c.Stream = inputs[i].name
			}
			l.Cells = append(l.Cells, c)
		}
	}
	return l
}

// TestShown: every camera is told the size of its cell, once.
func TestShown(t *testing.T) {
	s := newEasel(t, nil)
	a, b := newFakeCamera(160, 90, 80), newFakeCamera(160, 90, 120)
	s.join(t, "a", a)
	told := func(what string, wantA, wantB [][2]int) {
		t.Helper()
		for range 3 {
			s.picture.draw()
		}
		for _, c := range []struct {
			name   string
			camera *fakeCamera
			want   [][2]int
		}{{"a", a, wantA}, {"b", b, wantB}} {
			if !slices.Equal(c.camera.told, c.want) {
				t.Errorf("%s: %s was told %v, want %v", what, c.name, c.camera.told, c.want)
			}
			c.camera.told = nil
		}
	}
	none := [][2]int(nil)
	told("alone", [][2]int{{320, 180}}, none)
	inB := s.join(t, "b", b)
	told("b came", [][2]int{{160, 180}}, [][2]int{{160, 180}})
	s.setLook(t, func(l *Look) { l.Layout = "speaker" })
	told("speaker", [][2]int{{240, 136}}, [][2]int{{80, 44}})
	s.setLook(t, func(l *Look) { l.Names = "off" })
	told("names", none, none)
	if _, err := s.SetMuted("b", Video, true); err != nil {
		t.Fatal(err)
	}
	told("b muted", none, [][2]int{{0, 0}})
	if _, err := s.SetMuted("b", Video, false); err != nil {
		t.Fatal(err)
	}
	told("b unmuted", none, [][2]int{{80, 44}})
	s.setLook(t, func(l *Look) {
		l.Layout, l.Cells = customLayout, []LookCell{{Width: 0.5, Height: 0.5, Stream: "a"}, {Width: 1, Height: 1, Stream: "b"}}
	})
	told("b covers a", [][2]int{{0, 0}}, [][2]int{{320, 180}})
	s.setLook(t, func(l *Look) { l.Cells = []LookCell{{Width: 0.5, Height: 0.5, Stream: "a"}} })
	told("no cell for b", [][2]int{{160, 90}}, [][2]int{{0, 0}})
	s.setLook(t, func(l *Look) { l.Layout, l.Cells = "grid", nil })
	s.connect(inB, nil)
	told("b went", [][2]int{{160, 180}}, none)
}

// TestMarksOnMosaic: who talks has a border, and who is muted a badge, on their own picture
// and from the next tick until they stop.
func TestMarksOnMosaic(t *testing.T) {
	s := newEasel(t, nil)
	inputs := []*Input{
		s.join(t, "a", newFakeCamera(160, 180, 80)), s.join(t, "b", newFakeCamera(160, 180, 80)),
	}
	s.setLook(t, func(l *Look) { l.Names = "off" })
	// marks are those seen on each picture: the border is the only green on it, and the
	// badge at the lower left the only white.
	marks := func() (talking, muted [2]bool) {
		s.picture.draw()
		img := s.picture.canvas.Image()
		for i, cell := range s.picture.canvas.Cells() {
			r := cell.Rect()
			talking[i] = img.V[(r.Y+r.H/2)/2*img.CStride+r.X/2] < 100
			for y := r.Y + r.H/2; y < r.Y+r.H-8; y++ {
				for x := r.X + 8; x < r.X+r.W/2; x++ {
					muted[i] = muted[i] || img.Y[y*img.YStride+x] > 200
				}
			}
		}
		return talking, muted
	}
	for n := range 18 { // silent, talking or muted
		states := [2]int{n % 3, n / 3 % 3}
		var wantTalking, wantMuted [2]bool
		for i, in := range inputs {
			wantTalking[i], wantMuted[i] = states[i] == 1, states[i] == 2
			if _, err := s.SetMuted(in.name, 1, wantMuted[i]); err != nil {
				t.Fatal(err)
			}
			s.talk(in, wantTalking[i])
		}
		s.now += 40 * time.Millisecond
		if talking, muted := marks(); talking != wantTalking || muted != wantMuted {
			t.Errorf("borders %v, badges %v, want %v and %v", talking, muted, wantTalking, wantMuted)
		}
	}
}

// TestCoveredIsNotAsked: a camera in a cell that others cover is not asked for its picture,
// for that would have it decoded.
func TestCoveredIsNotAsked(t *testing.T) {
	s := newEasel(t, nil)
	a, b := newFakeCamera(160, 90, 80), newFakeCamera(160, 90, 120)
	s.join(t, "a", a)
	s.join(t, "b", b)
	cover := func(width float64) (askedA, askedB int) {
		s.setLook(t, func(l *Look) {
			l.Layout, l.Cells = customLayout, []LookCell{{Width: 0.5, Height: 0.5, Stream: "a"}, {Width: width, Height: 1, Stream: "b"}}
		})
		a.asked, b.asked = 0, 0
		for range 3 {
			s.now += 40 * time.Millisecond
			s.picture.draw()
		}
		return a.asked, b.asked
	}
	for _, tt := range []struct {
		width float64
		a     int
	}{{0.25, 3}, {0.5, 0}, {1, 0}, {0.25, 3}} {
		if askedA, askedB := cover(tt.width); askedA != tt.a || askedB != 3 {
			t.Errorf("under a cell %v wide: asked %d times in 3 ticks, want %d; the cell above %d times", tt.width, askedA, tt.a, askedB)
		}
	}
}

// TestSpeaker: a new speaker must talk for a second, and the one before has two at least.
func TestSpeaker(t *testing.T) {
	s := newEasel(t, func(o *Options) { o.Layout = "speaker" })
	inputs := map[string]*Input{}
	for i, name := range []string{"a", "b", "c"} {
		inputs[name] = s.join(t, name, newFakeCamera(160, 90, byte(50+40*i)))
	}
	const tick = 40 * time.Millisecond
	for _, step := range []struct {
		what    string
		talking string
		after   time.Duration
		want    string
	}{
		{"nobody talks", "", 5 * time.Second, "a"},
		{"b coughs", "b", 900 * time.Millisecond, "a"},
		{"b is silent again", "", 5 * time.Second, "a"},
		{"b talks", "b", 960 * time.Millisecond, "a"},
		{"b talks on", "b", 120 * time.Millisecond, "b"},
		{"c interrupts", "c", 1800 * time.Millisecond, "b"},
		{"c talks on", "c", 200 * time.Millisecond, "c"},
		{"silence", "", 20 * time.Second, "c"},
		{"a and c talk, a began", "a", 200 * time.Millisecond, "c"},
		{"a and c talk, c began last and is the speaker", "ac", 10 * time.Second, "c"},
		{"b too, last of all", "abc", 1200 * time.Millisecond, "b"},
		{"and stays", "abc", 20 * time.Second, "b"},
		{"b falls silent", "ac", 100 * time.Millisecond, "c"},
		{"only a", "a", 2200 * time.Millisecond, "a"},
	} {
		for name, in := range inputs {
			s.talk(in, slices.Contains([]byte(step.talking), name[0]))
		}
		for end := s.now + step.after; s.now < end; s.now += tick {
			s.picture.draw()
		}
		if got := s.picture.shown[0].input.name; got != step.want {
			t.Fatalf("%s: %s has the large cell, want %s", step.what, got, step.want)
		}
		want := slices.DeleteFunc([]string{"a", "b", "c"}, func(name string) bool { return name == step.want })
		for i, name := range want {
			if got := s.picture.shown[i+1].input.name; got != name {
				t.Errorf("%s: %s has small cell %d, want %s", step.what, got, i, name)
			}
		}
	}

	// Whoever leaves makes room at once, for one who can be seen.
	s.connect(inputs["b"], nil)
	s.remove(t, inputs["a"])
	s.picture.draw()
	if got := s.picture.shown[0].input.name; got != "c" {
		t.Errorf("after a left, %s has the large cell, want c", got)
	}
	s.connect(inputs["c"], nil)
	s.connect(inputs["b"], newFakeCamera(160, 90, 90))
	s.picture.draw()
	if got := s.picture.shown[0].input.name; got != "b" {
		t.Errorf("after c went, %s has the large cell, want b", got)
	}
}

// A tick in which nothing but the pictures and who talks changes does not allocate.
func TestPictureAllocs(t *testing.T) {
	for _, layout := range compose.Layouts {
		s := newEasel(t, func(o *Options) { o.Layout = string(layout) })
		var cameras []*fakeCamera
		for i := range 5 {
			camera := newFakeCamera(160, 90, byte(50+20*i))
			cameras = append(cameras, camera)
			s.join(t, fmt.Sprintf("s%d", i), camera)
		}
		if _, err := s.AddStream("nobody"); err != nil {
			t.Fatal(err)
		}
		inputs := s.Inputs()
		n := 0
		tick := func() {
			n++
			for i, camera := range cameras {
				pictures++
				camera.sequence = pictures
				s.talk(inputs[i], n%2 == 0) // too short to become the speaker
			}
			s.now += 40 * time.Millisecond
			s.picture.draw()
			s.picture.canvas.Settle()
		}
		tick()
		tick()
		if allocs := testing.AllocsPerRun(20, tick); allocs != 0 {
			t.Errorf("%s: %v allocations a tick", layout, allocs)
		}
	}
}
