package codecs

import (
	"testing"
	"time"

	"sectile/asm/yuv"
	"sectile/engine/h264"
)

// TestVideoOverRTP sends pictures of one colour each all the way: encoder, payloads,
// access units, decoder.
func TestVideoOverRTP(t *testing.T) {
	encoder, err := factory.NewVideoEncoder(video)
	if err != nil {
		t.Fatal(err)
	}
	defer encoder.Close()
	decoder, err := factory.NewVideoDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	var packetizer h264.Packetizer
	assembler := h264.NewAssembler(h264.Config{})
	img := yuv.NewImage(video.Width, video.Height)
	var payloads [][]byte
	packet := h264.Packet{SSRC: 1, Sequence: 65535}
	for n := range 10 {
		y, u, v := byte(40+15*n), byte(90+5*n), byte(200-5*n)
		yuv.Fill(img, y, u, v)
		au, key, err := encoder.Encode(img, int64(n)*3600, n == 5, nil)
		if err != nil {
			t.Fatal(err)
		}
		payloads = packetizer.Packetize(payloads[:0], au, 100)
		for i, payload := range payloads {
			packet.Payload, packet.Marker = payload, i == len(payloads)-1
			assembler.Push(packet, time.Duration(n)*40*time.Millisecond)
			packet.Sequence++
		}
		packet.Timestamp += 3600
		got, ok := assembler.Next(time.Duration(n) * 40 * time.Millisecond)
		if !ok || got.Key != key || got.Gap {
			t.Fatalf("picture %d: access unit %+v, %v", n, got, ok)
		}
		if key && (got.SPS == nil || got.SPS.Width != video.Width || got.SPS.Check() != nil) {
			t.Errorf("picture %d: SPS %+v", n, got.SPS)
		}
		if ok, err := decoder.Decode(got.Data); !ok || err != nil {
			t.Fatalf("picture %d: Decode = %v, %v", n, ok, err)
		}
		out := decoder.Hold()
		middle := out.Height/4*out.CStride + out.Width/4
		for _, c := range [][2]byte{{out.Y[out.Height/2*out.YStride+out.Width/2], y}, {out.U[middle], u}, {out.V[middle], v}} {
			if d := int(c[0]) - int(c[1]); d < -4 || d > 4 {
				t.Errorf("picture %d: the middle is %d, want %d", n, c[0], c[1])
			}
		}
		decoder.Release()
	}
}
