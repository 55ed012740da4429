package target

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"

	"github.com/pion/webrtc/v4"

	"sectile/bench/client"
)

// Janus is a Janus gateway with the AudioBridge plugin, spoken to by its HTTP API
// (https://janus.conf.meetecho.com/docs/rest.html). It is to be configured not to end
// sessions that do not poll.
type Janus struct {
	Server string // URL of the API, such as http://127.0.0.1:8088/janus

	mu    sync.Mutex
	admin string // URL of the handle that makes rooms
}

// Prebuffer is how many packets of each participant Janus collects before it mixes them.
const Prebuffer = 4

// AddRoom implements Target.
func (j *Janus) AddRoom(ctx context.Context, room int) error {
	_, err := j.manage(ctx, map[string]any{
		"request": "create", "room": room + 1, "permanent": false, "sampling_rate": 48000,
		"default_bitrate": 64000, "default_prebuffering": Prebuffer, "audiolevel_ext": false, "audiolevel_event": false,
	})
	return err
}

// RemoveRoom implements Target.
func (j *Janus) RemoveRoom(ctx context.Context, room int) error {
	_, err := j.manage(ctx, map[string]any{"request": "destroy", "room": room + 1, "permanent": false})
	return err
}

// manage sends a request that is answered at once.
func (j *Janus) manage(ctx context.Context, body map[string]any) (reply, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.admin == "" {
		_, handle, err := j.attach(ctx)
		if err != nil {
			return reply{}, err
		}
		j.admin = handle
	}
	return j.post(ctx, j.admin, map[string]any{"janus": "message", "body": body})
}

// Join implements Target.
func (j *Janus) Join(ctx context.Context, link client.Link, room, member int) (m Member, err error) {
	session, handle, err := j.attach(ctx)
	if err != nil {
		return m, err
	}
	link.Server = j.Server
	m.Up, err = link.Voice(ctx, webrtc.RTPTransceiverDirectionSendrecv, func(ctx context.Context, offer string) (string, error) {
		_, err := j.post(ctx, handle, map[string]any{
			"janus": "message",
			"body": map[string]any{"request": "join", "room": room + 1, "display": fmt.Sprintf("load%d-%d", room, member),
				"bitrate": 64000, "prebuffer": Prebuffer},
			"jsep": map[string]any{"type": "offer", "sdp": offer, "trickle": false},
		})
		if err != nil {
			return "", err
		}
		for {
			event, err := j.get(ctx, session)
			if err != nil {
				return "", err
			}
			if event.JSEP.SDP != "" {
				return event.JSEP.SDP, nil
			}
		}
	})
	if err != nil {
		return m, fmt.Errorf("join room %d: %w", room+1, err)
	}
	m.Down = m.Up
	return m, nil
}

// attach makes a session with a handle of the plugin, and returns the URLs of both.
func (j *Janus) attach(ctx context.Context) (session, handle string, err error) {
	made, err := j.post(ctx, j.Server, map[string]any{"janus": "create"})
	if err != nil {
		return "", "", err
	}
	session = fmt.Sprintf("%s/%d", j.Server, made.Data.ID)
	made, err = j.post(ctx, session, map[string]any{"janus": "attach", "plugin": "janus.plugin.audiobridge"})
	if err != nil {
		return "", "", err
	}
	return session, fmt.Sprintf("%s/%d", session, made.Data.ID), nil
}

// reply is what is read of answers and events.
type reply struct {
	Janus  string
	Data   struct{ ID uint64 }
	Error  struct{ Reason string }
	JSEP   struct{ SDP string }
	Plugin struct {
		Data struct {
			Error string
		}
	} `json:"plugindata"`
}

func (j *Janus) post(ctx context.Context, url string, message map[string]any) (reply, error) {
	message["transaction"] = "load"
	body, err := json.Marshal(message)
	if err != nil {
		return reply{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	return do(req)
}

// get waits for an event of a session.
func (j *Janus) get(ctx context.Context, session string) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, session+"?maxev=1", nil)
	if err != nil {
		return reply{}, err
	}
	return do(req)
}

func do(req *http.Request) (r reply, err error) {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return r, err
	}
	defer resp.Body.Close()
	var one json.RawMessage
	if err := json.NewDecoder(resp.Body).Decode(&one); err != nil {
		return r, err
	}
	// Events come in an array, answers do not.
	if one[0] == '[' {
		events := []json.RawMessage{}
		if err := json.Unmarshal(one, &events); err != nil || len(events) == 0 {
			return r, err
		}
		one = events[0]
	}
	if err := json.Unmarshal(one, &r); err != nil {
		return r, err
	}
	switch {
	case r.Janus == "error":
		return r, fmt.Errorf("janus: %s", r.Error.Reason)
	case r.Plugin.Data.Error != "":
		return r, fmt.Errorf("janus: %s", r.Plugin.Data.Error)
	}
	return r, nil
}
