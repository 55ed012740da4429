package rtc

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"time"
)

const (
	typeSDP      = "application/sdp"
	typeFragment = "application/trickle-ice-sdpfrag"
)

// Handler serves all routes.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/{name}/whip", s.whip)
	mux.HandleFunc("/{name}/whep", s.whep)
	mux.HandleFunc("/{name}/whip/{secret}", func(w http.ResponseWriter, r *http.Request) { s.resource(w, r, false) })
	mux.HandleFunc("/{name}/whep/{secret}", func(w http.ResponseWriter, r *http.Request) { s.resource(w, r, true) })
	mux.HandleFunc("/{name}/sessions/{sid}", s.statistics)
	mux.HandleFunc("/{name}/sessions/{sid}/request_tracks", s.requestTracks)
	mux.HandleFunc("/{name}/media_info.json", s.mediaInfo)
	return cors(mux)
}

// methods are what a route accepts, by method. OPTIONS is answered by serve.
type methods map[string]func(http.ResponseWriter, *http.Request) error

// serve answers a request by its method.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, allow string, m methods) {
	if r.Method == http.MethodOptions {
		options(w, allow)
		return
	}
	handle := m[r.Method]
	if handle == nil {
		w.Header().Set("Allow", allow)
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	if err := handle(w, r); err != nil {
		s.fail(w, r, err)
	}
}

// limit refuses a request whose client makes too many.
func (s *Server) limit(l *addressLimiter, r *http.Request) error {
	if !l.allow(clientAddress(r), time.Now()) {
		return refuse(http.StatusTooManyRequests, rejectedRate, "too many requests")
	}
	return nil
}

// clientAddress is that of the client, or of a proxy that does not tell the client's.
func clientAddress(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

// hasType tells whether the body is of a type, whatever its parameters.
func hasType(r *http.Request, want string) bool {
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && got == want
}

// readBody reads a body of a bounded size.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, refuse(http.StatusRequestEntityTooLarge, rejectedSize, "body of more than %d bytes", limit)
	case err != nil:
		return nil, malformed("body: %v", err)
	}
	return body, nil
}

// nothing answers GET and HEAD of WHIP and WHEP (RFC 9725, 4.1): success without content.
func nothing(w http.ResponseWriter, _ *http.Request) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}
