package room

import "fmt"

// allTitle is what the mix of everybody is called beside the mixes of streams.
const allTitle = "all"

// MaxName is the greatest length of a name, in bytes.
const MaxName = 64

// CheckName tells whether a room or a stream can have that name. Names are parts of URLs
// and of file names: they need no escaping anywhere, and are never hidden files nor "..".
func CheckName(name string) error {
	ok := len(name) > 0 && len(name) <= MaxName && name[0] != '.'
	for i := 0; ok && i < len(name); i++ {
		c := name[i]
		ok = c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '-'
	}
	if !ok {
		return fmt.Errorf("name %.80q is not accepted, only 1 to %d of A-Z a-z 0-9 _ . -, not starting with a dot", name, MaxName)
	}
	return nil
}

// CheckStreamName tells whether a new stream can have that name: "all" is what the mix of
// everybody is called where streams are listed.
func CheckStreamName(name string) error {
	if name == allTitle {
		return fmt.Errorf("name %q is not accepted for a stream: it is that of the mix of everybody", name)
	}
	return CheckName(name)
}
