package room

import (
	"strings"
	"testing"
)

func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{
		"a": true, "meeting": true, "A-z_0.9": true, "-": true, "a.": true, "a..b": true,
		strings.Repeat("x", MaxName): true,
		"":                           false, ".": false, "..": false, ".a": false, "a/b": false, "a b": false, "a\x00": false,
		"é": false, "a\n": false, "a%": false, "a`": false, "a{": false, "a@": false, "a[": false, "a:": false,
		strings.Repeat("x", MaxName+1): false,
	} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("CheckName(%q) = %v, want accepted: %t", name, err, ok)
		}
	}
	if err := CheckName(strings.Repeat("/", 1<<16)); len(err.Error()) > 300 {
		t.Errorf("the error repeats %d bytes", len(err.Error()))
	}
}

func TestCheckStreamName(t *testing.T) {
	for name, ok := range map[string]bool{"all": false, "All": true, "all1": true, "": false, "a/b": false} {
		if err := CheckStreamName(name); (err == nil) != ok {
			t.Errorf("CheckStreamName(%q) = %v, want accepted: %t", name, err, ok)
		}
	}
}
