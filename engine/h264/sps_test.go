package h264

import (
	"encoding/hex"
	"errors"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Of libx264 164, baseline.
const (
	sps1080 = "6742c028da01e0089f966a0c0c0c800000030080000019478c1950"
	sps720  = "6742c01fda014016e9a8303032000003000200000300651e306540"
	sps360  = "6742c01eda0280bfe59a83030320000003002000000651e2c5d4"
	sps180  = "6742c014da05067e79a8303032000003000200000300651e285540"
	sps640  = "6742c01eda05c147979a83030320000003002000000651e2c5d4" // 360×640
)

func TestParseSPS(t *testing.T) {
	for _, c := range []struct {
		nal                           string
		profile, level, refs          int
		codedW, codedH, width, height int
	}{
		{sps1080, 66, 40, 1, 1920, 1088, 1920, 1080},
		{sps720, 66, 31, 1, 1280, 720, 1280, 720},
		{sps360, 66, 30, 1, 640, 368, 640, 360},
		{sps180, 66, 20, 1, 320, 192, 320, 180},
		{sps640, 66, 30, 1, 368, 640, 360, 640},
	} {
		s, err := ParseSPS(unhex(t, c.nal))
		if err != nil {
			t.Errorf("%s: %v", c.nal, err)
			continue
		}
		want := SPS{Profile: c.profile, Constraints: 0xc0, Level: c.level, ChromaFormat: 1, BitDepth: 8, RefFrames: c.refs,
			CodedWidth: c.codedW, CodedHeight: c.codedH, Width: c.width, Height: c.height}
		if s != want {
			t.Errorf("%s:\n got %+v\nwant %+v", c.nal, s, want)
		}
		if err := s.Check(); err != nil {
			t.Errorf("%s: %v", c.nal, err)
		}
	}
}

// bitWriter writes an RBSP as bits reads it.
type bitWriter struct {
	out []byte
	n   uint
}

func (w *bitWriter) u(n int, v uint32) {
	for i := n - 1; i >= 0; i-- {
		if w.n%8 == 0 {
			w.out = append(w.out, 0)
		}
		w.out[len(w.out)-1] |= byte(v>>i&1) << (7 - w.n%8)
		w.n++
	}
}

func (w *bitWriter) ue(v uint32) {
	n := 0
	for (v+1)>>(n+1) != 0 {
		n++
	}
	w.u(n, 0)
	w.u(n+1, v+1)
}

func (w *bitWriter) se(v int32) {
	if v > 0 {
		w.ue(uint32(v)*2 - 1)
	} else {
		w.ue(uint32(-v) * 2)
	}
}

// nal ends the RBSP and protects it (7.4.1).
func (w *bitWriter) nal(header ...byte) []byte {
	w.u(1, 1)
	nal, zeros := header, 0
	for _, b := range w.out {
		if zeros >= 2 && b <= 3 {
			nal, zeros = append(nal, 3), 0
		}
		nal = append(nal, b)
		if zeros++; b != 0 {
			zeros = 0
		}
	}
	return nal
}

// fields are the syntax elements of an SPS that tests vary.
type fields struct {
	profile, constraints, level byte
	id, chroma, depth           uint32
	scaling                     bool
	order                       uint32
	refs, wMBs, hUnits          uint32 // the latter two minus one
	fields                      bool
	crop                        [4]uint32 // left, right, top, bottom
}

func (f fields) nal() []byte {
	w := &bitWriter{}
	w.ue(f.id)
	if f.profile >= 100 {
		w.ue(f.chroma)
		if f.chroma == 3 {
			w.u(1, 0)
		}
		w.ue(f.depth)
		w.ue(f.depth)
		w.u(1, 0)
		if f.scaling {
			w.u(1, 1)
			for i := range map[bool]int{false: 8, true: 12}[f.chroma == 3] {
				if i%2 == 0 {
					w.u(1, 0)
					continue
				}
				w.u(1, 1)
				if i == 3 {
					w.se(-8) // next scale 0: the default list, no more deltas
					continue
				}
				for range map[bool]int{false: 16, true: 64}[i >= 6] {
					w.se(1)
				}
			}
		} else {
			w.u(1, 0)
		}
	}
	w.ue(4)
	w.ue(f.order)
	switch f.order {
	case 0:
		w.ue(4)
	case 1:
		w.u(1, 1)
		w.se(-1000)
		w.se(7)
		w.ue(2)
		w.se(5)
		w.se(-5)
	}
	w.ue(f.refs)
	w.u(1, 0)
	w.ue(f.wMBs)
	w.ue(f.hUnits)
	if f.fields {
		w.u(2, 0) // frame_mbs_only_flag, mb_adaptive_frame_field_flag
	} else {
		w.u(1, 1)
	}
	w.u(1, 1)
	if f.crop != [4]uint32{} {
		w.u(1, 1)
		for _, n := range f.crop {
			w.ue(n)
		}
	} else {
		w.u(1, 0)
	}
	w.u(1, 0)
	return w.nal(0x67, f.profile, f.constraints, f.level)
}

// usual is 640×360 in high profile.
func usual() fields {
	return fields{profile: 100, level: 30, chroma: 1, refs: 4, wMBs: 39, hUnits: 22, crop: [4]uint32{0, 0, 0, 4}}
}

func TestParseSPSFields(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*fields)
		want   func(*SPS)
	}{
		"usual":          {func(f *fields) {}, func(s *SPS) {}},
		"main":           {func(f *fields) { f.profile = 77 }, func(s *SPS) { s.Profile = 77 }},
		"id":             {func(f *fields) { f.id = 31 }, func(s *SPS) { s.ID = 31 }},
		"scaling lists":  {func(f *fields) { f.scaling = true }, func(s *SPS) {}},
		"order type 1":   {func(f *fields) { f.order = 1 }, func(s *SPS) {}},
		"order type 2":   {func(f *fields) { f.order = 2 }, func(s *SPS) {}},
		"10 bits":        {func(f *fields) { f.profile, f.depth = 110, 2 }, func(s *SPS) { s.Profile, s.BitDepth = 110, 10 }},
		"grey":           {func(f *fields) { f.chroma = 0 }, func(s *SPS) { s.ChromaFormat, s.Height = 0, 364 }},
		"4:2:2":          {func(f *fields) { f.chroma = 2 }, func(s *SPS) { s.ChromaFormat, s.Height = 2, 364 }},
		"4:4:4, scaling": {func(f *fields) { f.chroma, f.scaling = 3, true }, func(s *SPS) { s.ChromaFormat, s.Height = 3, 364 }},
		"fields": {func(f *fields) { f.fields, f.hUnits, f.crop = true, 11, [4]uint32{1, 2, 3, 3} }, func(s *SPS) {
			s.CodedHeight, s.Width, s.Height = 384, 634, 360
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := usual()
			c.change(&f)
			want := SPS{Profile: 100, Level: 30, ChromaFormat: 1, BitDepth: 8, RefFrames: 4,
				CodedWidth: 640, CodedHeight: 368, Width: 640, Height: 360}
			c.want(&want)
			nal := f.nal()
			if got, err := ParseSPS(nal); err != nil || got != want {
				t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
			}
			for n := range len(nal) - 1 {
				if s, err := ParseSPS(nal[:n]); !errors.Is(err, ErrSPS) {
					t.Errorf("the first %d of %d bytes: %+v, %v", n, len(nal), s, err)
				}
			}
		})
	}
}

func TestParseSPSRefuses(t *testing.T) {
	for name, change := range map[string]func(*fields){
		"id 32":           func(f *fields) { f.id = 32 },
		"chroma format 4": func(f *fields) { f.chroma = 4 },
		"depth 15":        func(f *fields) { f.depth = 7 },
		"order type 3":    func(f *fields) { f.order = 3 },
		"17 references":   func(f *fields) { f.refs = 17 },
		"width":           func(f *fields) { f.wMBs = 1<<31 + 5 },
		"height":          func(f *fields) { f.hUnits = 1<<32 - 2 },
		"cropped away":    func(f *fields) { f.crop = [4]uint32{160, 160, 0, 0} },
		"crop overflows":  func(f *fields) { f.crop = [4]uint32{1 << 31, 1 << 31, 0, 0} },
	} {
		f := usual()
		change(&f)
		if s, err := ParseSPS(f.nal()); !errors.Is(err, ErrSPS) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	for _, nal := range [][]byte{nil, {0x67}, {0x68, 1, 2, 3, 4}, append([]byte{0xe7}, usual().nal()[1:]...)} {
		if s, err := ParseSPS(nal); !errors.Is(err, ErrSPS) {
			t.Errorf("%x: %+v, %v", nal, s, err)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*fields)
		ok     bool
	}{
		{"usual", func(f *fields) {}, true},
		{"1920×1088", func(f *fields) { f.wMBs, f.hUnits, f.crop = 119, 67, [4]uint32{} }, true},
		{"1088×1920", func(f *fields) { f.wMBs, f.hUnits, f.crop = 67, 119, [4]uint32{} }, true},
		{"64×64", func(f *fields) { f.wMBs, f.hUnits, f.crop = 3, 3, [4]uint32{} }, true},
		{"64×62", func(f *fields) { f.wMBs, f.hUnits, f.crop = 3, 3, [4]uint32{0, 0, 0, 1} }, false},
		{"48×640", func(f *fields) { f.wMBs, f.hUnits, f.crop = 2, 39, [4]uint32{} }, false},
		{"1936×1088", func(f *fields) { f.wMBs, f.hUnits, f.crop = 120, 67, [4]uint32{} }, false},
		{"1920×1104", func(f *fields) { f.wMBs, f.hUnits, f.crop = 119, 68, [4]uint32{} }, false},
		{"4096×4096 cropped to 640×360", func(f *fields) {
			f.wMBs, f.hUnits, f.crop = 255, 255, [4]uint32{0, 1728, 0, 1868}
		}, false},
		{"5 references", func(f *fields) { f.refs = 5 }, false},
		{"extended profile", func(f *fields) { f.profile = 88 }, false},
		{"high 10", func(f *fields) { f.profile = 110 }, false},
		{"10 bits", func(f *fields) { f.depth = 2 }, false},
		{"4:2:2", func(f *fields) { f.chroma = 2 }, false},
	} {
		f := usual()
		c.change(&f)
		s, err := ParseSPS(f.nal())
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if err := s.Check(); (err == nil) != c.ok || (err != nil && !errors.Is(err, ErrUnsafe)) {
			t.Errorf("%s: %+v: %v", c.name, s, err)
		}
	}
}

func FuzzParseSPS(f *testing.F) {
	for _, s := range []string{sps1080, sps720, sps180} {
		f.Add(unhex(f, s))
	}
	scaled := usual()
	scaled.scaling, scaled.order = true, 1
	f.Add(scaled.nal())
	f.Fuzz(func(t *testing.T, nal []byte) {
		s, err := ParseSPS(nal)
		if err != nil {
			if s != (SPS{}) || !errors.Is(err, ErrSPS) {
				t.Fatalf("%+v with %v", s, err)
			}
			return
		}
		if s.Width <= 0 || s.Width > s.CodedWidth || s.Height <= 0 || s.Height > s.CodedHeight || s.RefFrames > 16 {
			t.Fatalf("%+v", s)
		}
		if s.Check() == nil && s.CodedWidth*s.CodedHeight > 1920*1088 {
			t.Fatalf("%+v is safe", s)
		}
	})
}
