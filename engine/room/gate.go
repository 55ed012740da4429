package room

import "fmt"

// Gate says whether an input goes into the mix only while it talks.
type Gate uint8

// The zero Gate is the default: rooms were saved before there was one.
const (
	GateOn Gate = iota
	GateOff
)

func (g Gate) String() string {
	if g == GateOff {
		return "off"
	}
	return "on"
}

// MarshalText implements encoding.TextMarshaler.
func (g Gate) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (g *Gate) UnmarshalText(text []byte) error {
	switch string(text) {
	case "on":
		*g = GateOn
	case "off":
		*g = GateOff
	default:
		return fmt.Errorf("gate %q is neither on nor off", text)
	}
	return nil
}
