package room

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"sectile/engine/compose"
)

// Look is how the mosaic of a room looks. It can be changed while the room lives. The JSON
// names are also those of the control API.
type Look struct {
	Layout     string     `json:"layout"`          // one of compose.Layouts, or "custom"
	Fit        string     `json:"fit"`             // "letterbox" or "crop"
	Gap        int        `json:"gap"`             // between cells, luma samples
	Background string     `json:"background"`      // #rrggbb
	Names      string     `json:"names"`           // "on" or "off": over the pictures
	Cells      []LookCell `json:"cells,omitempty"` // of layout custom, kept under others; never changed in place
	// BackgroundImage is shown instead of the colour: a data URL, or "".
	BackgroundImage string `json:"background_image,omitempty"`
}

// LookCell is one cell of a layout of one's own, in fractions of the canvas. A later cell
// lies on those before it.
type LookCell struct {
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
	// Stream is whom the cell shows. Cells without it show those whom no cell names, in the
	// order in which they were added to the room.
	Stream string `json:"stream,omitempty"`
}

const (
	customLayout = "custom"
	maxLookCells = 100
)

// LookOptions are the names that Look.Set knows, besides layout and cells.
var LookOptions = []string{"background", "background_image", "fit", "gap", "names"}

// defaultLook is that of a room whose option layout is the given one.
func defaultLook(layout string) Look {
	return Look{
		Layout: layout, Fit: "letterbox", Names: "on",
		Background: fmt.Sprintf("#%06x", compose.DefaultStyle.Background),
	}
}

// layoutNames are those that need no cells.
func layoutNames() []string {
	names := make([]string, len(compose.Layouts))
	for i, l := range compose.Layouts {
		names[i] = string(l)
	}
	return names
}

// SetCells sets the cells of the layout custom, which a Look keeps for when it has that
// layout again. The error, an *OptionError, tells that it has another one now.
func (l *Look) SetCells(cells []LookCell) error {
	if l.Layout != customLayout {
		return &OptionError{"cells", "layout " + l.Layout, fmt.Sprintf(`layout %s ("args": [%q])`, customLayout, customLayout)}
	}
	l.Cells = cells
	return nil
}

// Set sets one of LookOptions from its text, to be checked by Validate.
func (l *Look) Set(name, value string) error {
	switch name {
	case "fit":
		l.Fit = value
	case "names":
		l.Names = value
	case "background":
		l.Background = value
	case "background_image":
		l.BackgroundImage = value
	case "gap":
		n, err := strconv.Atoi(value)
		if err != nil {
			return lookError(name, value)
		}
		l.Gap = n
	default:
		return fmt.Errorf("look has no %q", name)
	}
	return nil
}

func lookError(name string, value any) error {
	return &OptionError{name, fmt.Sprint(value), map[string]string{
		"layout":     strings.Join(append(layoutNames(), customLayout), ", "),
		"fit":        "letterbox or crop",
		"gap":        fmt.Sprintf("even numbers from 0 to %d", compose.MaxGap),
		"background": "#rrggbb",
		"names":      "on or off",
		"cells":      fmt.Sprintf("1 to %d with layout %s", maxLookCells, customLayout),
	}[name]}
}

// Validate checks everything together, but of a background image only what CheckImage
// does first. The error is an *OptionError.
func (l Look) Validate() error {
	_, hexErr := strconv.ParseUint(strings.TrimPrefix(l.Background, "#"), 16, 24)
	custom := l.Layout == customLayout
	switch {
	case !custom && !slices.Contains(layoutNames(), l.Layout):
		return lookError("layout", l.Layout)
	case l.Fit != "letterbox" && l.Fit != "crop":
		return lookError("fit", l.Fit)
	case l.Gap < 0 || l.Gap > compose.MaxGap || l.Gap%2 != 0:
		return lookError("gap", l.Gap)
	case hexErr != nil || len(l.Background) != 7 || l.Background[0] != '#':
		return lookError("background", l.Background)
	case l.Names != "on" && l.Names != "off":
		return lookError("names", l.Names)
	case custom && len(l.Cells) == 0 || len(l.Cells) > maxLookCells:
		return lookError("cells", fmt.Sprintf("%d cells", len(l.Cells)))
	}
	if l.BackgroundImage != "" {
		if _, err := imageData(l.BackgroundImage); err != nil {
			return err
		}
	}
	streams := map[string]bool{}
	for i, c := range l.Cells {
		refuse := func(accepted, format string, args ...any) error {
			return &OptionError{fmt.Sprintf("cells[%d]", i), fmt.Sprintf(format, args...), accepted}
		}
		// Sums of decimal fractions may be off by a little.
		const within = 1 + 1e-9
		if !(c.X >= 0 && c.Y >= 0 && c.Width > 0 && c.Height > 0 && c.X+c.Width <= within && c.Y+c.Height <= within) {
			return refuse("fractions of the canvas, inside of it", "%v×%v at (%v,%v)", c.Width, c.Height, c.X, c.Y)
		}
		if c.Stream == "" {
			continue
		}
		if CheckName(c.Stream) != nil {
			return refuse("names of streams", "stream %.80s", c.Stream)
		}
		if streams[c.Stream] {
			return refuse("each stream once", "stream %.80s again", c.Stream)
		}
		streams[c.Stream] = true
	}
	return nil
}

// style is what the canvas needs to know of a valid look, without its background image.
func (l Look) style() compose.Style {
	background, _ := strconv.ParseUint(l.Background[1:], 16, 24)
	return compose.Style{Background: uint32(background), Crop: l.Fit == "crop", Names: l.Names == "on"}
}

// followsSpeaker tells whether it matters who speaks.
func (l Look) followsSpeaker() bool {
	return l.Layout != customLayout && compose.Layout(l.Layout).HasSpeaker()
}

// shownInput is an input with its place.
type shownInput struct {
	input *Input
	rect  compose.Rect
}

// arrange says where on a canvas of width×height each of inputs is shown, the lowest
// first. Those for whom there is no cell are missing.
func (l Look) arrange(inputs []*Input, speaker *Input, width, height int) []shownInput {
	if l.Layout == customLayout {
		return l.arrangeCells(inputs, width, height)
	}
	cells := compose.Layout(l.Layout).Cells(len(inputs), width, height, l.Gap)
	shown := make([]shownInput, 0, len(cells))
	if l.followsSpeaker() && slices.Contains(inputs, speaker) {
		shown = append(shown, shownInput{input: speaker})
	} else {
		speaker = nil
	}
	for _, in := range inputs {
		if len(shown) < len(cells) && in != speaker {
			shown = append(shown, shownInput{input: in})
		}
	}
	for i := range shown {
		shown[i].rect = cells[i]
	}
	return shown
}

func (l Look) arrangeCells(inputs []*Input, width, height int) []shownInput {
	var others []*Input // whom no cell names
	for _, in := range inputs {
		if !slices.ContainsFunc(l.Cells, func(c LookCell) bool { return c.Stream == in.name }) {
			others = append(others, in)
		}
	}
	var shown []shownInput
	for _, c := range l.Cells {
		var in *Input
		if i := slices.IndexFunc(inputs, func(in *Input) bool { return in.name == c.Stream }); i >= 0 {
			in = inputs[i]
		} else if c.Stream == "" && len(others) > 0 {
			in, others = others[0], others[1:]
		}
		if in != nil {
			shown = append(shown, shownInput{in, c.rect(width, height)})
		}
	}
	return shown
}

// rect is the cell on a canvas, its edges rounded to the nearest even numbers, so that
// cells that meet in fractions meet on the canvas.
func (c LookCell) rect(width, height int) compose.Rect {
	side := func(from, length float64, size int) (int, int) {
		a := int(math.Round(from*float64(size)/2)) * 2
		b := int(math.Round((from+length)*float64(size)/2)) * 2
		a = min(a, size-2)
		return a, max(min(b, size)-a, 2)
	}
	var r compose.Rect
	r.X, r.W = side(c.X, c.Width, width)
	r.Y, r.H = side(c.Y, c.Height, height)
	return r
}
