// Package client is a WebRTC participant for tests and load: it publishes a tone and a
// colour of its own by WHIP, plays rooms by WHEP, and tells what it heard and saw.
package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/webrtc/v4"
)

// session is one peer connection negotiated over HTTP (RFC 9725 and its mirror, WHEP).
type session struct {
	pc       *peer
	client   *http.Client
	Location *url.URL // of the session
	SID      string   // X-Sid
	Answer   string   // SDP
}

// peer is a peer connection with the socket that was made for it.
type peer struct {
	*webrtc.PeerConnection
	mux  ice.UDPMux
	link *impaired // the socket; nil where the caller has wrapped it
}

// Close closes both.
func (p *peer) Close() error {
	return errors.Join(p.PeerConnection.Close(), p.mux.Close())
}

// newPeer makes a peer connection over the link, with all that a browser has.
func (l Link) newPeer() (*peer, error) {
	conn, err := l.listen()
	if err != nil {
		return nil, err
	}
	pc, err := newPeer(conn)
	if err != nil {
		return nil, err
	}
	pc.link = conn
	return pc, nil
}

// newPeer makes a peer connection with all that a browser has. It owns the socket and uses
// no other.
func newPeer(conn net.PacketConn) (*peer, error) {
	media := &webrtc.MediaEngine{}
	if err := media.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	registry := &interceptor.Registry{}
	responder, err := nack.NewResponderInterceptor()
	if err != nil {
		return nil, err
	}
	for _, feedback := range []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}} {
		media.RegisterFeedback(feedback, webrtc.RTPCodecTypeVideo)
	}
	registry.Add(responder)
	if err := webrtc.ConfigureRTCPReports(registry); err != nil {
		return nil, err
	}
	if err := webrtc.ConfigureSimulcastExtensionHeaders(media); err != nil {
		return nil, err
	}
	if err := webrtc.ConfigureTWCCSender(media, registry); err != nil {
		return nil, err
	}
	return newPeerOn(conn, media, registry)
}

// newPeerOn makes a peer connection that owns the socket and uses no other.
func newPeerOn(conn net.PacketConn, media *webrtc.MediaEngine, registry *interceptor.Registry) (*peer, error) {
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn})
	settings.SetICEUDPMux(mux)
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(settings))
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		mux.Close()
		return nil, err
	}
	return &peer{PeerConnection: pc, mux: mux}, nil
}

// negotiate posts the offer of pc to an endpoint and waits until it is connected.
func (l Link) negotiate(ctx context.Context, pc *peer, endpoint string) (s *session, err error) {
	err = pc.connect(ctx, func(ctx context.Context, offer string) (string, error) {
		if s, err = l.post(ctx, endpoint, offer); err != nil {
			return "", err
		}
		s.pc = pc
		return s.Answer, nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Signal hands an offer to a server and returns its answer.
type Signal func(ctx context.Context, offer string) (answer string, err error)

// connect makes an offer, sets the answer, and waits until the connection is there.
func (pc *peer) connect(ctx context.Context, signal Signal) error {
	connected := make(chan webrtc.PeerConnectionState, 8)
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		select {
		case connected <- s:
		default:
		}
	})
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(pc.PeerConnection)
	if err := pc.SetLocalDescription(offer); err != nil {
		return err
	}
	<-gathered
	answer, err := signal(ctx, pc.LocalDescription().SDP)
	if err != nil {
		return err
	}
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("not connected: %w", ctx.Err())
		case state := <-connected:
			switch state {
			case webrtc.PeerConnectionStateConnected:
				return nil
			case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
				return fmt.Errorf("connection %s", state)
			}
		}
	}
}

// StatusError is an answer of the server that is not 201.
type StatusError struct {
	Status int
	Body   string
}

func (e *StatusError) Error() string { return fmt.Sprintf("status %d: %s", e.Status, e.Body) }

func (l Link) post(ctx context.Context, endpoint, offer string) (*session, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewBufferString(offer))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/sdp")
	resp, err := l.http().Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusCreated {
		return nil, &StatusError{resp.StatusCode, string(body)}
	}
	location, err := resp.Location()
	if err != nil {
		return nil, err
	}
	return &session{client: l.http(), Location: location, SID: resp.Header.Get("X-Sid"), Answer: string(body)}, nil
}

// Close ends the session with DELETE and closes the connection.
func (s *session) Close() error { return errors.Join(s.remove(), s.pc.Close()) }

// remove ends the session at the server.
func (s *session) remove() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, s.Location.String(), nil)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err == nil {
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("DELETE: status %d", resp.StatusCode)
		}
	}
	return err
}
