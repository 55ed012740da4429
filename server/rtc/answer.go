package rtc

import (
	"slices"
	"strings"

	"github.com/pion/sdp/v3"
)

// answer completes pion's answer: the sections that pion was not shown, all in the order
// of the offer, and a=rtcp-mux-only (RFC 9725, 4.4.1; RFC 8858).
func (o *offer) answer(pion string) (string, error) {
	var d sdp.SessionDescription
	if err := d.UnmarshalString(pion); err != nil {
		return "", err
	}
	byMid := map[string]*sdp.MediaDescription{}
	var candidates []sdp.Attribute
	var transport []sdp.Attribute // what all sections have in common
	for _, m := range d.MediaDescriptions {
		mid, _ := m.Attribute(sdp.AttrKeyMID)
		byMid[mid] = m
		m.Attributes = slices.DeleteFunc(m.Attributes, func(a sdp.Attribute) bool {
			switch a.Key {
			case sdp.AttrKeyCandidate:
				if words := strings.Fields(a.Value); len(words) > 1 && words[1] == "1" { // RTCP is multiplexed
					candidates = append(candidates, a)
				}
			case sdp.AttrKeyEndOfCandidates:
				candidates = append(candidates, a)
			default:
				return false
			}
			return true
		})
		if transport == nil {
			for _, a := range m.Attributes {
				switch a.Key {
				case sdp.AttrKeyConnectionSetup, "ice-ufrag", "ice-pwd", sdp.AttrKeyRTCPMux, sdp.AttrKeyRTCPRsize:
					transport = append(transport, a)
				}
			}
		}
	}
	d.MediaDescriptions = nil
	var mids []string
	for _, s := range o.sections {
		m := byMid[s.mid]
		switch {
		case m != nil:
		case s.rejected:
			m = &sdp.MediaDescription{MediaName: sdp.MediaName{Media: s.media, Protos: s.protos, Formats: s.formats}}
			m.ConnectionInformation = noAddress()
			m.WithValueAttribute(sdp.AttrKeyMID, s.mid)
		default:
			m = s.inactive(transport)
		}
		d.MediaDescriptions = append(d.MediaDescriptions, m)
		if m.MediaName.Port.Value == 0 {
			continue
		}
		mids = append(mids, s.mid)
		if !s.rsize { // pion takes it for granted
			m.Attributes = slices.DeleteFunc(m.Attributes, func(a sdp.Attribute) bool { return a.Key == sdp.AttrKeyRTCPRsize })
		}
		if at := slices.IndexFunc(m.Attributes, func(a sdp.Attribute) bool { return a.Key == sdp.AttrKeyRTCPMux }); at >= 0 {
			m.Attributes = slices.Insert(m.Attributes, at+1, sdp.NewAttribute("rtcp-mux-only", ""))
		}
		if len(mids) == 1 { // the BUNDLE transport
			m.Attributes = append(m.Attributes, candidates...)
		}
	}
	d.Attributes = slices.DeleteFunc(d.Attributes, func(a sdp.Attribute) bool { return a.Key == sdp.AttrKeyGroup })
	if len(o.bundle) > 0 {
		d.Attributes = append([]sdp.Attribute{sdp.NewAttribute(sdp.AttrKeyGroup, "BUNDLE "+strings.Join(mids, " "))}, d.Attributes...)
	}
	text, err := d.Marshal()
	return string(text), err
}

// inactive answers a section that carries nothing, but is not refused: with its first
// payload type.
func (s *section) inactive(transport []sdp.Attribute) *sdp.MediaDescription {
	m := sdp.NewJSEPMediaDescription(s.media, []string{})
	m.MediaName.Formats = s.formats[:min(1, len(s.formats))]
	m.Attributes = append(m.Attributes, transport...)
	m.WithValueAttribute(sdp.AttrKeyMID, s.mid)
	for pt, f := range s.formatsMap {
		if slices.Contains(m.MediaName.Formats, ptString(pt)) && f.name != "" {
			m.WithValueAttribute("rtpmap", ptString(pt)+" "+f.name)
			if f.fmtp != "" {
				m.WithValueAttribute("fmtp", ptString(pt)+" "+f.fmtp)
			}
		}
	}
	return m.WithPropertyAttribute("inactive")
}

func noAddress() *sdp.ConnectionInformation {
	return &sdp.ConnectionInformation{NetworkType: "IN", AddressType: "IP4", Address: &sdp.Address{Address: "0.0.0.0"}}
}
