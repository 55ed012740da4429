package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"sectile/engine/room"
)

// command is one command of the API.
type command struct {
	usage    string // its args, for messages
	min, max int    // how many args
	options  bool   // takes the object beside args
	lists    bool   // and arrays in it
	changes  bool   // something that outlives the server
	run      func(h *Handler, roomName string, q request) (any, error)
}

// rootCommands are those of Path, roomCommands those of a room.
var (
	rootCommands = map[string]command{
		"add_room":    {usage: "[NAME, bitrate?, samplerate?, samples?]", min: 1, max: 4, options: true, changes: true, run: addRoom},
		"remove_room": {usage: "[NAME]", min: 1, max: 1, changes: true, run: removeRoom},
		"list_room":   {usage: "[]", run: listRooms},
		"stats":       {usage: "[]", run: stats},
	}
	roomCommands = map[string]command{
		"add_stream":    {usage: "[NAME]", min: 1, max: 1, changes: true, run: addStream},
		"remove_stream": {usage: "[NAME]", min: 1, max: 1, changes: true, run: onStream(Rooms.RemoveStream)},
		"stat":          {usage: "[]", run: stat},
		"mute_video":    {usage: "[NAME]", min: 1, max: 1, changes: true, run: mute(room.Video, true)},
		"unmute_video":  {usage: "[NAME]", min: 1, max: 1, changes: true, run: mute(room.Video, false)},
		"mute_audio":    {usage: "[NAME]", min: 1, max: 1, changes: true, run: mute(room.Audio, true)},
		"unmute_audio":  {usage: "[NAME]", min: 1, max: 1, changes: true, run: mute(room.Audio, false)},
		"set_layout":    {usage: "[LAYOUT?]", max: 1, options: true, lists: true, changes: true, run: setLayout},
		"set_gain":      {usage: "[NAME, dB]", min: 2, max: 2, changes: true, run: setGain},
	}
)

// lookup finds the command of q and checks the number of its arguments.
func lookup(q request, roomName string) (command, error) {
	here, there := rootCommands, roomCommands
	if roomName != "" {
		here, there = there, here
	}
	c, ok := here[q.command]
	if !ok {
		_, elsewhere := there[q.command]
		switch {
		case elsewhere && roomName == "":
			return c, malformed("%s is a command of a room: send it to %s{room}", q.command, Path)
		case elsewhere:
			return c, malformed("%s is not a command of a room: send it to %s", q.command, Path)
		}
		return c, malformed("unknown command %.80q; commands here are %s", q.command, strings.Join(slices.Sorted(maps.Keys(here)), ", "))
	}
	if len(q.args) < c.min || len(q.args) > c.max {
		return c, malformed("%s got %d args; want %s", q.command, len(q.args), c.usage)
	}
	if (q.options != nil || q.lists != nil) && !c.options {
		return c, malformed("%s takes no options", q.command)
	}
	for option, list := range q.lists {
		if !c.lists {
			return c, noScalar(option, list)
		}
	}
	return c, nil
}

func addRoom(h *Handler, _ string, q request) (any, error) {
	name := q.args[0]
	if err := checkName(name); err != nil {
		return nil, err
	}
	o := room.DefaultOptions()
	for i, value := range q.args[1:] {
		option := []string{"bitrate", "samplerate", "samples"}[i]
		if _, twice := q.options[option]; twice {
			return nil, malformed("%s is given both in args and in options", option)
		}
		if err := o.Set(option, value); err != nil {
			return nil, err
		}
	}
	for _, option := range slices.Sorted(maps.Keys(q.options)) {
		if err := o.Set(option, q.options[option]); err != nil {
			return nil, err
		}
	}
	if _, named := q.options["samples"]; !named && len(q.args) < 4 {
		o.Samples = room.DefaultSamples(o.SampleRate)
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := h.rooms.AddRoom(name, o); err != nil {
		return nil, err
	}
	return h.rooms.RoomStats(name)
}

func removeRoom(h *Handler, _ string, q request) (any, error) {
	name := q.args[0]
	if err := checkName(name); err != nil {
		return nil, err
	}
	return struct {
		Name string `json:"name"`
	}{name}, h.rooms.RemoveRoom(name)
}

func listRooms(h *Handler, _ string, _ request) (any, error) {
	return struct {
		Rooms []string `json:"rooms"`
	}{append([]string{}, h.rooms.RoomNames()...)}, nil
}

func stats(h *Handler, _ string, _ request) (any, error) {
	return struct {
		Rooms []room.Stats `json:"rooms"`
	}{append([]room.Stats{}, h.rooms.Stats()...)}, nil
}

func stat(h *Handler, roomName string, _ request) (any, error) {
	streams, err := h.rooms.Streams(roomName)
	clients := append([]string{"all"}, streams...)
	return struct {
		Count   int      `json:"count"`
		Clients []string `json:"clients"`
	}{len(clients), clients}, err
}

// track is the answer to all commands about one stream.
type track struct {
	ID string `json:"track_id"`
}

func onStream(do func(rooms Rooms, roomName, stream string) (int, error)) func(*Handler, string, request) (any, error) {
	return func(h *Handler, roomName string, q request) (any, error) {
		if err := checkName(q.args[0]); err != nil {
			return nil, err
		}
		n, err := do(h.rooms, roomName, q.args[0])
		return track{fmt.Sprintf("a%d", n)}, err
	}
}

func addStream(h *Handler, roomName string, q request) (any, error) {
	if err := room.CheckStreamName(q.args[0]); err != nil {
		return nil, malformed("%v", err)
	}
	return onStream(Rooms.AddStream)(h, roomName, q)
}

func mute(kind room.Kind, muted bool) func(*Handler, string, request) (any, error) {
	return onStream(func(rooms Rooms, roomName, stream string) (int, error) {
		return rooms.SetMuted(roomName, stream, kind, muted)
	})
}

func setGain(h *Handler, roomName string, q request) (any, error) {
	dB, err := parseGain(q.args[1])
	if err != nil {
		return nil, err
	}
	return onStream(func(rooms Rooms, roomName, stream string) (int, error) {
		return rooms.SetGain(roomName, stream, dB)
	})(h, roomName, q)
}

// parseGain reads a gain in the spellings that numbers have in JSON, or with a plus, in steps of 0.01 dB.
func parseGain(text string) (dB float64, err error) {
	if json.Valid([]byte(strings.TrimPrefix(text, "+"))) {
		dB, err = strconv.ParseFloat(text, 64)
	} else {
		err = strconv.ErrSyntax
	}
	if err != nil {
		return 0, malformed("gain %.80q is not accepted, only %d to %d (dB)", text, room.MinGain, room.MaxGain)
	}
	if err := room.CheckGain(dB); err != nil {
		return 0, malformed("%v", err)
	}
	return math.Round(dB*100)/100 + 0, nil // + 0: not -0
}

func checkName(name string) error {
	if err := room.CheckName(name); err != nil {
		return malformed("%v", err)
	}
	return nil
}
