package opus

import (
	"bytes"
	"math"
	"testing"
)

const (
	rate  = 48000
	frame = 960 // 20 ms
)

// tone is a frame of a sine, the nth of a continuous one.
func tone(n int, hz, amplitude float64) []int16 {
	pcm := make([]int16, frame)
	for i := range pcm {
		pcm[i] = int16(math.Round(amplitude * math.Sin(2*math.Pi*hz*float64(n*frame+i)/rate)))
	}
	return pcm
}

// voice is a frame of something like a vowel: harmonics of a gliding pitch under two
// formants, swelling four times a second.
func voice(n int) []int16 {
	pcm := make([]int16, frame)
	for i := range pcm {
		t := float64(n*frame+i) / rate
		phase := 2 * math.Pi * (120*t + 2*math.Sin(2*math.Pi*t))
		var x float64
		for h := 1.0; h <= 24; h++ {
			f := 120 * h
			gain := math.Exp(-math.Pow((f-600)/300, 2)) + .5*math.Exp(-math.Pow((f-1800)/400, 2)) + .02
			x += gain * math.Sin(h*phase)
		}
		pcm[i] = int16(4000 * x * (.6 + .4*math.Sin(2*math.Pi*4*t)))
	}
	return pcm
}

// goertzel is the power of one frequency in pcm, as the squared amplitude of a sine.
func goertzel(pcm []int16, hz float64) float64 {
	w := 2 * math.Pi * hz / rate
	var re, im float64
	for i, x := range pcm {
		re += float64(x) * math.Cos(w*float64(i))
		im += float64(x) * math.Sin(w*float64(i))
	}
	n := float64(len(pcm)) / 2
	return (re*re + im*im) / (n * n)
}

func power(pcm []int16) float64 {
	var sum float64
	for _, x := range pcm {
		sum += float64(x) * float64(x)
	}
	return sum / float64(len(pcm))
}

// snr is the ratio of signal's power to that of its difference from got, in dB, at the
// best delay of up to 10 ms: an Opus stream is late by its look-ahead.
func snr(signal, got []int16) float64 {
	best := math.Inf(-1)
	for delay := range 480 {
		var p, e float64
		for i := delay; i < len(got); i++ {
			s, d := float64(signal[i-delay]), float64(signal[i-delay])-float64(got[i])
			p += s * s
			e += d * d
		}
		best = max(best, 10*math.Log10(p/e))
	}
	return best
}

func newPair(t *testing.T, bitrate int) (*Encoder, *Decoder) {
	t.Helper()
	enc, err := NewEncoder(rate, bitrate, 5)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(enc.Close)
	dec, err := NewDecoder(rate)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dec.Close)
	return enc, dec
}

func encode(t *testing.T, enc *Encoder, pcm []int16) []byte {
	t.Helper()
	packet := make([]byte, 1275)
	n, err := enc.Encode(pcm, packet)
	if err != nil {
		t.Fatal(err)
	}
	return packet[:n]
}

func TestToneSurvives(t *testing.T) {
	enc, dec := newPair(t, 64000)
	var in, out []int16
	for n := range 50 {
		pcm := tone(n, 1000, 10000)
		packet := encode(t, enc, pcm)
		got := make([]int16, frame)
		if k, err := dec.Decode(packet, got); err != nil || k != frame {
			t.Fatalf("frame %d: Decode = %d, %v", n, k, err)
		}
		in, out = append(in, pcm...), append(out, got...)
	}
	tail := out[len(out)-10*frame:]
	if p := goertzel(tail, 1000); math.Abs(10*math.Log10(p/1e8)) > 1 {
		t.Errorf("the tone came out at %.1f dB", 10*math.Log10(p/1e8))
	}
	if p := goertzel(tail, 3000); p > 1e8/1000 {
		t.Errorf("silence at 3 kHz came out at %.1f dB", 10*math.Log10(p/1e8))
	}
	if got := snr(in[len(in)-20*frame:], out[len(out)-20*frame:]); got < 20 {
		t.Errorf("SNR %.1f dB, want 20", got)
	}
}

// TestFEC loses every fifth frame and compares what fills the hole with what a decoder
// that lost nothing made of it.
func TestFEC(t *testing.T) {
	enc, reference := newPair(t, 32000)
	_, fec := newPair(t, 32000)
	_, plc := newPair(t, 32000)
	if err := enc.SetPacketLoss(20); err != nil {
		t.Fatal(err)
	}
	var packets [][]byte
	for n := range 100 {
		packets = append(packets, encode(t, enc, voice(n)))
	}
	var truth, recovered, concealed []int16
	for n, packet := range packets {
		want, got, made := make([]int16, frame), make([]int16, frame), make([]int16, frame)
		if _, err := reference.Decode(packet, want); err != nil {
			t.Fatal(err)
		}
		if n%5 != 3 || n < 20 {
			fec.Decode(packet, got)
			plc.Decode(packet, made)
			continue
		}
		if err := fec.DecodeFEC(packets[n+1], got); err != nil {
			t.Fatal(err)
		}
		if err := plc.Conceal(made); err != nil {
			t.Fatal(err)
		}
		truth, recovered, concealed = append(truth, want...), append(recovered, got...), append(concealed, made...)
	}
	withFEC, withPLC := snr(truth, recovered), snr(truth, concealed)
	t.Logf("SNR of lost frames: FEC %.1f dB, concealment %.1f dB", withFEC, withPLC)
	if withFEC < withPLC+3 || withFEC < 5 {
		t.Errorf("FEC gives %.1f dB, concealment %.1f dB", withFEC, withPLC)
	}
}

// TestFECOff shows that the redundancy above comes from SetPacketLoss.
func TestFECOff(t *testing.T) {
	enc, dec := newPair(t, 32000)
	_, plc := newPair(t, 32000)
	for n := range 30 {
		packet := encode(t, enc, voice(n))
		got, want := make([]int16, frame), make([]int16, frame)
		if n == 20 {
			continue
		}
		if n == 21 {
			if err := dec.DecodeFEC(packet, got); err != nil {
				t.Fatal(err)
			}
			if err := plc.Conceal(want); err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if got[i] != want[i] {
					t.Fatalf("sample %d: DecodeFEC made %d, Conceal %d of a stream without redundancy", i, got[i], want[i])
				}
			}
			return
		}
		dec.Decode(packet, got)
		plc.Decode(packet, want)
	}
}

func TestSetPacketLossRange(t *testing.T) {
	enc, _ := newPair(t, 64000)
	for _, percent := range []int{-1, 101} {
		if enc.SetPacketLoss(percent) == nil {
			t.Errorf("a loss of %d %% was accepted", percent)
		}
	}
}

func TestResetIsAsNew(t *testing.T) {
	used, _ := newPair(t, 64000)
	fresh, _ := newPair(t, 64000)
	for n := range 10 {
		encode(t, used, voice(n))
	}
	if err := used.Reset(); err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		if !bytes.Equal(encode(t, used, tone(n, 440, 8000)), encode(t, fresh, tone(n, 440, 8000))) {
			t.Fatalf("packet %d after Reset differs from a new encoder's", n)
		}
	}
}

func TestConcealFadesOut(t *testing.T) {
	enc, dec := newPair(t, 64000)
	pcm := make([]int16, frame)
	for n := range 20 {
		if _, err := dec.Decode(encode(t, enc, tone(n, 500, 10000)), pcm); err != nil {
			t.Fatal(err)
		}
	}
	if err := dec.Conceal(pcm); err != nil {
		t.Fatal(err)
	}
	first := power(pcm)
	for range 50 {
		if err := dec.Conceal(pcm); err != nil {
			t.Fatal(err)
		}
	}
	if last := power(pcm); first < 1e6 || last > first/100 {
		t.Errorf("concealed power: first frame %.0f, after a second %.0f", first, last)
	}
}

// TestLengthNotCapacity gives slices whose capacity is more than their length and checks
// that nothing beyond the length is touched.
func TestLengthNotCapacity(t *testing.T) {
	enc, dec := newPair(t, 128000)
	buf := bytes.Repeat([]byte{0xa5}, 1275)
	n, err := enc.Encode(voice(3), buf[:60])
	if err != nil || n > 60 {
		t.Fatalf("Encode into 60 bytes = %d, %v", n, err)
	}
	if !bytes.Equal(buf[60:], bytes.Repeat([]byte{0xa5}, 1275-60)) {
		t.Error("Encode wrote beyond the packet's length")
	}
	pcm := make([]int16, 2*frame)
	for i := range pcm {
		pcm[i] = 12345
	}
	check := func(call string, from int) {
		t.Helper()
		for i := from; i < len(pcm); i++ {
			if pcm[i] != 12345 {
				t.Fatalf("%s wrote beyond the length of pcm, at %d", call, i)
			}
		}
	}
	if _, err := dec.Decode(buf[:n], pcm[:frame-1]); err == nil {
		t.Error("a frame was decoded into less room than it needs")
	}
	check("the failing Decode", frame-1)
	if k, err := dec.Decode(buf[:n], pcm[:frame]); err != nil || k != frame {
		t.Fatalf("Decode = %d, %v", k, err)
	}
	if err := dec.Conceal(pcm[:frame]); err != nil {
		t.Fatal(err)
	}
	if err := dec.DecodeFEC(buf[:n], pcm[:frame]); err != nil {
		t.Fatal(err)
	}
	check("decoding", frame)
}

func TestNewRefuses(t *testing.T) {
	for _, p := range [][3]int{{44100, 64000, 5}, {0, 64000, 5}, {48000, 0, 5}, {48000, -1, 5}, {48000, 600000, 5}, {48000, 64000, 11}, {48000, 64000, -1}} {
		if enc, err := NewEncoder(p[0], p[1], p[2]); err == nil {
			t.Errorf("NewEncoder(%v) worked", p)
			enc.Close()
		}
	}
	if dec, err := NewDecoder(44100); err == nil {
		t.Error("NewDecoder(44100) worked")
		dec.Close()
	}
	if n := Live(); n != 0 {
		t.Errorf("%d codecs live", n)
	}
}

func TestAllocs(t *testing.T) {
	enc, dec := newPair(t, 64000)
	if err := enc.SetPacketLoss(10); err != nil {
		t.Fatal(err)
	}
	in, out, packet := voice(1), make([]int16, frame), make([]byte, 1275)
	if n := testing.AllocsPerRun(100, func() {
		k, err := enc.Encode(in, packet)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := dec.Decode(packet[:k], out); err != nil {
			t.Fatal(err)
		}
		if err := dec.DecodeFEC(packet[:k], out); err != nil {
			t.Fatal(err)
		}
		if err := dec.Conceal(out); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func BenchmarkEncode(b *testing.B) {
	enc, err := NewEncoder(rate, 64000, 5)
	if err != nil {
		b.Fatal(err)
	}
	defer enc.Close()
	in, packet := voice(1), make([]byte, 1275)
	for b.Loop() {
		if _, err := enc.Encode(in, packet); err != nil {
			b.Fatal(err)
		}
	}
}
