package rtc

import (
	"net/netip"
	"time"

	"github.com/pion/rtcp"
)

// soundReports takes what a player without pictures reports: a route of the socket, for
// pion's way of RTCP wakes as many goroutines as its way of sound. All that there is to know
// of sound is what gets lost.
type soundReports struct {
	player *player
	opener *opener
	to     subscription
}

// takeReports has the reports taken from now on.
func (p *player) takeReports() error {
	config, err := keys(p.pc, p.transport())
	if err != nil {
		return err
	}
	opener, err := newOpener(config)
	if err != nil {
		return err
	}
	p.addresses.take(&soundReports{player: p, opener: opener, to: p.subscription})
	return nil
}

// receive implements route. It runs in the ticks of sound and must not wait for whoever
// changes the player's tracks.
func (r *soundReports) receive(packet []byte, from netip.AddrPort, _ time.Duration) bool {
	if !isControl(packet) {
		return false
	}
	plain, err := r.opener.openControl(packet)
	if err != nil { // forged, repeated, or of another association
		r.player.server.rejected.add(rejectedPacket)
		return true
	}
	r.player.addresses.heard(from)
	eachControl(plain, func(kind rtcp.PacketType, packet []byte) {
		var report rtcp.ReceiverReport
		if kind != rtcp.TypeReceiverReport || report.Unmarshal(packet) != nil {
			return
		}
		for _, b := range report.Reports {
			if b.SSRC == r.player.audio.header.SSRC {
				r.to.ReportLoss(float64(b.FractionLost) / 256)
			}
		}
	})
	return true
}

// isControl tells RTCP from all else on the port (RFC 5761, 4; RFC 7983).
func isControl(packet []byte) bool {
	return len(packet) >= 8 && packet[0]>>6 == 2 && packet[1] >= 192 && packet[1] <= 223
}

// eachControl calls f with the parts of a compound packet (RFC 3550, 6.1), up to one that is
// malformed.
func eachControl(packet []byte, f func(kind rtcp.PacketType, packet []byte)) {
	var h rtcp.Header
	for len(packet) >= 4 && h.Unmarshal(packet) == nil {
		size := 4 * (int(h.Length) + 1)
		if size > len(packet) {
			return
		}
		f(h.Type, packet[:size])
		packet = packet[size:]
	}
}
