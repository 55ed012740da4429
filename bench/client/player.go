package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"sectile/asm/yuv"
	"sectile/cgo/h264dec"
	"sectile/cgo/opus"
	"sectile/engine/h264"
)

// Rate is the sample rate at which a Player hears, in Hz.
const Rate = 48000

// kept is how much sound a Player remembers.
const kept = 30 * Rate

// Player plays tracks of one room.
type Player struct {
	*session
	base, room string
	wg         sync.WaitGroup

	mu        sync.Mutex
	pcm       []int16
	audio     Flow
	video     Flow
	image     *yuv.Image
	pictures  int
	keyframes int
	reports   map[uint32][]rtcp.SenderReport
	observer  Observer
}

// Observer is called with all that is played, in order. It must not keep what it is given.
type Observer struct {
	Sound   func(timestamp uint32, pcm []int16)
	Picture func(timestamp uint32, img *yuv.Image)
}

// Observe has o called from now on.
func (p *Player) Observe(o Observer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.observer = o
}

// Flow is what is known of one RTP stream.
type Flow struct {
	SSRC     uint32
	Packets  int
	Gaps     int // places where the sequence number did not go on
	Jumps    int // places where the timestamp of sound did not go on with the last packet's end
	last     rtp.Header
	duration uint32 // of the last packet of sound, 1/48000 s
}

// Play plays /room/whep; tracks is such as "v1a1", or empty for the default.
func (l Link) Play(ctx context.Context, room, tracks string) (*Player, error) {
	pc, err := l.newPeer()
	if err != nil {
		return nil, err
	}
	p := &Player{base: l.Server, room: room, reports: map[uint32][]rtcp.SenderReport{}}
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio} {
		if _, err := pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
			pc.Close()
			return nil, err
		}
	}
	pc.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		p.wg.Go(func() { p.readReports(receiver) })
		switch track.Kind() {
		case webrtc.RTPCodecTypeAudio:
			p.wg.Go(func() { p.listen(track) })
		case webrtc.RTPCodecTypeVideo:
			p.wg.Go(func() { p.watch(pc, track) })
		}
	})
	endpoint := l.Server + "/" + room + "/whep"
	if tracks != "" {
		endpoint += "?filter.tracks=" + tracks
	}
	if p.session, err = l.negotiate(ctx, pc, endpoint); err != nil {
		pc.Close()
		p.wg.Wait()
		return nil, err
	}
	return p, nil
}

// Impair changes what happens to the packets of the connection from now on.
func (p *Player) Impair(up, down Impairment) { p.pc.link.impair(up, down) }

// Close ends the session.
func (p *Player) Close() error {
	err := p.session.Close()
	p.wg.Wait()
	return err
}

// Queued is how long a packet from the server waits by now in the queue of a link of limited
// rate.
func (p *Player) Queued() time.Duration {
	_, down := p.pc.link.queued()
	return down
}

// RequestTracks moves the running session to other tracks, such as "v1", "a3".
func (p *Player) RequestTracks(ctx context.Context, tracks ...string) error {
	body, err := json.Marshal(map[string][]string{"tracks": tracks})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, fmt.Sprintf("%s/%s/sessions/%s/request_tracks", p.base, p.room, p.SID), bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return &StatusError{resp.StatusCode, "request_tracks " + strings.Join(tracks, "")}
	}
	return nil
}

// Heard returns the sound of the last d, mono at Rate, or less if there was less.
func (p *Player) Heard(d time.Duration) []int16 {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := min(len(p.pcm), int(d*Rate/time.Second))
	return append([]int16(nil), p.pcm[len(p.pcm)-n:]...)
}

// Seen returns the newest picture, nil if there was none, and the number of pictures and
// keyframes so far.
func (p *Player) Seen() (img *yuv.Image, pictures, keyframes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.image, p.pictures, p.keyframes
}

// Flows are what is known of the sound's and the picture's RTP streams.
func (p *Player) Flows() (audio, video Flow) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.audio, p.video
}

// Reports are the sender reports that came for an SSRC.
func (p *Player) Reports(ssrc uint32) []rtcp.SenderReport {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]rtcp.SenderReport(nil), p.reports[ssrc]...)
}

func (p *Player) readReports(receiver *webrtc.RTPReceiver) {
	for {
		packets, _, err := receiver.ReadRTCP()
		if err != nil {
			return
		}
		p.mu.Lock()
		for _, packet := range packets {
			if sr, ok := packet.(*rtcp.SenderReport); ok {
				p.reports[sr.SSRC] = append(p.reports[sr.SSRC], *sr)
			}
		}
		p.mu.Unlock()
	}
}

// listen decodes packets in the order in which they come: on loopback none is reordered.
func (p *Player) listen(track *webrtc.TrackRemote) {
	decoder, err := opus.NewDecoder(Rate)
	if err != nil {
		panic(err) // libopus accepts 48 kHz
	}
	defer decoder.Close()
	pcm := make([]int16, Rate*120/1000)
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		n, err := decoder.Decode(packet.Payload, pcm)
		if err != nil {
			n = 0
		}
		p.mu.Lock()
		jump := p.audio.count(packet)
		if jump && packet.Timestamp != p.audio.last.Timestamp+p.audio.duration {
			p.audio.Jumps++
		}
		p.audio.last, p.audio.duration = packet.Header, uint32(n)
		if len(p.pcm) > 2*kept {
			p.pcm = append(p.pcm[:0], p.pcm[len(p.pcm)-kept:]...)
		}
		p.pcm = append(p.pcm, pcm[:n]...)
		if p.observer.Sound != nil {
			p.observer.Sound(packet.Timestamp, pcm[:n])
		}
		p.mu.Unlock()
	}
}

// How long a Player waits for a lost packet: playerWait before it asks for a keyframe,
// playerMost at most, and playerSkip where a keyframe is there which goes on without.
// Browsers do not wait for that at all, and longer for the others.
const playerWait, playerMost, playerSkip = 500 * time.Millisecond, 2 * time.Second, 100 * time.Millisecond

// watch shows the pictures as browsers do: after a loss none but from a keyframe on.
func (p *Player) watch(pc *peer, track *webrtc.TrackRemote) {
	decoder, err := h264dec.NewDecoder()
	if err != nil {
		panic(err) // libavcodec has a decoder
	}
	defer decoder.Close()
	assembler := h264.NewAssembler(h264.Config{Wait: playerWait, Most: playerMost, Skip: playerSkip})
	packets := newRepaired(pc, track)
	asked, damaged := time.Duration(0), true
	for {
		packet, err := packets.read()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.video.count(packet)
		p.video.last = packet.Header
		p.mu.Unlock()
		now := packets.now()
		assembler.Push(h264.Packet{SSRC: packet.SSRC, Sequence: packet.SequenceNumber, Timestamp: packet.Timestamp,
			Marker: packet.Marker, Payload: packet.Payload}, now)
		for {
			au, ok := assembler.Next(now)
			if !ok {
				break
			}
			damaged = (damaged || au.Gap) && !au.Key
			shown := false
			if !damaged {
				shown, err = decoder.Decode(au.Data)
				damaged = err != nil
			}
			if !shown || damaged {
				continue
			}
			view := decoder.Take()
			img := yuv.NewImage(view.Width, view.Height)
			yuv.Copy(img, &view)
			p.mu.Lock()
			p.image = img
			p.pictures++
			if p.observer.Picture != nil {
				p.observer.Picture(au.Timestamp, img)
			}
			if au.Key {
				p.keyframes++
			}
			p.mu.Unlock()
		}
		if (damaged || assembler.Overdue(now)) && now-asked >= playerWait {
			asked = now
			_ = pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: packet.SSRC}})
		}
	}
}

// count counts a packet and returns whether there was one before it.
func (f *Flow) count(packet *rtp.Packet) (further bool) {
	further = f.Packets > 0
	if further && packet.SequenceNumber != f.last.SequenceNumber+1 {
		f.Gaps++
	}
	f.SSRC = packet.SSRC
	f.Packets++
	return further
}

// ToneLevel is the level of a tone's peak in dBFS: the median over Hann windows of 0.5 s,
// so that a click does not count and a gap does. It is −∞ when there is less than one
// window.
func ToneLevel(pcm []int16, hz float64) float64 {
	const window = Rate / 2
	var levels []float64
	for ; len(pcm) >= window; pcm = pcm[window/2:] {
		levels = append(levels, Level(pcm[:window], hz))
	}
	if len(levels) == 0 {
		return math.Inf(-1)
	}
	slices.Sort(levels)
	return levels[len(levels)/2]
}

// Level is the level of a tone's peak in one Hann window, all of pcm, in dBFS (Goertzel's
// algorithm).
func Level(pcm []int16, hz float64) float64 {
	coefficient := 2 * math.Cos(2*math.Pi*hz/Rate)
	var s1, s2, gain float64
	for i, v := range pcm {
		w := 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(len(pcm)))
		gain += w
		s1, s2 = w*float64(v)+coefficient*s1-s2, s1
	}
	power := s1*s1 + s2*s2 - coefficient*s1*s2
	return 20 * math.Log10(2*math.Sqrt(max(power, 0))/gain/32768+1e-9)
}

// Mean is the mean colour of the rectangle of w×h at (x, y), all even.
func Mean(img *yuv.Image, x, y, w, h int) Colour {
	sub := img.Sub(x, y, w, h)
	mean := func(plane []byte, stride, w, h int) byte {
		sum := 0
		for row := range h {
			for _, v := range plane[row*stride : row*stride+w] {
				sum += int(v)
			}
		}
		return byte((sum + w*h/2) / (w * h))
	}
	return Colour{
		Y: mean(sub.Y, sub.YStride, w, h),
		U: mean(sub.U, sub.CStride, w/2, h/2),
		V: mean(sub.V, sub.CStride, w/2, h/2),
	}
}
