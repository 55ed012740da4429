package target

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"sectile/bench/client"
)

// Sectile is a server of this project.
type Sectile struct {
	Server string // URL, such as http://127.0.0.1:8080
	Auth   string // USER:PASS of the control API, or empty
}

// AddRoom implements Target.
func (s Sectile) AddRoom(ctx context.Context, room int) error {
	_, err := s.Command(ctx, "", "add_room", roomName(room), 64, 48000, 960)
	return err
}

// Join implements Target.
func (s Sectile) Join(ctx context.Context, link client.Link, room, member int) (m Member, err error) {
	link.Server = s.Server
	stream := fmt.Sprintf("load%d-%d", room, member)
	answer, err := s.Command(ctx, roomName(room), "add_stream", stream)
	if err != nil {
		return m, err
	}
	track, _ := answer["track_id"].(string)
	if m.Up, err = link.PublishVoice(ctx, stream); err != nil {
		return m, fmt.Errorf("publish %s: %w", stream, err)
	}
	if m.Down, err = link.PlayVoice(ctx, roomName(room), track); err != nil {
		return m, fmt.Errorf("play %s of %s: %w", track, roomName(room), err)
	}
	return m, nil
}

// RemoveRoom implements Target.
func (s Sectile) RemoveRoom(ctx context.Context, room int) error {
	_, err := s.Command(ctx, "", "remove_room", roomName(room))
	return err
}

func roomName(room int) string { return fmt.Sprintf("load%d", room) }

// Command sends a command to the control API; room is empty for those of the server.
func (s Sectile) Command(ctx context.Context, room, name string, args ...any) (answer map[string]any, err error) {
	return s.post(ctx, room, name, map[string]any{"command": name, "args": args})
}

// AddMosaic adds a room with options, such as its picture's size.
func (s Sectile) AddMosaic(ctx context.Context, room string, options map[string]any) error {
	const name = "add_room"
	_, err := s.post(ctx, "", name, map[string]any{"command": name, "args": []string{room}, "options": options})
	return err
}

func (s Sectile) post(ctx context.Context, room, name string, command map[string]any) (answer map[string]any, err error) {
	body, err := json.Marshal(command)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Server+"/flussonic/api/dynamic_mosaic/"+room, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if s.Auth != "" {
		user, pass, _ := strings.Cut(s.Auth, ":")
		req.SetBasicAuth(user, pass)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: status %d: %v", name, resp.StatusCode, answer["error"])
	}
	return answer, nil
}
