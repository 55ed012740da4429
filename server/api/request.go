package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// request is the body of a request. Numbers and booleans have become their text.
type request struct {
	command string
	args    []string
	options map[string]string          // nil: none
	lists   map[string]json.RawMessage // options that are arrays; nil: none
}

const wanted = `{"command": "…", "args": […]}`

func parseRequest(body []byte) (request, error) {
	var raw struct {
		Command *string                    `json:"command"`
		Args    []json.RawMessage          `json:"args"`
		Options map[string]json.RawMessage `json:"options"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&raw); err != nil {
		return request{}, bodyError(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return request{}, malformed("body: something follows the JSON object")
	}
	if raw.Command == nil {
		return request{}, malformed("command is missing; want %s", wanted)
	}
	// Flussonic writes both mute_video and mute-audio.
	q := request{command: strings.ReplaceAll(*raw.Command, "-", "_")}
	for i, value := range raw.Args {
		text, ok := scalar(value, false)
		if !ok {
			return request{}, malformed("args[%d] is %.80s; want a string or a number", i, value)
		}
		q.args = append(q.args, text)
	}
	for name, value := range raw.Options {
		if value[0] == '[' {
			if q.lists == nil {
				q.lists = map[string]json.RawMessage{}
			}
			q.lists[name] = value
			continue
		}
		text, ok := scalar(value, true)
		if !ok {
			return request{}, noScalar(name, value)
		}
		if q.options == nil {
			q.options = map[string]string{}
		}
		q.options[name] = text
	}
	return q, nil
}

func noScalar(option string, value json.RawMessage) error {
	return malformed("option %.80q is %.80s; want a string, a number or a boolean", option, value)
}

// bodyError says what is wrong with a body in words of JSON, not of Go.
func bodyError(err error) error {
	var wrong *json.UnmarshalTypeError
	switch {
	case err == io.EOF:
		return malformed("the body is empty; want %s", wanted)
	case err == io.ErrUnexpectedEOF:
		return malformed("the JSON ends too early; want %s", wanted)
	case !errors.As(err, &wrong):
		return malformed("body: %s; want %s", strings.TrimPrefix(err.Error(), "json: "), wanted)
	}
	kinds := map[string]string{"command": "a string", "args": "an array of strings or numbers", "options": "an object"}
	if want := kinds[wrong.Field]; want != "" {
		return malformed("%s is of type %s; want %s", wrong.Field, wrong.Value, want)
	}
	return malformed("the body is of type %s; want %s", wrong.Value, wanted)
}

// scalar is the text of a JSON string or number, or of a boolean where one may be.
func scalar(value json.RawMessage, boolean bool) (text string, ok bool) {
	switch value[0] {
	case '"':
		return text, json.Unmarshal(value, &text) == nil
	case 't', 'f':
		return string(value), boolean
	case '{', '[', 'n':
		return "", false
	}
	return string(value), true
}
