package room

// Kind is one of the two media of a stream.
type Kind uint8

// The kinds of media.
const (
	Audio Kind = iota
	Video
)

// String returns "audio" or "video".
func (k Kind) String() string {
	if k == Video {
		return "video"
	}
	return "audio"
}
