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
	"github.com/pion/webrtc/v4"
)

// session is one peer connection negotiated over HTTP (RFC 9725 and its mirror, WHEP).
type session struct {
	pc       *peer
	Location *url.URL // of the session
	SID      string   // X-Sid
	Answer   string   // SDP
}

// peer is a peer connection with the socket that was made for it.
type peer struct {
	*webrtc.PeerConnection
	mux ice.UDPMux
}

// Close closes both.
func (p *peer) Close() error {
	return errors.Join(p.PeerConnection.Close(), p.mux.Close())
}

// newPeer makes a peer connection that only speaks to this machine, over the link.
func (l Link) newPeer() (*peer, error) {
	conn, err := l.listen()
	if err != nil {
		return nil, err
	}
	return newPeer(conn)
}

// newPeer makes a peer connection that uses conn, and closes it.
func newPeer(conn net.PacketConn) (*peer, error) {
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn})
	pc, err := newPeerConnection(mux)
	if err != nil {
		mux.Close()
		return nil, err
	}
	return &peer{pc, mux}, nil
}

func newPeerConnection(mux ice.UDPMux) (*webrtc.PeerConnection, error) {
	media := &webrtc.MediaEngine{}
	if err := media.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	registry := &interceptor.Registry{}
	if err := webrtc.RegisterDefaultInterceptors(media, registry); err != nil {
		return nil, err
	}
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() })
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetICEUDPMux(mux)
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(settings))
	return api.NewPeerConnection(webrtc.Configuration{})
}

// negotiate posts the offer of pc to an endpoint and waits until it is connected.
func negotiate(ctx context.Context, pc *peer, endpoint string) (*session, error) {
	connected := make(chan webrtc.PeerConnectionState, 8)
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		select {
		case connected <- s:
		default:
		}
	})
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		return nil, err
	}
	gathered := webrtc.GatheringCompletePromise(pc.PeerConnection)
	if err := pc.SetLocalDescription(offer); err != nil {
		return nil, err
	}
	<-gathered
	s, err := post(ctx, endpoint, pc.LocalDescription().SDP)
	if err != nil {
		return nil, err
	}
	s.pc = pc
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: s.Answer}); err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	for {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: not connected: %w", endpoint, ctx.Err())
		case state := <-connected:
			switch state {
			case webrtc.PeerConnectionStateConnected:
				return s, nil
			case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
				return nil, fmt.Errorf("%s: connection %s", endpoint, state)
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

func post(ctx context.Context, endpoint, offer string) (*session, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewBufferString(offer))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/sdp")
	resp, err := http.DefaultClient.Do(req)
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
	return &session{Location: location, SID: resp.Header.Get("X-Sid"), Answer: string(body)}, nil
}

// Close ends the session with DELETE and closes the connection.
func (s *session) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, s.Location.String(), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err == nil {
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("DELETE: status %d", resp.StatusCode)
		}
	}
	return errors.Join(err, s.pc.Close())
}
