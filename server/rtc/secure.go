package rtc

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unsafe"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/webrtc/v4"
)

// Sound does not take pion's way through its SRTP session, its interceptors and its
// streams: five goroutines hand each packet on there, and waking them costs more than all
// that is done to the packet. Instead the goroutine that reads the socket decrypts it and
// gives it to the engine, and the tick that makes a packet encrypts it and puts it among
// those that leave together. Both use the keys of the session's DTLS association, each
// with an SRTP context of its own: contexts keep state by SSRC, and the SSRCs of sound are
// used here only. Pictures and all RTCP stay with pion.

// replayWindow is how many packets may overtake one that is still taken, also pion's own
// number (RFC 3711, 3.3.2, wants 64 at least).
const replayWindow = 64

var errNoKeys = errors.New("the DTLS association has no keys")

// keys derives the SRTP keys of a session that is connected (RFC 5764, 4.2).
func keys(pc *webrtc.PeerConnection, transport *webrtc.DTLSTransport) (*srtp.Config, error) {
	conn, err := association(transport)
	if err != nil {
		return nil, err
	}
	if conn == nil {
		return nil, errNoKeys
	}
	state, ok := conn.ConnectionState()
	if !ok {
		return nil, errNoKeys
	}
	profile, ok := conn.SelectedSRTPProtectionProfile()
	if !ok {
		return nil, errNoKeys
	}
	// dtls and srtp number the profiles as IANA does.
	config := &srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	client := strings.Contains(pc.LocalDescription().SDP, "a=setup:active")
	if err := config.ExtractSessionKeysFromDTLS(&state, client); err != nil {
		return nil, fmt.Errorf("keys of DTLS: %w", err)
	}
	return config, nil
}

// association returns the DTLS association of a transport, which pion does not export. The
// field's type is checked, so that another version of pion is an error and not a crash.
func association(transport *webrtc.DTLSTransport) (*dtls.Conn, error) {
	field := reflect.ValueOf(transport).Elem().FieldByName("conn")
	if !field.IsValid() || field.Type() != reflect.TypeFor[*dtls.Conn]() {
		return nil, errors.New("this version of pion/webrtc keeps no *dtls.Conn in DTLSTransport.conn")
	}
	return *(**dtls.Conn)(unsafe.Pointer(field.UnsafeAddr())), nil
}

// checkAssociation fails with a version of pion from which sound cannot be taken.
func checkAssociation() error {
	_, err := association(&webrtc.DTLSTransport{})
	return err
}

// opener decrypts what one peer sends. One goroutine uses it.
type opener struct {
	context *srtp.Context
	header  rtp.Header
	control rtcp.Header
	plain   []byte // of RTCP
}

func newOpener(config *srtp.Config) (*opener, error) {
	context, err := srtp.CreateContext(config.Keys.RemoteMasterKey, config.Keys.RemoteMasterSalt, config.Profile,
		srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow))
	if err != nil {
		return nil, err
	}
	return &opener{context: context}, nil
}

// open decrypts an RTP packet in place. It allocates nothing.
func (o *opener) open(packet []byte) ([]byte, error) {
	return o.context.DecryptRTP(packet, packet, &o.header)
}

// openControl decrypts a copy of an RTCP packet, valid until the next call.
func (o *opener) openControl(packet []byte) ([]byte, error) {
	plain, err := o.context.DecryptRTCP(o.plain[:0], packet, &o.control)
	if err == nil {
		o.plain = plain
	}
	return plain, err
}

// sealer encrypts the packets of one SSRC that are sent to one peer. One goroutine uses it at
// a time.
type sealer struct {
	gcm     *gcm          // nil: of a profile without AES-GCM
	context *srtp.Context // if there is no gcm
	header  rtp.Header    // of context
	plain   []byte
	sealed  []byte
}

func newSealer(config *srtp.Config) (s *sealer, err error) {
	s = &sealer{}
	if s.gcm, err = newGCM(config); s.gcm != nil || err != nil {
		return s, err
	}
	s.context, err = srtp.CreateContext(config.Keys.LocalMasterKey, config.Keys.LocalMasterSalt, config.Profile)
	return s, err
}

// seal makes an encrypted packet, valid until the next call. It allocates nothing once its
// buffers have grown.
func (s *sealer) seal(header *rtp.Header, payload []byte) ([]byte, error) {
	const room = 64 // for the header and the authentication tag
	if need := len(payload) + room; cap(s.plain) < need {
		s.plain, s.sealed = make([]byte, 2*need), make([]byte, 2*need)
	}
	s.plain, s.sealed = s.plain[:cap(s.plain)], s.sealed[:cap(s.sealed)]
	if s.gcm != nil {
		n, err := header.MarshalTo(s.sealed)
		if err != nil {
			return nil, err
		}
		return s.gcm.seal(s.sealed[:n], payload, header.SSRC, header.SequenceNumber)
	}
	n, err := header.MarshalTo(s.plain)
	if err != nil {
		return nil, err
	}
	n += copy(s.plain[n:], payload)
	s.sealed, err = s.context.EncryptRTP(s.sealed[:0], s.plain[:n], &s.header)
	return s.sealed, err
}
