package engine

import (
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sectile/engine/load"
	"sectile/engine/room"
)

// TestLoadOfCPU: the load follows the CPU time of the process; where it is high, pictures
// are left out, and come back.
func TestLoadOfCPU(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var share atomic.Uint64 // of all cores
		var used time.Duration
		last := time.Now()
		e := New(Config{Codecs: &fakeCodecs{}, CPU: func() time.Duration {
			used += time.Duration(math.Float64frombits(share.Load()) * float64(time.Since(last)) * float64(runtime.GOMAXPROCS(0)))
			last = time.Now()
			return used
		}})
		defer e.Close()
		for _, step := range []struct {
			share float64
			made  int
		}{{0.3, load.AllPictures}, {0.9, 1}, {0.7, 1}, {0.3, load.AllPictures}} {
			share.Store(math.Float64bits(step.share))
			time.Sleep(20*time.Second + time.Millisecond)
			if got := e.Load(); math.Abs(got-step.share) > 0.01 {
				t.Errorf("load %.3f, want %v", got, step.share)
			}
			if got := e.load.pictures(); got != step.made {
				t.Errorf("load %v: %d of %d pictures are made, want %d", step.share, got, load.AllPictures, step.made)
			}
		}
	})
}

// TestSeldomMade: where one picture a second is made, and three of four are left out, cameras
// go on being shown.
func TestSeldomMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		e := New(Config{Codecs: &fakeCodecs{}, CPU: func() time.Duration {
			return time.Since(begin) * time.Duration(runtime.GOMAXPROCS(0)) * 9 / 10
		}})
		defer e.Close()
		o := room.DefaultOptions()
		o.DisableVideo, o.Width, o.Height, o.FPS = false, 640, 360, 1
		must(t, e.AddRoom("r", o))
		addStream(t, e, "r", "s")
		simulcast(t, e, "s", [][2]int{{640, 360}}, nil)
		sink := watch(t, e, "r", 1)
		time.Sleep(20 * time.Second)
		sink.forget()
		time.Sleep(40 * time.Second)
		if n := e.load.pictures(); n != 1 {
			t.Errorf("%d of %d pictures are made", n, load.AllPictures)
		}
		if sink.newest() != 50 {
			t.Error("the camera is not seen")
		}
		sink.only(t, "every 4 s", 50)
	})
}

// slowEar is a sink that takes its time.
type slowEar struct {
	ear
	takes atomic.Int64 // nanoseconds
}

func (s *slowEar) WriteAudio(p []byte, timestamp uint32) { time.Sleep(time.Duration(s.takes.Load())) }

// TestLoadOfSound: a worker of sound that is at work for most of its time, and ticks that
// are late, are load.
func TestLoadOfSound(t *testing.T) {
	run(t, func(t *testing.T, e *Engine) {
		sink := &slowEar{}
		for _, name := range []string{"r", "q"} {
			addRoom(t, e, name)
			addStream(t, e, name, name+"s")
			talk(t, e, name+"s", 1000)
		}
		if _, err := e.Subscribe("r", room.Tracks{Audio: 1}, sink); err != nil {
			t.Fatal(err)
		}
		hear(t, e, "q", 1)
		for _, step := range []struct {
			takes       time.Duration
			least, most float64
		}{
			{0, 0, 0.01},
			{12 * time.Millisecond, 0.59, 0.61}, // of 20
			{25 * time.Millisecond, 1.4, 1.6},   // every tick is late or skipped
			{0, 0, 0.05},
		} {
			sink.takes.Store(int64(step.takes))
			time.Sleep(20 * time.Second)
			if got := e.Load(); got < step.least || got > step.most {
				t.Errorf("ticks of %v: load %.3f, want %v to %v", step.takes, got, step.least, step.most)
			}
		}
	})
}

// slowEye has its pictures take much of a processor: a still one comes every two seconds.
type slowEye struct{ eye }

func (s *slowEye) WriteVideo(*room.AccessUnit) { time.Sleep(time.Second / 2) }

// TestPicturesBesideSound: while pictures take much of the machine, sound is urgent. This is
// in real time: virtual time has no threads.
func TestPicturesBesideSound(t *testing.T) {
	e := New(Config{Codecs: &fakeCodecs{}, RealTime: true})
	defer e.Close()
	addVideoRoom(t, e, "r", 320, 180)
	addStream(t, e, "r", "s")
	s := talk(t, e, "s", 1000)
	defer close(s.stop)
	hear(t, e, "r", 1)
	time.Sleep(2500 * time.Millisecond)
	if e.Urgent() {
		t.Error("urgent without pictures")
	}
	if _, err := e.Subscribe("r", room.Tracks{Video: true}, &slowEye{}); err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); !e.Urgent(); time.Sleep(100 * time.Millisecond) {
		if time.Since(begin) > 20*time.Second {
			t.Fatal("not urgent beside pictures")
		}
	}
}
