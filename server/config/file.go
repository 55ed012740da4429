package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/participle/v2"

	"sectile/engine/room"
)

// FileError is something wrong in a configuration file.
type FileError struct {
	File string
	Line int // from 1
	Msg  string
}

func (e *FileError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg) }

// file reads one configuration file into a Config.
type file struct {
	name    string
	config  *Config
	lines   map[string]int // of each setting
	streams map[string]int // line of each stream
}

// parseFile sets in c what text says. The error is a *FileError. lines are those of the
// settings in text.
func parseFile(name, text string, c *Config) (lines map[string]int, err error) {
	f := &file{name: name, config: c, lines: map[string]int{}, streams: map[string]int{}}
	tree, err := parser.ParseString(name, strings.TrimPrefix(text, "\ufeff"))
	if err != nil {
		var at participle.Error
		if errors.As(err, &at) {
			return nil, f.errorf(at.Position().Line, "%s", at.Message())
		}
		return nil, f.errorf(1, "%v", err)
	}
	for _, s := range tree.Statements {
		if err := f.statement(s); err != nil {
			return nil, err
		}
	}
	return f.lines, nil
}

func (f *file) errorf(line int, format string, args ...any) error {
	return &FileError{f.name, line, fmt.Sprintf(format, args...)}
}

func (f *file) statement(s *statement) error {
	if s.Stray != "" {
		return f.errorf(s.Pos.Line, "unexpected %q", s.Stray)
	}
	if s.Words[0].Raw == "stream" {
		return f.stream(s)
	}
	if err := f.words(s.Words); err != nil {
		return err
	}
	name := s.Words[0].text()
	setting, ok := settings[name]
	switch last := s.Words[len(s.Words)-1]; {
	case !ok:
		return f.errorf(s.Pos.Line, "unknown directive %.80q; known are %s", name,
			strings.Join(append(slices.Sorted(maps.Keys(settings)), "stream"), ", "))
	case s.Block != nil:
		return f.errorf(s.Block.Pos.Line, "%s takes no {…}; it ends with a \";\"", name)
	case !s.End:
		return f.errorf(last.Pos.Line, "\";\" is missing after %.80q", last.text())
	case f.lines[name] != 0:
		return f.errorf(s.Pos.Line, "%s is set twice, first in line %d", name, f.lines[name])
	}
	f.lines[name] = s.Pos.Line
	if err := setting.apply(f.config, texts(s.Words[1:])); err != nil {
		return f.errorf(s.Pos.Line, "%s: %v", name, err)
	}
	return nil
}

// words looks for what is wrong with words whatever they mean: an open quote, or a
// directive that starts a line although the one before has not ended.
func (f *file) words(words []*word) error {
	for i, w := range words {
		if w.Open != "" {
			return f.errorf(w.Pos.Line, "a string has no closing quote on its line")
		}
		if i == 0 {
			continue
		}
		if before := words[i-1]; before.Pos.Line < w.Pos.Line && startsStatement(w.Raw) {
			return f.errorf(before.Pos.Line, "\";\" is missing after %.80q", before.text())
		}
	}
	return nil
}

func startsStatement(word string) bool {
	_, ok := settings[word]
	return ok || word == "stream" || word == "input" || word == "url"
}

// stream reads `stream NAME { input SOURCE; }`.
func (f *file) stream(s *statement) error {
	if len(s.Words) == 1 {
		return f.errorf(s.Pos.Line, "stream: the name is missing")
	}
	if err := f.words(s.Words[:2]); err != nil {
		return err
	}
	name := s.Words[1].text()
	if len(s.Words) > 2 || s.Block == nil {
		return f.errorf(s.Words[1].Pos.Line, "\"{\" is missing after stream %.80q", name)
	}
	if err := room.CheckName(name); err != nil {
		return f.errorf(s.Words[1].Pos.Line, "stream: %v", err)
	}
	if first := f.streams[name]; first != 0 {
		return f.errorf(s.Pos.Line, "stream %s is declared twice, first in line %d", name, first)
	}
	f.streams[name] = s.Pos.Line
	inputLine := 0
	for _, l := range s.Block.Lines {
		switch err := f.line(name, l); {
		case err != nil:
			return err
		case inputLine != 0:
			return f.errorf(l.Pos.Line, "stream %s has a second input, first in line %d", name, inputLine)
		}
		inputLine = l.Pos.Line
		if err := f.input(name, l.Words[1:]); err != nil {
			return err
		}
	}
	switch {
	case !s.Block.Closed:
		return f.errorf(s.Block.Pos.Line, "the \"{\" of stream %s has no \"}\"", name)
	case inputLine == 0:
		return f.errorf(s.Pos.Line, "stream %s has no input", name)
	}
	return nil
}

// line checks that l is `input SOURCE …;` or `url SOURCE …;`.
func (f *file) line(stream string, l *line) error {
	if l.Stray != "" {
		return f.errorf(l.Pos.Line, "unexpected %q in stream %s", l.Stray, stream)
	}
	directive := l.Words[0].Raw
	if directive != "input" && directive != "url" && startsStatement(directive) {
		return f.errorf(l.Pos.Line, "%s cannot be in stream %s: is a \"}\" missing before it?", directive, stream)
	}
	if err := f.words(l.Words); err != nil {
		return err
	}
	switch last := l.Words[len(l.Words)-1]; {
	case directive != "input" && directive != "url":
		return f.errorf(l.Pos.Line, "unknown directive %.80q in stream %s; known are input, url", l.Words[0].text(), stream)
	case !l.End:
		return f.errorf(last.Pos.Line, "\";\" is missing after %.80q", last.text())
	case len(l.Words) == 1:
		return f.errorf(l.Pos.Line, "%s wants mosaic2:// or publish://", directive)
	}
	return nil
}

// input reads a source and its options: `mosaic2:// a=b c=d`, without the first space, or
// as a query, which is how a URL would carry them: `mosaic2://?a=b&c=d`.
func (f *file) input(stream string, words []*word) error {
	source, query, _ := strings.Cut(words[0].text(), "?")
	options := make([]option, 0, len(words))
	if first, ok := strings.CutPrefix(source, "mosaic2://"); ok && strings.Contains(first, "=") {
		source = "mosaic2://"
		options = append(options, option{words[0].Pos.Line, first})
	}
	for part := range strings.SplitSeq(query, "&") {
		if part != "" {
			options = append(options, option{words[0].Pos.Line, part})
		}
	}
	for _, w := range words[1:] {
		options = append(options, option{w.Pos.Line, w.text()})
	}
	switch source {
	case "publish://":
		if len(options) > 0 {
			return f.errorf(options[0].line, "option %.80q: publish:// takes no options", options[0].text)
		}
		if err := room.CheckStreamName(stream); err != nil {
			return f.errorf(words[0].Pos.Line, "stream: %v", err)
		}
		f.config.Streams = append(f.config.Streams, stream)
		return nil
	case "mosaic2://":
		o, err := f.options(words[0].Pos.Line, options)
		if err != nil {
			return err
		}
		f.config.Rooms = append(f.config.Rooms, Room{stream, o})
		return nil
	}
	return f.errorf(words[0].Pos.Line, "source %.80q is not accepted, only mosaic2:// (a room; options follow after a space) and publish:// (a participant)", words[0].text())
}

// option is the text name=value in one line.
type option struct {
	line int
	text string
}

func (f *file) options(line int, list []option) (room.Options, error) {
	o := room.DefaultOptions()
	lines := map[string]int{}
	for _, opt := range list {
		name, value, ok := strings.Cut(opt.text, "=")
		switch {
		case !ok:
			return o, f.errorf(opt.line, "option %.80q has no value: want name=value", opt.text)
		case lines[name] != 0:
			return o, f.errorf(opt.line, "option %s is given twice", name)
		}
		if err := o.Set(name, value); err != nil {
			return o, f.errorf(opt.line, "%v", err)
		}
		lines[name] = opt.line
	}
	if lines["samples"] == 0 {
		o.Samples = room.DefaultSamples(o.SampleRate)
	}
	if err := o.Validate(); err != nil {
		var refused *room.OptionError
		if errors.As(err, &refused) && lines[refused.Name] != 0 {
			line = lines[refused.Name]
		}
		return o, f.errorf(line, "%v", err)
	}
	return o, nil
}

func texts(words []*word) []string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = w.text()
	}
	return list
}
