package room

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sectile/engine/codec"
	"sectile/engine/compose"
)

// Options are the settings of one room. The JSON names are also the names in a
// configuration file and in the control API.
type Options struct {
	Bitrate      int    `json:"bitrate"`       // Opus, kbit/s
	SampleRate   int    `json:"samplerate"`    // Hz, of the mix and of the Opus encoders
	Samples      int    `json:"samples"`       // per packet, at SampleRate
	Gate         Gate   `json:"gate"`          // leaves the noise of who does not talk out of the mix
	DisableVideo bool   `json:"disable_video"` // no mosaic, audio only
	Width        int    `json:"width"`         // of the mosaic, luma samples
	Height       int    `json:"height"`
	FPS          int    `json:"fps"`
	VideoBitrate int    `json:"video_bitrate"` // H.264, kbit/s
	Preset       string `json:"preset"`        // x264's
	Layout       string `json:"layout"`        // of the mosaic at first; Look can change it
}

// DefaultOptions are the settings of a room of which nothing is said.
func DefaultOptions() Options {
	return Options{
		Bitrate: 64, SampleRate: 48000, Samples: 960, DisableVideo: true,
		Width: 1280, Height: 720, FPS: 25, VideoBitrate: 1500, Preset: "superfast",
		Layout: string(compose.Even),
	}
}

// DefaultSamples are the samples of a packet at a sample rate when none are named: as many
// as always where Opus has packets of that length, else those of 20 ms.
func DefaultSamples(rate int) int {
	if usual := DefaultOptions().Samples; slices.Contains(frameSizes(rate), usual) {
		return usual
	}
	return rate / 50
}

// Complete gives those options their defaults that a room lacks which was saved before
// there were such options.
func (o *Options) Complete() {
	if o.Layout == "" {
		o.Layout = DefaultOptions().Layout
	}
}

// presets are x264's, without placebo, which no live encoder can afford.
var presets = []string{"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"}

var sampleRates = []int{8000, 12000, 16000, 24000, 48000}

// OptionError tells which option was refused and what it accepts.
type OptionError struct{ Name, Value, Accepts string }

func (e *OptionError) Error() string {
	if e.Accepts == "" {
		return fmt.Sprintf("option %q (value %q) is unknown; accepted are %s", e.Name, e.Value, strings.Join(optionNames, ", "))
	}
	return fmt.Sprintf("option %s: %q is not accepted, only %s", e.Name, e.Value, e.Accepts)
}

var optionNames = []string{"bitrate", "samplerate", "samples", "gate", "disable_video", "width", "height", "fps", "video_bitrate", "preset", "layout"}

// Set sets one option from its text. It checks the option by itself; what depends on
// another one (samples on samplerate) is left to Validate. The error is an *OptionError.
func (o *Options) Set(name, value string) error {
	number := func(dst *int) error {
		n, err := strconv.Atoi(value)
		if err != nil {
			return &OptionError{name, value, accepts(name, *o)}
		}
		*dst = n
		return nil
	}
	switch name {
	case "bitrate":
		return number(&o.Bitrate)
	case "samplerate":
		return number(&o.SampleRate)
	case "samples":
		return number(&o.Samples)
	case "gate":
		if o.Gate.UnmarshalText([]byte(value)) != nil {
			return &OptionError{name, value, accepts(name, *o)}
		}
		return nil
	case "disable_video":
		switch value {
		case "true":
			o.DisableVideo = true
		case "false":
			o.DisableVideo = false
		default:
			return &OptionError{name, value, accepts(name, *o)}
		}
		return nil
	case "width":
		return number(&o.Width)
	case "height":
		return number(&o.Height)
	case "fps":
		return number(&o.FPS)
	case "video_bitrate":
		return number(&o.VideoBitrate)
	case "preset":
		o.Preset = value
		return nil
	case "layout":
		o.Layout = value
		return nil
	}
	return &OptionError{name, value, ""}
}

// Validate checks all options together. The error is an *OptionError.
func (o Options) Validate() error {
	refuse := func(name string, value any) error {
		return &OptionError{name, fmt.Sprint(value), accepts(name, o)}
	}
	side := func(n int) bool { return n >= 64 && n <= 3840 && n%2 == 0 }
	switch {
	case o.Bitrate < 6 || o.Bitrate > 510:
		return refuse("bitrate", o.Bitrate)
	case !slices.Contains(sampleRates, o.SampleRate):
		return refuse("samplerate", o.SampleRate)
	case !slices.Contains(frameSizes(o.SampleRate), o.Samples):
		return refuse("samples", o.Samples)
	case o.Gate > GateOff:
		return refuse("gate", o.Gate)
	case !side(o.Width):
		return refuse("width", o.Width)
	case !side(o.Height):
		return refuse("height", o.Height)
	case o.FPS < 1 || o.FPS > 60:
		return refuse("fps", o.FPS)
	case o.VideoBitrate < 50 || o.VideoBitrate > 100000:
		return refuse("video_bitrate", o.VideoBitrate)
	case !slices.Contains(presets, o.Preset):
		return refuse("preset", o.Preset)
	case !slices.Contains(layoutNames(), o.Layout):
		return refuse("layout", o.Layout)
	}
	return nil
}

// accepts is the text of what an option accepts; o matters for samples only.
func accepts(name string, o Options) string {
	switch name {
	case "bitrate":
		return "6 to 510 (kbit/s)"
	case "samplerate":
		return joinInts(sampleRates) + " (Hz)"
	case "samples":
		return fmt.Sprintf("%s at samplerate %d (2.5, 5, 10, 20, 40 or 60 ms)", joinInts(frameSizes(o.SampleRate)), o.SampleRate)
	case "gate":
		return "on or off"
	case "disable_video":
		return "true or false"
	case "width", "height":
		return "even numbers from 64 to 3840"
	case "fps":
		return "1 to 60"
	case "video_bitrate":
		return "50 to 100000 (kbit/s)"
	case "layout":
		return strings.Join(layoutNames(), ", ")
	default:
		return strings.Join(presets, ", ")
	}
}

// frameSizes are the samples of 2.5, 5, 10, 20, 40 and 60 ms (RFC 6716, 2.1.4).
func frameSizes(rate int) []int {
	return []int{rate / 400, rate / 200, rate / 100, rate / 50, rate / 25, rate * 3 / 50}
}

func joinInts(list []int) string {
	text := make([]string, len(list))
	for i, n := range list {
		text[i] = strconv.Itoa(n)
	}
	return strings.Join(text, ", ")
}

// Complexities of the encoders. With libopus 1.3.1 at 64 kbit/s, which is CELT, 1 costs half
// of 5, whose pitch filter is worth 0.8 dB on recorded speech, and is as near to the original
// as 4, what other mixers use. (0 costs a tenth less, but smears onsets: it looks for none.)
// At low bitrates it is SILK's search that complexity is about, and worth its time.
const (
	swift  = 1
	usual  = 5
	plenty = 48 // kbit/s, from which swift is enough
)

// audioParams are those of every encoder of a room with these options.
func (o Options) audioParams() codec.AudioParams {
	complexity := usual
	if o.Bitrate >= plenty {
		complexity = swift
	}
	return codec.AudioParams{SampleRate: o.SampleRate, Bitrate: o.Bitrate * 1000, Complexity: complexity}
}

// videoParams are those of the mosaic's encoder.
func (o Options) videoParams() codec.VideoParams {
	return codec.VideoParams{Width: o.Width, Height: o.Height, FPS: o.FPS, Bitrate: o.VideoBitrate * 1000, Preset: o.Preset}
}
