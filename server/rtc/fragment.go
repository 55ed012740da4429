package rtc

import (
	"fmt"
	"strings"

	"github.com/pion/sdp/v3"
)

// fragment is the body of a PATCH (RFC 8840, 9).
type fragment struct {
	ice        credentials // empty: not told
	candidates []string    // values of a=candidate, not judged yet
}

// parseFragment reads a fragment. Attributes that it does not know are skipped.
func parseFragment(body string) (fragment, error) {
	var f fragment
	lines := 0
	for line := range strings.Lines(body) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		if lines++; lines > maxLines {
			return f, malformed("fragment of more than %d lines", maxLines)
		}
		value, isAttribute := strings.CutPrefix(line, "a=")
		if !isAttribute {
			if strings.HasPrefix(line, "m=") && len(strings.Fields(line)) >= 4 {
				continue
			}
			return f, malformed("fragment: %.60q is neither an m= nor an a= line", line)
		}
		key, value, _ := strings.Cut(value, ":")
		switch key {
		case "":
			return f, malformed("fragment: an attribute without a name")
		case "ice-ufrag":
			if f.ice.ufrag == "" { // repeated in each section
				f.ice.ufrag = value
			}
		case "ice-pwd":
			if f.ice.pwd == "" {
				f.ice.pwd = value
			}
		case sdp.AttrKeyCandidate:
			f.candidates = append(f.candidates, value)
		}
	}
	if lines == 0 {
		return f, malformed("fragment is empty")
	}
	return f, nil
}

// renderFragment makes the answer to an ICE restart of a whole answer: the server's new
// credentials and all its candidates.
func renderFragment(answer string) (string, error) {
	var d sdp.SessionDescription
	if err := d.UnmarshalString(answer); err != nil {
		return "", err
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("a=ice-options:trickle")
	if group, ok := d.Attribute(sdp.AttrKeyGroup); ok {
		line("a=group:%s", group)
	}
	for _, m := range d.MediaDescriptions {
		if m.MediaName.Port.Value == 0 {
			continue
		}
		line("m=%s", m.MediaName.String())
		for _, a := range m.Attributes {
			switch a.Key {
			case sdp.AttrKeyMID, "ice-ufrag", "ice-pwd", sdp.AttrKeyCandidate:
				line("a=%s:%s", a.Key, a.Value)
			case sdp.AttrKeyEndOfCandidates:
				line("a=end-of-candidates")
			}
		}
		break // the BUNDLE transport; the others have the same
	}
	return b.String(), nil
}
