package media

import (
	"time"

	"sectile/bench/client"
	"sectile/cgo/opus"
)

// The delay that a server adds is measured with bursts of a tone: from the moment at which
// the packet is sent that begins with a burst, to the moment at which the packet arrives
// that holds its onset, plus the offset of the onset in that packet (a player cannot play
// it earlier), minus what the codecs add on the way client–server–client, which is measured
// by the same detector on the same sound without a server.
const (
	burstPeriod = Rate
	burstLength = Rate / 5
	burstTone   = 1000 // Hz
	burstLevel  = -12  // dBFS, of its peak
)

// Burst is a second that begins with a burst, sent without DTX.
func Burst() (Clip, error) {
	pcm := make([]int16, burstPeriod)
	copy(pcm, sine(burstLength, burstTone, burstLevel))
	c, err := music.encode(append(pcm, pcm...))
	if err != nil {
		return nil, err
	}
	return c[len(c)/2:], nil // the second time, as in mid-stream
}

// onset is the start of a burst in what was received.
type onset struct {
	packet int // that holds it
	offset int // samples
}

// onsets finds the bursts in packets: the first sample of more than a quarter of the
// Burst's peak after 100 ms of less.
func onsets(packets [][]byte) ([]onset, error) {
	decoder, err := opus.NewDecoder(Rate)
	if err != nil {
		return nil, err
	}
	defer decoder.Close()
	threshold := sine(Rate/burstTone, burstTone, burstLevel)[Rate/burstTone/4] / 4
	var found []onset
	quiet := 0
	pcm := make([]int16, Rate*120/1000)
	for i, p := range packets {
		n, err := decoder.Decode(p, pcm)
		if err != nil {
			return nil, err
		}
		for j, v := range pcm[:n] {
			if v < threshold && v > -threshold {
				quiet++
				continue
			}
			if quiet > Rate/10 {
				found = append(found, onset{i, j})
			}
			quiet = 0
		}
	}
	return found, nil
}

// CodecDelay is where the onset is after two encoders and decoders: twice their lookahead,
// and what the detector needs.
func CodecDelay(c Clip) (time.Duration, error) {
	var twice []int16
	decoder, err := opus.NewDecoder(Rate)
	if err != nil {
		return 0, err
	}
	defer decoder.Close()
	pcm := make([]int16, samples)
	for i := range 4 * len(c) {
		if _, err := decoder.Decode(c[i%len(c)], pcm); err != nil {
			return 0, err
		}
		twice = append(twice, pcm...)
	}
	again, err := music.encode(twice)
	if err != nil {
		return 0, err
	}
	found, err := onsets(again)
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, o := range found[1:] { // before the first the decoder had not settled
		sum += length(o.packet%len(c)*samples + o.offset)
	}
	return sum / time.Duration(len(found)-1), nil
}

func length(samples int) time.Duration { return time.Duration(samples) * time.Second / Rate }

// Delay is that of one burst.
type Delay struct {
	Sent  time.Time
	Added time.Duration // by the server
}

// Delays are those of all bursts that were heard, given when each was sent and what
// CodecDelay said.
func Delays(sent []time.Time, heard []client.Packet, codec time.Duration) ([]Delay, error) {
	payloads := make([][]byte, len(heard))
	for i, p := range heard {
		payloads[i] = p.Payload
	}
	found, err := onsets(payloads)
	if err != nil {
		return nil, err
	}
	var all []Delay
	for _, o := range found {
		at := heard[o.packet].At.Add(length(o.offset) - codec)
		for i := len(sent) - 1; i >= 0; i-- {
			if d := at.Sub(sent[i]); d >= 0 {
				if d < length(burstPeriod) {
					all = append(all, Delay{sent[i], d})
				}
				break
			}
		}
	}
	return all, nil
}
