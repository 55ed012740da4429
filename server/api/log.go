package api

import (
	"log/slog"
	"maps"
	"slices"
)

// maxLogged bounds each value that the log shows, in bytes.
const maxLogged = 120

// logValues are what a request names, for the log. Its command has been carried out, so
// there are few values, of known options, but they may be as long as a body.
func (q request) logValues() []any {
	args := make([]string, len(q.args))
	for i, arg := range q.args {
		args[i] = shorten(arg)
	}
	values := []any{"command", q.command, "args", args}
	var options []any
	for _, name := range slices.Sorted(maps.Keys(q.options)) {
		options = append(options, slog.String(name, shorten(q.options[name])))
	}
	for _, name := range slices.Sorted(maps.Keys(q.lists)) {
		options = append(options, slog.String(name, shorten(string(q.lists[name]))))
	}
	return append(values, slog.Group("options", options...)) // an empty one is left out
}

func shorten(text string) string {
	if len(text) <= maxLogged {
		return text
	}
	return text[:maxLogged] + "…"
}
