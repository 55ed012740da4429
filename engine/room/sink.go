package room

import (
	"fmt"
	"strconv"
	"strings"
)

// Tracks says what one player plays of a room: the mosaic or not, and one mix or none.
type Tracks struct {
	Video bool // v1
	Audio int  // n of track aN: 1 is the mix of everybody; 0 plays no sound
}

// ParseTracks reads a run of v1 and at most one aN, in any order, such as "v1a3" or "a1".
func ParseTracks(text string) (Tracks, error) {
	var t Tracks
	rest := text
	for rest != "" {
		kind, digits := rest[0], rest[1:]
		end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(digits)
		}
		n, err := strconv.Atoi(digits[:end])
		switch {
		case err != nil || n < 1 || digits[0] == '0':
			return Tracks{}, fmt.Errorf("tracks %q: want v1 and one aN, such as v1a1", text)
		case kind == 'v' && n == 1 && !t.Video:
			t.Video = true
		case kind == 'a' && t.Audio == 0:
			t.Audio = n
		default:
			return Tracks{}, fmt.Errorf("tracks %q: want v1 and one aN, such as v1a1", text)
		}
		rest = digits[end:]
	}
	if t == (Tracks{}) {
		return Tracks{}, fmt.Errorf("tracks %q: nothing to play", text)
	}
	return t, nil
}

// String is the inverse of ParseTracks.
func (t Tracks) String() string {
	var text string
	if t.Video {
		text = "v1"
	}
	if t.Audio > 0 {
		text += "a" + strconv.Itoa(t.Audio)
	}
	return text
}

// AccessUnit is one encoded picture of the mosaic, already cut into RTP payloads
// (RFC 6184, packetization mode 1), the same ones for every player.
type AccessUnit struct {
	Payloads  [][]byte
	Timestamp uint32 // 90 kHz, of the engine's clock
	Key       bool   // starts with SPS, PPS and an IDR
}

// Sink is where a player's media goes. The engine calls it from the tick of the room:
// it must not block, nor call back into the room, nor keep what it is handed after it
// returns.
type Sink interface {
	// WriteAudio takes one Opus packet. The timestamp counts in 1/48000 s of the engine's
	// clock whatever the room's sample rate (RFC 7587, 4.1), and is the same clock for all
	// tracks of a room, so that a player can be moved between them.
	WriteAudio(packet []byte, timestamp uint32)
	// WriteVideo takes one picture. After a subscription to v1 the first one is a keyframe.
	WriteVideo(au *AccessUnit)
	// Closed tells that nothing more will come, since the room or the track is gone. It is
	// called at most once, and not after Subscription.Close.
	Closed(reason error)
}

// TrackInfo describes one track of a room, as in media_info.json.
type TrackInfo struct {
	ID      string `json:"track_id"`
	Content string `json:"content"` // "video" or "audio"
	Codec   string `json:"codec"`   // "h264" or "opus"
	Width   int    `json:"width,omitempty"`
	Height  int    `json:"height,omitempty"`
	FPS     int    `json:"fps,omitempty"`
	Title   string `json:"title,omitempty"` // "all" or the stream's name
	Bitrate int    `json:"-"`               // of the full picture, bit/s; 0: not a picture
}
