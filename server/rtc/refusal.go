package rtc

import (
	"errors"
	"fmt"
	"net/http"

	"sectile/engine/room"
)

// refusal is an error that says how to answer it.
type refusal struct {
	status int
	why    reason
	text   string
}

func (r *refusal) Error() string { return r.text }

func refuse(status int, why reason, format string, args ...any) *refusal {
	return &refusal{status, why, fmt.Sprintf(format, args...)}
}

func malformed(format string, args ...any) *refusal {
	return refuse(http.StatusBadRequest, rejectedMalformed, format, args...)
}

// unacceptable is well-formed, but not what this server can do (RFC 9725, 4.4).
func unacceptable(format string, args ...any) *refusal {
	return refuse(http.StatusUnprocessableEntity, rejectedUnacceptable, format, args...)
}

func notFound(format string, args ...any) *refusal {
	return refuse(http.StatusNotFound, rejectedNotFound, format, args...)
}

// fail answers a request with an error.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	var known *refusal
	switch {
	case errors.As(err, &known):
		s.rejected.add(known.why)
	case errors.Is(err, room.ErrNotFound), errors.Is(err, room.ErrClosed):
		known = notFound("%v", err)
		s.rejected.add(known.why)
	default:
		s.log.Error("request failed", "method", r.Method, "path", r.URL.Path, "err", err)
		known = &refusal{status: http.StatusInternalServerError, text: "internal error"}
	}
	switch {
	case known.why == rejectedOverload && known.status == http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "10") // load falls slowly
	case known.status == http.StatusServiceUnavailable || known.status == http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "2")
	}
	http.Error(w, known.text, known.status)
}
