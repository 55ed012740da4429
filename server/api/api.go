// Package api is the control API: commands that make rooms, put streams into them, mute
// them and set their gain, as Flussonic's Dynamic Chat Rooms have it.
//
// A command is the JSON object {"command": NAME, "args": […]}, POSTed to Path for rooms
// as such or to Path followed by a room's name.
package api

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"sectile/engine/room"
)

// Path is the root of the API; it is as good without the slash at its end.
const Path = "/flussonic/api/dynamic_mosaic/"

// maxBody is the greatest size of a request's body.
const maxBody = 64 << 10

// Rooms is what the API controls. Errors are those of package room, or wrap them.
type Rooms interface {
	// AddRoom makes a room. It does nothing for one that exists with equal options;
	// ErrConflict with others.
	AddRoom(name string, o room.Options) error
	RemoveRoom(name string) error
	RoomNames() []string // sorted
	Stats() []room.Stats // sorted by name
	RoomStats(name string) (room.Stats, error)
	// AddStream returns the n of the stream's track aN, and the same again for a stream
	// that is in the room already.
	AddStream(room, stream string) (track int, err error)
	RemoveStream(room, stream string) (track int, err error)
	Streams(room string) ([]string, error) // in the order of AddStream
	SetMuted(room, stream string, kind room.Kind, muted bool) (track int, err error)
	// SetLook lets change alter how the room's mosaic looks and returns what it is then.
	// Nothing changes if change fails, whose error is returned, or what it makes is not
	// valid, a *room.OptionError.
	SetLook(room string, change func(*room.Look) error) (room.Look, error)
	SetGain(room, stream string, dB float64) (track int, err error) // dB is checked
}

// Config is what a Handler works with.
type Config struct {
	Rooms Rooms
	// User and Pass are the credentials that every request must have. When both are empty,
	// requests need none and come from this machine only.
	User, Pass string
	Log        *slog.Logger // nil: silent
	// Changed is called after each command that may have changed rooms, streams or their settings,
	// before its answer. It must not block. May be nil.
	Changed func()
	// Rejected is called with one of few constant words for each request that is refused.
	// May be nil.
	Rejected func(reason string)
}

// Handler serves the API.
type Handler struct {
	rooms      Rooms
	open       bool // no credentials
	user, pass [sha256.Size]byte
	failures   throttle
	log        *slog.Logger
	changed    func()
	rejected   func(reason string)
}

// New makes a Handler.
func New(c Config) *Handler {
	h := &Handler{
		rooms: c.Rooms, open: c.User == "" && c.Pass == "",
		user: sha256.Sum256([]byte(c.User)), pass: sha256.Sum256([]byte(c.Pass)),
		log: c.Log, changed: c.Changed, rejected: c.Rejected,
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.changed == nil {
		h.changed = func() {}
	}
	if h.rejected == nil {
		h.rejected = func(string) {}
	}
	return h
}

// Register makes mux serve the API. Both spellings of the root are registered, since mux
// would redirect one to the other, which clients do not follow with a POST.
func (h *Handler) Register(mux *http.ServeMux) {
	mux.Handle(Path, h)
	mux.Handle(strings.TrimSuffix(Path, "/"), h)
}

// ServeHTTP answers one command. It never sends a CORS header: pages of other origins
// have no business here.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	answer, err := h.serve(w, r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) (answer any, err error) {
	if err := h.authorize(w, r); err != nil {
		return nil, err
	}
	roomName, ok := target(r.URL.Path)
	if !ok {
		return nil, refuse(http.StatusNotFound, "not_found", "nothing is here; commands go to %s and %s{room}", Path, Path)
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, refuse(http.StatusMethodNotAllowed, "method", "method %.20q: commands are sent with POST", r.Method)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, refuse(http.StatusRequestEntityTooLarge, "size", "the body is larger than %d bytes", maxBody)
		}
		return nil, malformed("body: %v", err)
	}
	q, err := parseRequest(body)
	if err != nil {
		return nil, err
	}
	c, err := lookup(q, roomName)
	if err != nil {
		return nil, err
	}
	answer, err = c.run(h, roomName, q)
	if err == nil && c.changes {
		h.log.With("room", roomName, "remote", r.RemoteAddr).Info("control", q.logValues()...)
		h.changed()
	}
	return answer, err
}

// target is the room that a path names; "" for the root.
func target(path string) (room string, ok bool) {
	if path+"/" == Path {
		return "", true
	}
	room, ok = strings.CutPrefix(path, Path)
	return strings.TrimSuffix(room, "/"), ok
}

// refusal is an error that says how to answer it.
type refusal struct {
	status int
	reason string // for Config.Rejected
	text   string
}

func (r *refusal) Error() string { return r.text }

func refuse(status int, reason, format string, args ...any) error {
	return &refusal{status, reason, fmt.Sprintf(format, args...)}
}

func malformed(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "malformed", format, args...)
}

// fail answers a request with an error.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	var known *refusal
	var option *room.OptionError
	switch {
	case errors.As(err, &known):
	case errors.As(err, &option):
		known = &refusal{http.StatusBadRequest, "malformed", err.Error()}
	case errors.Is(err, room.ErrNotFound):
		known = &refusal{http.StatusNotFound, "not_found", err.Error()}
	case errors.Is(err, room.ErrConflict):
		known = &refusal{http.StatusConflict, "conflict", err.Error()}
	case errors.Is(err, room.ErrFull), errors.Is(err, room.ErrClosed):
		known = &refusal{http.StatusServiceUnavailable, "unavailable", err.Error()}
	default:
		h.log.Error("control: command failed", "path", r.URL.Path, "err", err)
		writeError(w, http.StatusInternalServerError, "internal error")
		return
	}
	h.rejected(known.reason)
	h.log.Debug("control: refused", "path", r.URL.Path, "remote", r.RemoteAddr, "status", known.status, "err", known.text)
	writeError(w, known.status, known.text)
}

func writeError(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, struct {
		Error string `json:"error"`
	}{text})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.Encode(v) // an error is the client's, who is gone
}
