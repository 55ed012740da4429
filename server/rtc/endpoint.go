package rtc

import (
	"net/http"

	"github.com/pion/webrtc/v4"

	"sectile/engine/room"
)

const endpointMethods = "GET, HEAD, OPTIONS, POST"

// endpoint serves a WHIP or WHEP endpoint; post makes a session of an offer.
func (s *Server) endpoint(w http.ResponseWriter, r *http.Request, exists func() error, post func(*http.Request, *offer) (*session, string, error)) {
	w.Header().Set("Accept-Post", typeSDP)
	get := func(w http.ResponseWriter, r *http.Request) error {
		if err := exists(); err != nil {
			return err
		}
		return nothing(w, r)
	}
	s.serve(w, r, endpointMethods, methods{
		http.MethodGet: get, http.MethodHead: get,
		http.MethodPost: func(w http.ResponseWriter, r *http.Request) error {
			if s.Draining() {
				return refuse(http.StatusServiceUnavailable, rejectedDraining, "the server is shutting down")
			}
			if s.overload.Load() {
				return refuse(http.StatusServiceUnavailable, rejectedOverload, "the server is overloaded")
			}
			if err := s.limit(s.posts, r); err != nil {
				return err
			}
			if err := exists(); err != nil {
				return err
			}
			if !hasType(r, typeSDP) {
				return refuse(http.StatusUnsupportedMediaType, rejectedType, "the body must be of type %s", typeSDP)
			}
			body, err := readBody(w, r, maxOffer)
			if err != nil {
				return err
			}
			o, err := parseOffer(body, s.onLoopback(r))
			if err != nil {
				return err
			}
			session, answer, err := post(r, o)
			if err != nil {
				return err
			}
			h := w.Header()
			h.Set("Content-Type", typeSDP)
			h.Set("Location", session.path())
			h.Set("ETag", session.etag)
			h.Set("X-Sid", session.sid)
			h.Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write([]byte(answer)) // if the client is gone, the session times out
			return nil
		},
	})
}

// onLoopback tells whether the media may go over loopback.
func (s *Server) onLoopback(r *http.Request) bool {
	return clientAddress(r).IsLoopback() || s.socket.loopbackOnly()
}

// whip is the endpoint that publishes a stream.
func (s *Server) whip(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	exists := func() error {
		if !s.engine.HasStream(name) {
			return notFound("there is no stream %.80q", name)
		}
		return nil
	}
	s.endpoint(w, r, exists, func(r *http.Request, o *offer) (*session, string, error) {
		for _, section := range o.sections {
			switch {
			case section.rejected || section.direction == webrtc.RTPTransceiverDirectionInactive:
			case section.direction == webrtc.RTPTransceiverDirectionRecvonly:
				return nil, "", unacceptable("section %s is recvonly; a publisher sends (RFC 9725, 4.2)", section.mid)
			default:
				section.use = true
			}
		}
		return s.open(r, o, name, false, room.Tracks{})
	})
}

// whep is the endpoint that plays a room.
func (s *Server) whep(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	exists := func() error {
		_, err := s.engine.Describe(name)
		return err
	}
	s.endpoint(w, r, exists, func(r *http.Request, o *offer) (*session, string, error) {
		tracks, err := s.wantedTracks(r, name)
		if err != nil {
			return nil, "", err
		}
		for _, section := range o.sections {
			receives := section.direction == webrtc.RTPTransceiverDirectionSendrecv || section.direction == webrtc.RTPTransceiverDirectionRecvonly
			wanted := section.media == "video" && tracks.Video || section.media == "audio" && tracks.Audio > 0
			section.use = !section.rejected && receives && wanted
		}
		return s.open(r, o, name, true, tracks)
	})
}

// open makes a session of an offer.
func (s *Server) open(r *http.Request, o *offer, name string, play bool, tracks room.Tracks) (_ *session, answer string, err error) {
	if err := o.check(play); err != nil {
		return nil, "", err
	}
	for range o.dropped {
		s.rejected.add(rejectedCandidate)
	}
	if err := s.reserve(); err != nil {
		return nil, "", err
	}
	n := &session{
		server: s, name: name, play: play, loopback: s.onLoopback(r), secret: token(), sid: token(),
		up: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
		offer: o, etag: newETag(), addresses: addresses{port: s.socket.port, interval: s.limits.Disconnected / 2},
		consent: consent{port: s.socket.port, interval: s.consentInterval()},
	}
	kind := "publish"
	if play {
		kind = "play"
	}
	n.log = s.log.With("session", n.sid, kind, name)
	defer func() {
		if err != nil {
			if n.pc != nil {
				n.pc.GracefulClose()
			}
			n.wg.Wait()
			s.release()
		}
	}()
	sources := &streams{discard: play, flood: func() {
		s.rejected.add(rejectedStream)
		n.end(errFlood)
	}}
	var out *sender
	if play && o.hasVideo() {
		list, err := s.engine.Describe(name)
		if err != nil {
			return nil, "", err
		}
		out = newSender(s.engine.Now, &s.pacer.buffers, &s.counters.resent, pictureRate(list))
	}
	if n.pc, err = s.newPeer(o, sources, n, out); err != nil {
		return nil, "", err
	}
	n.pc.OnConnectionStateChange(n.stateChanged)
	if play {
		p := newPlayer(n, tracks, out)
		n.role = p
		if out != nil {
			sources.feedback = p.feedback
		}
		if err := p.attach(o); err != nil {
			return nil, "", err
		}
	} else {
		p := newPublisher(n)
		n.role = p
		p.attach(o)
		n.pc.OnTrack(p.onTrack)
		sources.fresh = p.fresh // no packet comes before the answer
	}
	if answer, err = negotiate(n.pc, o, play); err != nil {
		return nil, "", err
	}
	s.enter(n)
	opened := []any{"from", r.RemoteAddr}
	if p, ok := n.role.(*player); ok {
		opened = append(opened, "tracks", p.negotiated(tracks).String())
	}
	n.log.Info("session opened", opened...)
	return n, answer, nil
}

// path is the session's URL, an absolute path.
func (s *session) path() string {
	if s.play {
		return "/" + s.name + "/whep/" + s.secret
	}
	return "/" + s.name + "/whip/" + s.secret
}
