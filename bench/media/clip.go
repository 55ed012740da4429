// Package media is the sound of benchmarks: what participants send, encoded before, when
// they send it, and what is found in what they receive.
package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"gopkg.in/hraban/opus.v2"
)

// Rate is of all sound, in Hz.
const Rate = 48000

// samples are in a frame, 20 ms.
const samples = Rate / 50

// Clip is sound encoded before the measurement, to be sent over and over: a packet for each
// 20 ms, or nil where nothing is sent.
type Clip [][]byte

// kind is what an encoder is made for.
type kind struct {
	application opus.Application
	bitrate     int
	dtx, fec    bool
}

var (
	music  = kind{application: opus.AppAudio, bitrate: 64000} // tones
	voice  = kind{application: opus.AppVoIP, bitrate: 64000}
	robust = kind{application: opus.AppVoIP, bitrate: 40000, fec: true}
	quiet  = kind{application: opus.AppVoIP, bitrate: 32000, dtx: true}
)

// encode encodes whole frames as browsers do. With DTX libopus makes packets of one or two
// bytes in silence; the first of a run is sent and the others are not, until libopus
// renews the description of the silence, every 400 ms.
func (k kind) encode(pcm []int16) (Clip, error) {
	encoder, err := opus.NewEncoder(Rate, 1, k.application)
	if err != nil {
		return nil, err
	}
	if err := encoder.SetBitrate(k.bitrate); err != nil {
		return nil, err
	}
	if err := encoder.SetDTX(k.dtx); err != nil {
		return nil, err
	}
	if k.fec {
		// As a browser whose receiver reports loss.
		if err := errors.Join(encoder.SetInBandFEC(true), encoder.SetPacketLossPerc(10)); err != nil {
			return nil, err
		}
	}
	var c Clip
	buffer, silent := make([]byte, 1500), false
	for ; len(pcm) >= samples; pcm = pcm[samples:] {
		n, err := encoder.Encode(pcm[:samples], buffer)
		if err != nil {
			return nil, err
		}
		was := silent
		if silent = n <= 2; silent && was {
			c = append(c, nil)
		} else {
			c = append(c, slices.Clone(buffer[:n]))
		}
	}
	return c, nil
}

// Tone is a sine of a whole number of hertz that goes on from the end of the clip at its
// start; level is of its peak in dBFS.
func Tone(hz, level float64) (Clip, error) { return music.encode(sine(4*Rate, hz, level)) }

// ToneWithFEC is the same with in-band FEC: most packets hold a copy of the one before. The
// tone swells four times a second, as syllables do, since libopus takes a steady one for
// noise and makes no copies of it; level is of the tone that remains when the swelling is
// taken away.
func ToneWithFEC(hz, level float64) (Clip, error) {
	pcm := sine(4*Rate, hz, level)
	for i, v := range pcm {
		pcm[i] = int16(float64(v) * (1 - math.Cos(2*math.Pi*4*float64(i)/Rate)))
	}
	return robust.encode(pcm)
}

func sine(n int, hz, level float64) []int16 {
	amplitude := 32767 * math.Pow(10, level/20)
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(amplitude * math.Sin(2*math.Pi*hz*float64(i)/Rate))
	}
	return pcm
}

// Silence is what the noise suppression of a browser leaves of a quiet room, with DTX: a
// packet or two every 400 ms. (libopus 1.3 takes even noise of −90 dBFS for something to
// send.)
func Silence() (Clip, error) { return quiet.encode(make([]int16, 20*Rate)) }

// Speech is what is spoken in the files, 16-bit mono WAV of 48 kHz, one after the other.
func Speech(pattern string) (Clip, error) {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	var pcm []int16
	for _, file := range files {
		more, err := wav(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		pcm = append(pcm, more...)
	}
	if len(pcm) < Rate {
		return nil, fmt.Errorf("less than a second of speech in %s", pattern)
	}
	return voice.encode(pcm)
}

func wav(file string) ([]int16, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if len(data) < 12 || string(data[:4]) != "RIFF" || string(data[8:12]) != "WAVE" {
		return nil, fmt.Errorf("no WAV")
	}
	var format []byte
	for data = data[12:]; len(data) >= 8; {
		id, size := string(data[:4]), int(binary.LittleEndian.Uint32(data[4:]))
		data = data[8:]
		body := data[:min(size, len(data))]
		data = data[min(size+size&1, len(data)):]
		switch id {
		case "fmt ":
			format = body
		case "data":
			if len(format) < 16 || format[0] != 1 || format[2] != 1 || binary.LittleEndian.Uint32(format[4:]) != Rate || format[14] != 16 {
				return nil, fmt.Errorf("not 16-bit mono PCM of %d Hz", Rate)
			}
			pcm := make([]int16, len(body)/2)
			for i := range pcm {
				pcm[i] = int16(binary.LittleEndian.Uint16(body[2*i:]))
			}
			return pcm, nil
		}
	}
	return nil, fmt.Errorf("no sound in it")
}
