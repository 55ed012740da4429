package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"sectile/engine/room"
)

// setLayout changes how the mosaic of a room looks. What the request does not name stays
// as it is, and the cells wait for the layout custom.
func setLayout(h *Handler, roomName string, q request) (any, error) {
	var cells []room.LookCell
	if list, ok := q.lists["cells"]; ok {
		var err error
		if cells, err = parseCells(list); err != nil {
			return nil, err
		}
	}
	if _, ok := q.options["cells"]; ok {
		return nil, malformed("cells: %s", wantedCells)
	}
	for _, option := range slices.Sorted(maps.Keys(q.options)) {
		if !slices.Contains(room.LookOptions, option) {
			return nil, malformed("option %.80q is unknown; accepted are %s, cells", option, strings.Join(room.LookOptions, ", "))
		}
	}
	if image := q.options["background_image"]; image != "" {
		if err := room.CheckImage(image); err != nil {
			return nil, err
		}
	}
	for option := range q.lists {
		if option != "cells" {
			return nil, noScalar(option, q.lists[option])
		}
	}
	return h.rooms.SetLook(roomName, func(l *room.Look) error {
		if len(q.args) > 0 {
			l.Layout = q.args[0]
		}
		if cells != nil {
			if err := l.SetCells(cells); err != nil {
				return err
			}
		}
		for option, value := range q.options {
			if err := l.Set(option, value); err != nil {
				return err
			}
		}
		return nil
	})
}

// parseCells reads the cells of a layout of one's own. A field too many is refused, since
// it may be a misspelt one.
func parseCells(list json.RawMessage) ([]room.LookCell, error) {
	cells := []room.LookCell{}
	d := json.NewDecoder(bytes.NewReader(list))
	d.DisallowUnknownFields()
	if err := d.Decode(&cells); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return nil, malformed("cells: %s is of type %s; %s", wrong.Field, wrong.Value, wantedCells)
		}
		return nil, malformed("cells: %s; %s", strings.TrimPrefix(err.Error(), "json: "), wantedCells)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, malformed("cells: %s", wantedCells)
	}
	return cells, nil
}

const wantedCells = `want [{"x": 0, "y": 0, "width": 0.5, "height": 0.5, "stream": "NAME"}, …] with fractions of the canvas`
