package rtc

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"testing"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// profiles are those that sessions may agree on.
var profiles = []srtp.ProtectionProfile{
	srtp.ProtectionProfileAeadAes128Gcm, srtp.ProtectionProfileAeadAes256Gcm, srtp.ProtectionProfileAes128CmHmacSha1_80,
}

// testKeys are the same in both directions.
func testKeys(t *testing.T, profile srtp.ProtectionProfile) *srtp.Config {
	t.Helper()
	keyLen, err := profile.KeyLen()
	if err != nil {
		t.Fatal(err)
	}
	saltLen, err := profile.SaltLen()
	if err != nil {
		t.Fatal(err)
	}
	key, salt := make([]byte, keyLen), make([]byte, saltLen)
	for i := range key {
		key[i] = byte(3 * i)
	}
	for i := range salt {
		salt[i] = byte(200 + i)
	}
	return &srtp.Config{Profile: profile, Keys: srtp.SessionKeys{
		LocalMasterKey: key, LocalMasterSalt: salt, RemoteMasterKey: key, RemoteMasterSalt: salt,
	}}
}

func testSealer(t *testing.T) *sealer {
	t.Helper()
	s, err := newSealer(testKeys(t, srtp.ProtectionProfileAeadAes128Gcm))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// eachProfile runs a test with a sealer and an opener of the same keys.
func eachProfile(t *testing.T, test func(*testing.T, *sealer, *opener)) {
	for _, profile := range profiles {
		t.Run(profile.String(), func(t *testing.T) {
			config := testKeys(t, profile)
			s, err := newSealer(config)
			if err != nil {
				t.Fatal(err)
			}
			o, err := newOpener(config)
			if err != nil {
				t.Fatal(err)
			}
			test(t, s, o)
		})
	}
}

// What is sealed comes out of the opener once, whatever its size, across the wrap of
// sequence numbers; repeated or changed packets do not.
func TestSealOpen(t *testing.T) { eachProfile(t, testSealOpen) }

func testSealOpen(t *testing.T, s *sealer, o *opener) {
	header := rtp.Header{Version: 2, SSRC: 7<<24 + 5, SequenceNumber: 65530, PayloadType: 111}
	for size := range 1300 {
		header.SequenceNumber++
		header.Timestamp += 960
		header.Marker = size%3 == 0
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
		if !bytes.Equal(got.Payload, payload) || got.SequenceNumber != header.SequenceNumber ||
			got.Timestamp != header.Timestamp || got.SSRC != header.SSRC || got.Marker != header.Marker {
			t.Fatalf("%d bytes: %v", size, got)
		}
		if _, err := o.open(again); err == nil {
			t.Fatalf("%d bytes: a packet opens twice", size)
		}
	}
}

// The opener, which is pion's, follows over several wraps of the sequence number.
func TestSealRollover(t *testing.T) {
	eachProfile(t, func(t *testing.T, s *sealer, o *opener) {
		header := rtp.Header{Version: 2, SSRC: 7, PayloadType: 111}
		for i := range 40 {
			header.SequenceNumber += 10000
			sealed, err := s.seal(&header, []byte{byte(i)})
			if err != nil {
				t.Fatal(err)
			}
			if plain, err := o.open(sealed); err != nil || plain[12] != byte(i) {
				t.Fatalf("packet %d: %v", i, err)
			}
		}
	})
}

// The example of RFC 7714, 16.1.1, of session keys.
func TestGCMVector(t *testing.T) {
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	block, err := aes.NewCipher(unhex("000102030405060708090a0b0c0d0e0f"))
	if err != nil {
		t.Fatal(err)
	}
	g := &gcm{}
	if g.aead, err = cipher.NewGCM(block); err != nil {
		t.Fatal(err)
	}
	copy(g.salt[:], unhex("517569642070726f2071756f"))
	got, err := g.seal(unhex("8040f17b8041f8d35501a0b2"), []byte("Gallia est omnis divisa in partes tres"), 0x5501a0b2, 0xf17b)
	if err != nil {
		t.Fatal(err)
	}
	want := "8040f17b8041f8d35501a0b2" +
		"f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce"
	if hex.EncodeToString(got) != want {
		t.Errorf("%x", got)
	}
}

func TestSealOpenAllocateNothing(t *testing.T) {
	eachProfile(t, func(t *testing.T, s *sealer, o *opener) {
		if s.gcm == nil {
			t.Skip("pion's HMACs come from a sync.Pool, which the race detector empties at random")
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
	})
}
