package rtc

import (
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/sdp/v3"
	"github.com/pion/stun/v4"
	"github.com/pion/webrtc/v4"
)

const (
	// keepalive is how often consent is asked for: every 5 s, less a fifth (RFC 7675, 5.1).
	keepalive = 4 * time.Second
	// gatherTime is far more than gathering takes: all candidates are known beforehand.
	gatherTime = 2 * time.Second
)

var errGather = errors.New("candidates were not gathered in time")

// newPeer makes a peer connection for a session, that does what o asks for and nothing else.
//
// The API is made for this one connection, since pion takes from it what differs between
// them: the payload types, the addresses to announce, the buffers. All of them share one
// socket.
//
// What plays video sends it through out.
func (s *Server) newPeer(o *offer, streams *streams, n *session, out *sender) (*webrtc.PeerConnection, error) {
	m := &webrtc.MediaEngine{}
	for _, section := range o.used() {
		kind := webrtc.NewRTPCodecType(section.media)
		if err := section.codec.register(m, kind); err != nil {
			return nil, err
		}
		if section.media == "audio" {
			continue // its packets are not part of an estimate of bandwidth
		}
		extensions := []string{sdp.TransportCCURI}
		if len(section.rids) > 0 {
			extensions = append(extensions, layerExtensions...)
		}
		for _, uri := range extensions {
			if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, kind); err != nil {
				return nil, err
			}
		}
	}
	registry := &interceptor.Registry{} // sound needs none
	switch {
	case out != nil:
		registry.Add(out)
	case !n.play && o.hasVideo():
		registry = s.publishInterceptors
	}
	settings := webrtc.SettingEngine{LoggerFactory: s.pionLog}
	settings.SetICEUDPMux(&view{socket: s.socket, hosts: s.socket.hosts(n.loopback), addresses: &n.addresses, consent: &n.consent})
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.DisableActiveTCP(true)
	settings.SetICETimeouts(s.limits.Disconnected, s.limits.Failed, s.consentInterval())
	settings.SetICEBindingRequestHandler(n.goesOver)
	settings.BufferFactory = streams.buffer
	api := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(settings))
	return api.NewPeerConnection(webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle})
}

// goesOver tells whether to send to the address from now on that a check came from. It is so if
// the client nominates it, and sends from there, whatever its priority, by which alone pion
// goes: a laptop whose cable was pulled goes on by radio. The address must have answered a check
// of ours (RFC 8445, 7.2.5.3.2): nobody is flooded because somebody names their address.
func (s *session) goesOver(m *stun.Message, _, remote ice.Candidate, pair *ice.CandidatePair) bool {
	ip, err := netip.ParseAddr(remote.Address())
	return err == nil && m.Contains(stun.AttrUseCandidate) && pair.ResponsesReceived() > 0 &&
		s.addresses.movedTo(unmapped(netip.AddrPortFrom(ip, uint16(remote.Port()))))
}

// consentInterval is how often a client is asked whether it is still there.
func (s *Server) consentInterval() time.Duration { return min(keepalive, s.limits.Disconnected*4/5) }

// publishRegistry has what receiving needs: receiver reports, and the feedback from which
// senders estimate the bandwidth.
func publishRegistry(log pionLog) (*interceptor.Registry, error) {
	r := &interceptor.Registry{}
	reports, err := report.NewReceiverInterceptor(report.WithReceiverLoggerFactory(log))
	if err != nil {
		return nil, err
	}
	congestion, err := twcc.NewSenderInterceptor(twcc.WithLoggerFactory(log))
	if err != nil {
		return nil, err
	}
	r.Add(videoOnly{reports})
	r.Add(congestion)
	return r, nil
}

// videoOnly keeps an interceptor from the sources of sound, whose packets it does not see.
type videoOnly struct{ interceptor.Factory }

// NewInterceptor implements interceptor.Factory.
func (f videoOnly) NewInterceptor(id string) (interceptor.Interceptor, error) {
	i, err := f.Factory.NewInterceptor(id)
	return videoInterceptor{i}, err
}

type videoInterceptor struct{ interceptor.Interceptor }

// BindRemoteStream implements interceptor.Interceptor.
func (i videoInterceptor) BindRemoteStream(info *interceptor.StreamInfo, reader interceptor.RTPReader) interceptor.RTPReader {
	if !strings.HasPrefix(strings.ToLower(info.MimeType), "video/") {
		return reader
	}
	return i.Interceptor.BindRemoteStream(info, reader)
}

// negotiate applies an offer and returns the answer, with all candidates.
func negotiate(pc *webrtc.PeerConnection, o *offer, play bool) (string, error) {
	direction := webrtc.RTPTransceiverDirectionSendonly
	if play {
		direction = webrtc.RTPTransceiverDirectionRecvonly
	}
	err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: o.render(direction)})
	if err != nil {
		return "", unacceptable("offer: %v", err)
	}
	answer, err := pc.CreateAnswer(&webrtc.AnswerOptions{OfferAnswerOptions: webrtc.OfferAnswerOptions{ICETricklingSupported: true}})
	if err != nil {
		return "", err
	}
	if err := pc.SetLocalDescription(answer); err != nil {
		return "", err
	}
	select {
	case <-webrtc.GatheringCompletePromise(pc):
	case <-time.After(gatherTime):
		return "", errGather
	}
	return o.answer(pc.LocalDescription().SDP)
}
