package rtc

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"sectile/engine/room"
)

// auto is what Flussonic's player calls the choice of tracks by the server.
const auto = "auto"

// defaultTracks are v1a1, or a1 in a room without video.
func defaultTracks(list []room.TrackInfo) room.Tracks {
	return room.Tracks{Video: hasTrack(list, "v1"), Audio: 1}
}

func hasTrack(list []room.TrackInfo, id string) bool {
	return slices.ContainsFunc(list, func(t room.TrackInfo) bool { return t.ID == id })
}

// wantedTracks reads the tracks to play from a query and checks that the room has them.
func (s *Server) wantedTracks(r *http.Request, name string) (room.Tracks, error) {
	query := r.URL.Query()
	text := query.Get("filter.tracks")
	if text == "" {
		text = query.Get("start_track")
	}
	return s.parseTracks(name, text)
}

// parseTracks reads a run of tracks and checks that the room has them. Nothing, and auto,
// are the default.
func (s *Server) parseTracks(name, text string) (room.Tracks, error) {
	list, err := s.engine.Describe(name)
	if err != nil {
		return room.Tracks{}, err
	}
	if text == "" || text == auto {
		return defaultTracks(list), nil
	}
	t, err := room.ParseTracks(text)
	if err != nil {
		return t, malformed("%v", err)
	}
	return t, s.checkTracks(name, t)
}

// checkTracks tells whether a room has all of these tracks.
func (s *Server) checkTracks(name string, t room.Tracks) error {
	list, err := s.engine.Describe(name)
	switch {
	case err != nil:
		return err
	case t.Video && !hasTrack(list, "v1"):
		return fmt.Errorf("room %s: track v1: %w", name, room.ErrNotFound)
	case t.Audio > 0 && !hasTrack(list, fmt.Sprintf("a%d", t.Audio)):
		return fmt.Errorf("room %s: track a%d: %w", name, t.Audio, room.ErrNotFound)
	}
	return nil
}

// trackList reads "tracks" of a request: a list such as ["v1","a3"], or a string such as
// "v1a3".
type trackList string

// UnmarshalJSON implements json.Unmarshaler.
func (t *trackList) UnmarshalJSON(data []byte) error {
	var list []string
	if err := json.Unmarshal(data, &list); err == nil {
		*t = trackList(strings.Join(list, ""))
		return nil
	}
	return json.Unmarshal(data, (*string)(t))
}

// requestTracks changes what a session plays, without renegotiation.
func (s *Server) requestTracks(w http.ResponseWriter, r *http.Request) {
	s.serve(w, r, "OPTIONS, PUT", methods{http.MethodPut: func(w http.ResponseWriter, r *http.Request) error {
		if err := s.limit(s.changes, r); err != nil {
			return err
		}
		session, err := s.findSID(r.PathValue("name"), r.PathValue("sid"))
		if err != nil {
			return err
		}
		p, ok := session.role.(*player)
		if !ok {
			return notFound("the session does not play")
		}
		body, err := readBody(w, r, maxRequest)
		if err != nil {
			return err
		}
		var request struct {
			Tracks *trackList `json:"tracks"`
		}
		if err := json.Unmarshal(body, &request); err != nil {
			return malformed("%v", err)
		}
		if request.Tracks == nil {
			return malformed(`"tracks" is missing`)
		}
		t, err := s.parseTracks(session.name, string(*request.Tracks))
		if err != nil {
			return err
		}
		if t, err = p.setTracks(t); err != nil {
			return err
		}
		session.log.Info("session plays", "tracks", t.String())
		played := []string{}
		if t.Video {
			played = append(played, "v1")
		}
		if t.Audio > 0 {
			played = append(played, fmt.Sprintf("a%d", t.Audio))
		}
		return writeJSON(w, map[string]any{"tracks": played})
	}})
}

// statistics accepts what a player or publisher tells about itself. It is for the log.
func (s *Server) statistics(w http.ResponseWriter, r *http.Request) {
	s.serve(w, r, "OPTIONS, PUT", methods{http.MethodPut: func(w http.ResponseWriter, r *http.Request) error {
		if err := s.limit(s.changes, r); err != nil {
			return err
		}
		session, err := s.findSID(r.PathValue("name"), r.PathValue("sid"))
		if err != nil {
			return err
		}
		body, err := readBody(w, r, maxRequest)
		if err != nil {
			return err
		}
		session.log.Debug("statistics", "json", string(body))
		w.WriteHeader(http.StatusNoContent)
		return nil
	}})
}

// mediaInfo describes the tracks of a room.
func (s *Server) mediaInfo(w http.ResponseWriter, r *http.Request) {
	get := func(w http.ResponseWriter, r *http.Request) error {
		list, err := s.engine.Describe(r.PathValue("name"))
		if err != nil {
			return err
		}
		w.Header().Set("Cache-Control", "no-store")
		return writeJSON(w, map[string]any{"tracks": list})
	}
	s.serve(w, r, "GET, HEAD, OPTIONS", methods{http.MethodGet: get, http.MethodHead: get})
}

func writeJSON(w http.ResponseWriter, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n')) // an error means that the client is gone
	return nil
}
