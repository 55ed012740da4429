package rtc

import (
	"net/http"
	"slices"
	"strings"

	"github.com/pion/webrtc/v4"
)

const resourceMethods = "DELETE, GET, HEAD, OPTIONS, PATCH"

// resource serves the URL of a session.
func (s *Server) resource(w http.ResponseWriter, r *http.Request, play bool) {
	w.Header().Set("Accept-Patch", typeFragment)
	with := func(handle func(http.ResponseWriter, *http.Request, *session) error) func(http.ResponseWriter, *http.Request) error {
		return func(w http.ResponseWriter, r *http.Request) error {
			if err := s.limit(s.changes, r); err != nil {
				return err
			}
			session, err := s.find(r.PathValue("name"), r.PathValue("secret"), play)
			if err != nil {
				return err
			}
			return handle(w, r, session)
		}
	}
	get := with(func(w http.ResponseWriter, r *http.Request, _ *session) error { return nothing(w, r) })
	s.serve(w, r, resourceMethods, methods{
		http.MethodGet: get, http.MethodHead: get,
		http.MethodDelete: with(deleteSession),
		http.MethodPatch:  with(patchSession),
	})
}

// deleteSession ends a session (RFC 9725, 4.2). Its resources are free when the answer
// comes.
func deleteSession(w http.ResponseWriter, r *http.Request, s *session) error {
	s.end(errDeleted)
	if err := s.wait(r.Context()); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// patchSession takes candidates or restarts ICE (RFC 9725, 4.3).
func patchSession(w http.ResponseWriter, r *http.Request, s *session) error {
	if !hasType(r, typeFragment) {
		return refuse(http.StatusUnsupportedMediaType, rejectedType, "the body must be of type %s", typeFragment)
	}
	condition := r.Header.Values("If-Match")
	if len(condition) == 0 {
		return refuse(http.StatusPreconditionRequired, rejectedPrecondition, "If-Match is missing")
	}
	body, err := readBody(w, r, maxFragment)
	if err != nil {
		return err
	}
	f, err := parseFragment(string(body))
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !matches(condition, s.etag) {
		return refuse(http.StatusPreconditionFailed, rejectedPrecondition, "If-Match names another state of the session")
	}
	if (f.ice == credentials{}) || f.ice == s.offer.ice || f.ice.pwd == "" && f.ice.ufrag == s.offer.ice.ufrag {
		s.trickle(f)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	// Both have to change (RFC 8839, 4.4.1.1.1).
	if !f.ice.valid() || f.ice.ufrag == s.offer.ice.ufrag || f.ice.pwd == s.offer.ice.pwd {
		return malformed("an ICE restart needs a new a=ice-ufrag and a new a=ice-pwd")
	}
	answer, err := s.restart(f)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", typeFragment)
	w.Header().Set("ETag", s.etag)
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write([]byte(answer)) // a client that missed it restarts again with If-Match: *
	return nil
}

// matches evaluates If-Match (RFC 9110, 13.1.1). Some clients quote the asterisk, as the
// drafts of WHIP did.
func matches(condition []string, etag string) bool {
	for _, line := range condition {
		for tag := range strings.SplitSeq(line, ",") {
			if tag = strings.TrimSpace(tag); tag == "*" || tag == `"*"` || tag == etag {
				return true
			}
		}
	}
	return false
}

// trickle takes candidates; what cannot be used is dropped silently (RFC 9725, 4.3.2).
// The caller holds the lock.
func (s *session) trickle(f fragment) {
	for _, c := range f.candidates {
		known := len(s.offer.candidates)
		dropped := s.offer.dropped
		s.offer.candidate(c, s.loopback)
		if s.offer.dropped > dropped {
			s.server.rejected.add(rejectedCandidate)
		}
		if len(s.offer.candidates) == known {
			continue
		}
		if err := s.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: "candidate:" + c}); err != nil {
			s.log.Debug("candidate", "err", err)
		}
	}
}

// restart restarts ICE with new credentials of the client (RFC 9725, 4.3.3), by an offer
// that differs in nothing else. The caller holds the lock.
func (s *session) restart(f fragment) (answer string, err error) {
	o := *s.offer
	o.ice, o.candidates, o.dropped = f.ice, nil, 0
	for _, c := range f.candidates {
		o.candidate(c, s.loopback)
	}
	for range o.dropped {
		s.server.rejected.add(rejectedCandidate)
	}
	s.consent.settle(s.server.engine.Now() + s.server.limits.Connect) // they search again
	whole, err := negotiate(s.pc, &o, s.play)
	if err != nil {
		return "", err
	}
	if answer, err = renderFragment(whole); err != nil {
		return "", err
	}
	o.candidates = slices.Clip(o.candidates)
	s.offer, s.etag = &o, newETag()
	return answer, nil
}
