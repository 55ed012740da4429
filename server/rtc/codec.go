package rtc

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pion/webrtc/v4"
)

// codec is the one that was chosen of a section, with the payload types of the client.
type codec struct {
	params webrtc.RTPCodecParameters
	rtx    uint8 // payload type of retransmissions (RFC 4588); 0: none
}

// Feedback that a publisher gets, and that a player may give.
var (
	publishFeedback = []webrtc.RTCPFeedback{{Type: "goog-remb"}, {Type: "transport-cc"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}}
	playFeedback    = []webrtc.RTCPFeedback{{Type: "transport-cc"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}}
)

// choose picks the codec of a section: Opus, or the client's first choice of H.264.
//
// Packetization mode 1 comes before mode 0, and a player must be able to take mode 1: the
// mosaic has slices that are longer than a packet. Its stream is constrained baseline,
// which decoders of the Baseline, Main and High profile all take.
func (s *section) choose(play bool) error {
	var best *codec
	mode0 := false
	for _, text := range s.formats {
		n, err := strconv.ParseUint(text, 10, 7)
		if err != nil {
			continue
		}
		pt := uint8(n)
		f := s.formatsMap[pt]
		c := codec{params: webrtc.RTPCodecParameters{PayloadType: webrtc.PayloadType(pt)}}
		switch {
		case s.media == "audio" && f.name == "opus/48000/2":
			c.params.RTPCodecCapability = webrtc.RTPCodecCapability{
				MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: opusFmtp(f.fmtp),
			}
		case s.media == "video" && f.name == "h264/90000" && acceptableH264(f.fmtp):
			c.params.RTPCodecCapability = webrtc.RTPCodecCapability{
				MimeType: webrtc.MimeTypeH264, ClockRate: 90000, SDPFmtpLine: h264Fmtp(f.fmtp),
			}
			c.rtx = s.retransmission(pt)
		default:
			continue
		}
		if s.media == "video" { // sound is neither repeated nor part of a bandwidth estimate
			c.params.RTCPFeedback = feedback(f.feedback, play)
		}
		if s.media == "video" && parameter(f.fmtp, "packetization-mode") != "1" {
			if best == nil {
				best, mode0 = &c, true
			}
			continue
		}
		s.codec = c
		return nil
	}
	if best == nil {
		if s.media == "audio" {
			return unacceptable("the audio section does not offer Opus (opus/48000/2)")
		}
		return unacceptable("the video section does not offer H.264 of the Baseline, Main or High profile")
	}
	if mode0 && play {
		return unacceptable("the video section does not offer H.264 with packetization-mode=1")
	}
	s.codec = *best
	return nil
}

// retransmission finds the RTX payload type of another one.
func (s *section) retransmission(pt uint8) uint8 {
	for _, text := range s.formats {
		n, err := strconv.ParseUint(text, 10, 7)
		if err != nil {
			continue
		}
		f := s.formatsMap[uint8(n)]
		if f.name == "rtx/90000" && parameter(f.fmtp, "apt") == strconv.Itoa(int(pt)) {
			return uint8(n)
		}
	}
	return 0
}

// parameter reads one parameter of an fmtp line.
func parameter(fmtp, key string) string {
	for p := range strings.SplitSeq(fmtp, ";") {
		if k, v, _ := strings.Cut(strings.TrimSpace(p), "="); strings.EqualFold(k, key) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// acceptableH264 checks the profile (RFC 6184, 8.1; without one it is Baseline) and the
// packetization mode.
func acceptableH264(fmtp string) bool {
	if mode := parameter(fmtp, "packetization-mode"); mode != "" && mode != "0" && mode != "1" {
		return false
	}
	id := parameter(fmtp, "profile-level-id")
	if id == "" {
		return true
	}
	n, err := strconv.ParseUint(id, 16, 24)
	if err != nil || len(id) != 6 {
		return false
	}
	switch profile := n >> 16; profile {
	case 66, 77, 100:
		return true
	}
	return false
}

// h264Fmtp is the answer to an fmtp line of H.264: profile and mode must be the same
// (RFC 6184, 8.2.2).
func h264Fmtp(offered string) string {
	fmtp := ""
	if parameter(offered, "level-asymmetry-allowed") == "1" {
		fmtp = "level-asymmetry-allowed=1;"
	}
	mode := parameter(offered, "packetization-mode")
	if mode == "" {
		mode = "0"
	}
	id := parameter(offered, "profile-level-id")
	if id == "" {
		id = "42000a"
	}
	return fmtp + "packetization-mode=" + mode + ";profile-level-id=" + id
}

// opusFmtp asks for in-band FEC, and leaves discontinuous transmission to the client.
func opusFmtp(offered string) string {
	fmtp := "minptime=10;useinbandfec=1"
	if parameter(offered, "usedtx") == "1" {
		fmtp += ";usedtx=1"
	}
	return fmtp
}

// feedback is what both sides support.
func feedback(offered []string, play bool) []webrtc.RTCPFeedback {
	supported := publishFeedback
	if play {
		supported = playFeedback
	}
	var both []webrtc.RTCPFeedback
	for _, f := range supported {
		if slices.Contains(offered, strings.TrimSpace(f.Type+" "+f.Parameter)) {
			both = append(both, f)
		}
	}
	// A player's own estimate serves where it does not report on each packet.
	if remb := (webrtc.RTCPFeedback{Type: "goog-remb"}); play && !slices.Contains(both, webrtc.RTCPFeedback{Type: "transport-cc"}) && slices.Contains(offered, remb.Type) {
		both = append(both, remb)
	}
	return both
}

// formats are the payload types for an m= line.
func (c *codec) formats() string {
	list := strconv.Itoa(int(c.params.PayloadType))
	if c.rtx != 0 {
		list += " " + strconv.Itoa(int(c.rtx))
	}
	return list
}

// render writes the attributes of the payload types.
func (c *codec) render(line func(string, ...any)) {
	p := c.params
	_, name, _ := strings.Cut(p.MimeType, "/")
	if p.Channels > 0 {
		line("a=rtpmap:%d %s/%d/%d", p.PayloadType, name, p.ClockRate, p.Channels)
	} else {
		line("a=rtpmap:%d %s/%d", p.PayloadType, name, p.ClockRate)
	}
	line("a=fmtp:%d %s", p.PayloadType, p.SDPFmtpLine)
	for _, f := range p.RTCPFeedback {
		line("a=rtcp-fb:%d %s", p.PayloadType, strings.TrimSpace(f.Type+" "+f.Parameter))
	}
	if c.rtx != 0 {
		line("a=rtpmap:%d rtx/90000\r\na=fmtp:%d apt=%d", c.rtx, c.rtx, p.PayloadType)
	}
}

// register makes a media engine know the codec, and nothing else of its kind.
func (c *codec) register(m *webrtc.MediaEngine, kind webrtc.RTPCodecType) error {
	if err := m.RegisterCodec(c.params, kind); err != nil {
		return err
	}
	if c.rtx == 0 {
		return nil
	}
	return m.RegisterCodec(webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=" + strconv.Itoa(int(c.params.PayloadType)),
		},
		PayloadType: webrtc.PayloadType(c.rtx),
	}, kind)
}

func ptString(pt uint8) string { return strconv.Itoa(int(pt)) }
