package rtc

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"errors"

	"github.com/pion/srtp/v3"
)

// gcm encrypts the packets of one SSRC as the SRTP profiles with AES-GCM do (RFC 7714), which
// all browsers offer. pion's context does that for any number of SSRCs, and with whatever a
// header may hold, and takes three times as long; where a server sends a small packet of its
// own to each of many players, that is felt.
type gcm struct {
	aead     cipher.AEAD
	salt     [12]byte
	nonce    [12]byte // here since it would be allocated for each call otherwise
	rollover uint32   // counter of the sequence number's wraps
	sequence uint16   // of the packet before
	any      bool     // there was one
}

// newGCM takes the keys of what is sent. It returns nil for the profiles without AES-GCM.
func newGCM(config *srtp.Config) (*gcm, error) {
	switch config.Profile {
	case srtp.ProtectionProfileAeadAes128Gcm, srtp.ProtectionProfileAeadAes256Gcm:
	default:
		return nil, nil
	}
	master, salt := config.Keys.LocalMasterKey, config.Keys.LocalMasterSalt
	prf, err := aes.NewCipher(master)
	if err != nil {
		return nil, err
	}
	g := &gcm{}
	if len(salt) != len(g.salt) {
		return nil, errors.New("the salt of AES-GCM has 12 bytes (RFC 7714, 12)")
	}
	const encryption, salting = 0, 2 // labels (RFC 3711, 4.3.2)
	block, err := aes.NewCipher(derive(prf, salt, encryption, len(master)))
	if err != nil {
		return nil, err
	}
	if g.aead, err = cipher.NewGCM(block); err != nil {
		return nil, err
	}
	copy(g.salt[:], derive(prf, salt, salting, len(g.salt)))
	return g, nil
}

// derive makes a session key of so many bytes out of a master key (RFC 3711, 4.3; RFC 7714, 11).
func derive(prf cipher.Block, salt []byte, label byte, size int) []byte {
	var in [aes.BlockSize]byte
	copy(in[:], salt)
	in[7] ^= label
	var key []byte
	for block := byte(0); len(key) < size; block++ {
		in[aes.BlockSize-1] = block
		key = append(key, in[:]...)
		prf.Encrypt(key[len(key)-aes.BlockSize:], in[:])
	}
	return key[:size]
}

// seal appends to packet, which is a header with its SSRC and sequence number, the encrypted
// payload. Sequence numbers must grow by less than 2¹⁵ (RFC 3711, 3.3.1).
func (g *gcm) seal(packet, payload []byte, ssrc uint32, sequence uint16) ([]byte, error) {
	if g.any && sequence < g.sequence {
		if g.rollover++; g.rollover == 0 {
			return nil, errors.New("2⁴⁸ packets have used the key up (RFC 3711, 9.2)")
		}
	}
	g.any, g.sequence = true, sequence
	number := g.nonce[:] // RFC 7714, 8.1
	binary.BigEndian.PutUint16(number, 0)
	binary.BigEndian.PutUint32(number[2:], ssrc)
	binary.BigEndian.PutUint32(number[6:], g.rollover)
	binary.BigEndian.PutUint16(number[10:], sequence)
	subtle.XORBytes(number, number, g.salt[:])
	return g.aead.Seal(packet, number, payload, packet), nil
}
