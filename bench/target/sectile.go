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

	Layers int            // of everybody's picture; 0: sound only
	Mosaic map[string]any // options of the rooms with pictures
}

// AddRoom implements Target.
func (s Sectile) AddRoom(ctx context.Context, room int) error {
	var options map[string]any
	if s.Layers > 0 {
		options = s.Mosaic
	}
	_, err := s.command(ctx, "", "add_room", options, RoomName(room), 64, 48000, 960)
	return err
}

// Join implements Target.
func (s Sectile) Join(ctx context.Context, link client.Link, room, member int) (m Member, err error) {
	link.Server = s.Server
	stream := fmt.Sprintf("load%d-%d", room, member)
	answer, err := s.Command(ctx, RoomName(room), "add_stream", stream)
	if err != nil {
		return m, err
	}
	track, _ := answer["track_id"].(string)
	if s.Layers > 0 {
		track = "v1" + track
		m.Up, err = link.PublishFilm(ctx, stream, s.Layers)
	} else {
		m.Up, err = link.PublishVoice(ctx, stream)
	}
	if err != nil {
		return m, fmt.Errorf("publish %s: %w", stream, err)
	}
	if m.Down, err = link.PlayVoice(ctx, RoomName(room), track); err != nil {
		return m, fmt.Errorf("play %s of %s: %w", track, RoomName(room), err)
	}
	return m, nil
}

// RemoveRoom implements Target.
func (s Sectile) RemoveRoom(ctx context.Context, room int) error {
	_, err := s.Command(ctx, "", "remove_room", RoomName(room))
	return err
}

// Members are the numbers of who is in a room, in the order of the mosaic's cells.
func (s Sectile) Members(ctx context.Context, room int) (members []int, err error) {
	answer, err := s.Command(ctx, RoomName(room), "stat")
	if err != nil {
		return nil, err
	}
	clients, _ := answer["clients"].([]any)
	for _, client := range clients {
		var member int
		if _, err := fmt.Sscanf(fmt.Sprint(client), "load%d-%d", new(int), &member); err == nil { // else it is "all"
			members = append(members, member)
		}
	}
	return members, nil
}

// RoomName is what a room of the load is called.
func RoomName(room int) string { return fmt.Sprintf("load%d", room) }

// Command sends a command to the control API; room is empty for those of the server.
func (s Sectile) Command(ctx context.Context, room, name string, args ...any) (answer map[string]any, err error) {
	return s.command(ctx, room, name, nil, args...)
}

// AddMosaic adds a room with options, such as its picture's size.
func (s Sectile) AddMosaic(ctx context.Context, room string, options map[string]any) error {
	_, err := s.command(ctx, "", "add_room", options, room)
	return err
}

func (s Sectile) command(ctx context.Context, room, name string, options map[string]any, args ...any) (answer map[string]any, err error) {
	request := map[string]any{"command": name, "args": args}
	if options != nil {
		request["options"] = options
	}
	body, err := json.Marshal(request)
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
