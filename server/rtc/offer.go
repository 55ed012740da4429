package rtc

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/ice/v4"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"sectile/engine"
)

// offer is an SDP offer, checked, and reduced to what this server does with it.
//
// pion never sees the client's text: it gets one that render writes, with the sections
// that carry media and the one codec that was chosen for each. So what pion would do with
// simulcast, data channels, or a codec nobody asked for does not matter.
type offer struct {
	sections []*section // all of the client's, in its order
	bundle   []string   // mids of its BUNDLE group
	ice      credentials
	lite     bool
	mixed    bool   // a=extmap-allow-mixed
	setup    string // active, passive or actpass
	print    string // value of a=fingerprint

	candidates []string // values of a=candidate that may be used
	dropped    int      // candidates that may not
}

// credentials are those of one ICE generation of the client.
type credentials struct{ ufrag, pwd string }

// valid checks the syntax (RFC 8839, 5.4).
func (c credentials) valid() bool {
	chars := func(s string) bool {
		return !strings.ContainsFunc(s, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '+' || r == '/')
		})
	}
	// Underscores and the like are no ice-char, but some clients use them in their
	// credentials, and all stacks take them.
	lax := func(s string) bool { return chars(strings.NewReplacer("-", "", "_", "", "=", "").Replace(s)) }
	return len(c.ufrag) >= 4 && len(c.ufrag) <= 256 && len(c.pwd) >= 22 && len(c.pwd) <= 256 && lax(c.ufrag) && lax(c.pwd)
}

// section is one m= section of an offer.
type section struct {
	mid, media string
	protos     []string
	formats    []string
	direction  webrtc.RTPTransceiverDirection
	rejected   bool // by the client (port 0), or since it is no sound nor picture
	use        bool // carries media; else it is answered inactive
	rsize      bool // takes RTCP that is not compound (RFC 5506)
	codec      codec
	extensions []string // values of a=extmap that are used
	formatsMap map[uint8]format

	rids []string // of simulcast layers (RFC 8853); empty: one source without

	ssrc, rtxSSRC uint32 // of the source; 0: not known
	announced     bool   // in what pion was offered
}

// format is what the attributes of a section say about one payload type.
type format struct {
	name     string // lower case, with clock rate and channels: "opus/48000/2"
	fmtp     string
	feedback []string
}

// parseOffer reads an offer and checks all that does not depend on its use.
func parseOffer(body []byte, loopback bool) (*offer, error) {
	if n := bytes.Count(body, []byte("\n")); n > maxLines {
		return nil, malformed("SDP of %d lines, at most %d are accepted", n, maxLines)
	}
	var d sdp.SessionDescription
	if err := d.Unmarshal(body); err != nil {
		return nil, malformed("SDP: %v", err)
	}
	if n := len(d.MediaDescriptions); n == 0 || n > maxSections {
		return nil, malformed("SDP with %d m= sections, 1 to %d are accepted", n, maxSections)
	}
	o := &offer{}
	_, o.lite = d.Attribute(sdp.AttrKeyICELite)
	_, o.mixed = d.Attribute(sdp.AttrKeyExtMapAllowMixed)
	for _, a := range d.Attributes {
		if words := strings.Fields(a.Value); a.Key == sdp.AttrKeyGroup && len(words) > 0 && words[0] == "BUNDLE" {
			o.bundle = words[1:]
		}
	}
	o.ice.ufrag, _ = d.Attribute("ice-ufrag")
	o.ice.pwd, _ = d.Attribute("ice-pwd")
	o.print, _ = d.Attribute("fingerprint")
	o.setup, _ = d.Attribute(sdp.AttrKeyConnectionSetup)

	mids := map[string]bool{}
	for _, m := range d.MediaDescriptions {
		s, err := o.parseSection(&d, m)
		if err != nil {
			return nil, err
		}
		if mids[s.mid] {
			return nil, malformed("two m= sections have a=mid:%s", s.mid)
		}
		mids[s.mid] = true
		o.sections = append(o.sections, s)
		if s.rejected {
			continue
		}
		for _, a := range m.Attributes {
			if a.Key == sdp.AttrKeyCandidate {
				o.candidate(a.Value, loopback)
			}
		}
	}
	return o, nil
}

func (o *offer) parseSection(d *sdp.SessionDescription, m *sdp.MediaDescription) (*section, error) {
	s := &section{
		media: m.MediaName.Media, protos: m.MediaName.Protos, formats: m.MediaName.Formats,
		direction: webrtc.RTPTransceiverDirectionSendrecv, formatsMap: map[uint8]format{},
	}
	s.mid, _ = m.Attribute(sdp.AttrKeyMID)
	if s.mid == "" || len(s.mid) > 64 {
		return nil, malformed("an m= section has no a=mid")
	}
	_, bundleOnly := m.Attribute("bundle-only")
	s.rejected = m.MediaName.Port.Value == 0 && !bundleOnly || s.media != "audio" && s.media != "video"
	if s.rejected {
		return s, nil
	}
	if n := len(s.formats); n > maxFormats {
		return nil, malformed("%d payload types in a section, at most %d are accepted", n, maxFormats)
	}
	if proto := strings.Join(s.protos, "/"); proto != "UDP/TLS/RTP/SAVPF" && proto != "TCP/TLS/RTP/SAVPF" && proto != "RTP/SAVPF" {
		return nil, unacceptable("transport %.40s, only UDP/TLS/RTP/SAVPF is supported", proto)
	}
	_, mux := m.Attribute(sdp.AttrKeyRTCPMux)
	_, muxOnly := m.Attribute("rtcp-mux-only")
	_, s.rsize = m.Attribute(sdp.AttrKeyRTCPRsize)
	if !mux && !muxOnly {
		return nil, unacceptable("section %s has no a=rtcp-mux (RFC 9725, 4.4.1)", s.mid)
	}
	for _, attributes := range [][]sdp.Attribute{d.Attributes, m.Attributes} {
		for _, a := range attributes {
			if dir := webrtc.NewRTPTransceiverDirection(a.Key); dir != webrtc.RTPTransceiverDirectionUnknown {
				s.direction = dir
			}
		}
	}
	// In a BUNDLE group only the first section has to have these.
	first := func(field *string, key string) {
		if value, ok := m.Attribute(key); ok && *field == "" {
			*field = value
		}
	}
	if o.ice.ufrag == "" {
		first(&o.ice.ufrag, "ice-ufrag")
		first(&o.ice.pwd, "ice-pwd")
	}
	first(&o.print, "fingerprint")
	first(&o.setup, sdp.AttrKeyConnectionSetup)
	s.parseFormats(m)
	s.parseSources(m)
	return s, s.parseLayers(m)
}

func (s *section) parseFormats(m *sdp.MediaDescription) {
	for _, f := range s.formats {
		if pt, err := strconv.ParseUint(f, 10, 7); err == nil {
			s.formatsMap[uint8(pt)] = format{}
		}
	}
	var all []string // feedback of all payload types
	for _, a := range m.Attributes {
		name, value, _ := strings.Cut(a.Value, " ")
		switch a.Key {
		case "rtcp-fb":
			if name == "*" {
				all = append(all, value)
				continue
			}
		case "rtpmap", "fmtp":
		case sdp.AttrKeyExtMap:
			if uri, _, _ := strings.Cut(value, " "); isExtension(uri) {
				id, _, _ := strings.Cut(name, "/")
				s.extensions = append(s.extensions, id+" "+uri)
			}
			continue
		default:
			continue
		}
		pt, err := strconv.ParseUint(name, 10, 7)
		f, ok := s.formatsMap[uint8(pt)]
		if err != nil || !ok {
			continue
		}
		switch a.Key {
		case "rtpmap":
			f.name = strings.ToLower(strings.TrimSpace(value))
		case "fmtp":
			f.fmtp = value
		case "rtcp-fb":
			f.feedback = append(f.feedback, value)
		}
		s.formatsMap[uint8(pt)] = f
	}
	for pt, f := range s.formatsMap {
		f.feedback = append(f.feedback, all...)
		s.formatsMap[pt] = f
	}
}

// parseSources takes the first source and its retransmissions.
func (s *section) parseSources(m *sdp.MediaDescription) {
	for _, a := range m.Attributes {
		words := strings.Fields(a.Value)
		switch {
		case a.Key == sdp.AttrKeySSRCGroup && len(words) == 3 && words[0] == "FID" && s.rtxSSRC == 0:
			primary, err1 := strconv.ParseUint(words[1], 10, 32)
			rtx, err2 := strconv.ParseUint(words[2], 10, 32)
			if err1 == nil && err2 == nil {
				s.ssrc, s.rtxSSRC = uint32(primary), uint32(rtx)
			}
		case a.Key == sdp.AttrKeySSRC && len(words) > 0 && s.ssrc == 0:
			if ssrc, err := strconv.ParseUint(words[0], 10, 32); err == nil {
				s.ssrc = uint32(ssrc)
			}
		}
	}
}

// parseLayers takes the layers of simulcast that are sent (RFC 8853), not more than are
// supported: an answer may leave some out (5.3.2).
func (s *section) parseLayers(m *sdp.MediaDescription) error {
	value, ok := m.Attribute("simulcast")
	words := strings.Fields(value)
	at := slices.Index(words, "send")
	if !ok || at < 0 || at+1 == len(words) || s.media != "video" {
		return nil
	}
	for alternatives := range strings.SplitSeq(words[at+1], ";") {
		rid, _, _ := strings.Cut(alternatives, ",")
		rid = strings.TrimPrefix(rid, "~") // paused at first
		if !isRID(rid) || slices.Contains(s.rids, rid) {
			return malformed("a=simulcast:%.40q", value)
		}
		if len(s.rids) < engine.MaxLayers {
			s.rids = append(s.rids, rid)
		}
	}
	for _, uri := range layerExtensions[:2] {
		if !slices.ContainsFunc(s.extensions, func(e string) bool { return strings.HasSuffix(e, " "+uri) }) {
			return unacceptable("simulcast without the RTP header extension %s", uri)
		}
	}
	s.ssrc, s.rtxSSRC = 0, 0
	return nil
}

// isRID checks the syntax (RFC 8851, 10), and a length that nobody needs.
func isRID(rid string) bool {
	return rid != "" && len(rid) <= 32 && !strings.ContainsFunc(rid, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	})
}

// layerExtensions tell the layers of simulcast apart until their SSRCs are known; the last
// one is of their retransmissions (RFC 8852, RFC 8843).
var layerExtensions = []string{sdp.SDESMidURI, sdp.SDESRTPStreamIDURI, sdp.SDESRepairRTPStreamIDURI}

func isExtension(uri string) bool {
	return uri == sdp.TransportCCURI || slices.Contains(layerExtensions, uri)
}

// usedExtensions are those that this server makes use of: transport-wide congestion
// control, of all that a client sends but only of the pictures that it receives, and what
// simulcast needs.
func (s *section) usedExtensions(direction webrtc.RTPTransceiverDirection) []string {
	plays := direction == webrtc.RTPTransceiverDirectionRecvonly
	return slices.DeleteFunc(slices.Clone(s.extensions), func(e string) bool {
		if strings.HasSuffix(e, " "+sdp.TransportCCURI) {
			return plays && s.media == "audio"
		}
		return plays || len(s.rids) == 0
	})
}

// hasVideo tells whether a section of video is in use.
func (o *offer) hasVideo() bool {
	return slices.ContainsFunc(o.used(), func(s *section) bool { return s.media == "video" })
}

// candidate takes a candidate of the client, if it may be used.
func (o *offer) candidate(value string, loopback bool) {
	if slices.Contains(o.candidates, value) {
		return // repeated in each section
	}
	if c, err := ice.UnmarshalCandidate(value); err == nil && c.NetworkType().IsTCP() {
		return // browsers have them beside those of UDP
	}
	if len(o.candidates) >= maxCandidates || !usable(value, loopback) {
		o.dropped++
		return
	}
	o.candidates = append(o.candidates, value)
}

// usable tells whether checks may be sent to a candidate: over UDP, to a literal address,
// to this machine only if that is where the client is.
func usable(value string, loopback bool) bool {
	c, err := ice.UnmarshalCandidate(value)
	if err != nil || !c.NetworkType().IsUDP() || isName(c.Address()) || c.Port() < 1 || c.Port() > 65535 {
		return false
	}
	addr, err := netip.ParseAddr(c.Address())
	if err != nil {
		return false
	}
	addr = addr.Unmap()
	return !addr.IsUnspecified() && !addr.IsMulticast() && (loopback || !addr.IsLoopback())
}

// check finishes an offer whose sections have been decided on.
func (o *offer) check(play bool) error {
	var used []*section
	kinds := map[string]bool{}
	bundled := 0
	for _, s := range o.sections {
		if s.rejected {
			continue
		}
		if kinds[s.media] {
			return unacceptable("more than one %s track (RFC 9725, 4.4.2)", s.media)
		}
		kinds[s.media] = true
		if slices.Contains(o.bundle, s.mid) {
			bundled++
		}
		if s.use {
			used = append(used, s)
		}
	}
	switch {
	case len(used) == 0:
		return unacceptable("no section of the offer can be used")
	case len(kinds) > 1 && bundled < len(kinds):
		return unacceptable("not all sections are in one BUNDLE group (RFC 9725, 4.4.1)")
	case !o.ice.valid():
		return malformed("a=ice-ufrag or a=ice-pwd is missing or malformed")
	case !isFingerprint(o.print):
		return malformed("a=fingerprint is missing or malformed")
	}
	switch o.setup {
	case "":
		o.setup = "actpass"
	case "active", "passive", "actpass":
	default:
		return unacceptable("a=setup:%.20s", o.setup)
	}
	for _, s := range used {
		if err := s.choose(play); err != nil {
			return err
		}
	}
	return nil
}

// isFingerprint tells whether text is the value of a=fingerprint: a hash function and as
// many bytes in hexadecimal as it yields (RFC 8122, 5).
func isFingerprint(text string) bool {
	hash, digits, _ := strings.Cut(text, " ")
	size := map[string]int{"sha-1": 20, "sha-224": 28, "sha-256": 32, "sha-384": 48, "sha-512": 64}[strings.ToLower(hash)]
	bytes := strings.Split(strings.TrimSpace(digits), ":")
	if size == 0 || len(bytes) != size {
		return false
	}
	return !slices.ContainsFunc(bytes, func(b string) bool {
		_, err := strconv.ParseUint(b, 16, 8)
		return err != nil || len(b) != 2
	})
}

// used are the sections that carry media.
func (o *offer) used() []*section {
	return slices.DeleteFunc(slices.Clone(o.sections), func(s *section) bool { return !s.use })
}

// render writes the offer for pion. The direction is the client's: sendonly or recvonly.
func (o *offer) render(direction webrtc.RTPTransceiverDirection) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0")
	used := o.used()
	var mids []string
	for _, s := range used {
		mids = append(mids, s.mid)
	}
	line("a=group:BUNDLE %s", strings.Join(mids, " "))
	line("a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=ice-options:trickle", o.ice.ufrag, o.ice.pwd)
	line("a=fingerprint:%s", o.print)
	if o.lite {
		line("a=ice-lite")
	}
	if o.mixed {
		line("a=extmap-allow-mixed")
	}
	setup := o.setup
	if setup == "actpass" {
		setup = "active" // so that pion answers passive (RFC 9725, 4.4.1)
	}
	for i, s := range used {
		line("m=%s 9 UDP/TLS/RTP/SAVPF %s", s.media, s.codec.formats())
		line("c=IN IP4 0.0.0.0\r\na=mid:%s\r\na=setup:%s\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=%s", s.mid, setup, direction)
		s.codec.render(line)
		for _, e := range s.usedExtensions(direction) {
			line("a=extmap:%s", e)
		}
		if direction == webrtc.RTPTransceiverDirectionSendonly {
			for _, rid := range s.rids {
				line("a=rid:%s send", rid)
			}
			if len(s.rids) > 0 {
				line("a=simulcast:send %s", strings.Join(s.rids, ";"))
			}
			s.announced = s.ssrc != 0
			if s.announced || len(s.rids) > 0 {
				line("a=msid:- %s", s.media)
			}
			if s.announced {
				if s.rtxSSRC != 0 && s.codec.rtx != 0 {
					line("a=ssrc-group:FID %d %d\r\na=ssrc:%d cname:-\r\na=ssrc:%d cname:-", s.ssrc, s.rtxSSRC, s.ssrc, s.rtxSSRC)
				} else {
					line("a=ssrc:%d cname:-", s.ssrc)
				}
			}
		}
		if i == 0 {
			for _, c := range o.candidates {
				line("a=candidate:%s", c)
			}
		}
	}
	return b.String()
}
