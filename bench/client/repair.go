package client

import (
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"sectile/server/nack"
)

// repaired reads a track of pictures and asks for packets that are missing, as browsers do.
type repaired struct {
	pc     *peer
	track  *webrtc.TrackRemote
	reader nack.Reader
	lost   nack.Losses
	start  time.Time
	buffer [1600]byte
}

func newRepaired(pc *peer, track *webrtc.TrackRemote) *repaired {
	return &repaired{pc: pc, track: track, reader: nack.Reader{Track: track}, start: time.Now()}
}

// now is since the start.
func (r *repaired) now() time.Duration { return time.Since(r.start) }

// read reads the next packet, which is valid until the next call. Packets come in any order.
func (r *repaired) read() (*rtp.Packet, error) {
	for {
		n, resent, err := r.reader.Read(r.buffer[:], r.lost.Missing())
		if nack.Waited(err) {
			r.ask(r.lost.Due(r.now()))
			continue
		}
		if err != nil {
			return nil, err
		}
		packet := &rtp.Packet{}
		if err := packet.Unmarshal(r.buffer[:n]); err != nil {
			return nil, err
		}
		r.ask(r.lost.Add(packet.SequenceNumber, resent, r.now()))
		return packet, nil
	}
}

func (r *repaired) ask(sequences []uint16) {
	if len(sequences) > 0 {
		_ = r.pc.WriteRTCP([]rtcp.Packet{nack.Packet(1, uint32(r.track.SSRC()), sequences)})
	}
}
