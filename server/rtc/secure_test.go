package rtc

import (
	"bytes"
	"testing"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

func testKeys() *srtp.Config {
	key := func(b byte, n int) []byte { return bytes.Repeat([]byte{b}, n) }
	return &srtp.Config{
		Profile: srtp.ProtectionProfileAeadAes128Gcm,
		Keys: srtp.SessionKeys{
			LocalMasterKey: key(1, 16), LocalMasterSalt: key(2, 12),
			RemoteMasterKey: key(1, 16), RemoteMasterSalt: key(2, 12),
		},
	}
}

func testSealer(t *testing.T) *sealer {
	t.Helper()
	s, err := newSealer(testKeys())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What is sealed comes out of the opener once, whatever its size, across the wrap of
// sequence numbers; repeated or changed packets do not.
func TestSealOpen(t *testing.T) {
	s := testSealer(t)
	o, err := newOpener(testKeys())
	if err != nil {
		t.Fatal(err)
	}
	header := rtp.Header{Version: 2, SSRC: 7, SequenceNumber: 65530, PayloadType: 111}
	for size := range 1300 {
		header.SequenceNumber++
		header.Timestamp += 960
		payload := bytes.Repeat([]byte{byte(size)}, size)
		sealed, err := s.seal(&header, payload)
		if err != nil {
			t.Fatal(err)
		}
		changed, again := bytes.Clone(sealed), bytes.Clone(sealed)
		changed[len(changed)-1] ^= 1
		if _, err := o.open(changed); err == nil {
			t.Fatalf("%d bytes: a changed packet opens", size)
		}
		plain, err := o.open(sealed)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		var got rtp.Packet
		if err := got.Unmarshal(plain); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Payload, payload) || got.SequenceNumber != header.SequenceNumber || got.Timestamp != header.Timestamp || got.SSRC != 7 {
			t.Fatalf("%d bytes: %v", size, got)
		}
		if _, err := o.open(again); err == nil {
			t.Fatalf("%d bytes: a packet opens twice", size)
		}
	}
}

func TestSealOpenAllocateNothing(t *testing.T) {
	s := testSealer(t)
	o, err := newOpener(testKeys())
	if err != nil {
		t.Fatal(err)
	}
	header := rtp.Header{Version: 2, SSRC: 7, PayloadType: 111}
	payload := make([]byte, 160)
	if n := testing.AllocsPerRun(1000, func() {
		header.SequenceNumber++
		sealed, err := s.seal(&header, payload)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.open(sealed); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
}
