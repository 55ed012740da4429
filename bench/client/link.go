package client

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Link is the way to a server, good or bad.
type Link struct {
	Server string     // URL, such as http://127.0.0.1:8080
	Local  netip.Addr // address of this side for HTTP and media; zero: loopback

	Loss     float64    // share of UDP packets that are lost, in each direction, from 0 to 1
	Up, Down Impairment // what else happens to UDP packets to the server and from it
	Seed     uint64     // of all chance
	Feedback bool       // a Voice sends RTCP reports, for which it decrypts all that comes
}

// listen opens the client's UDP socket. Without Local it is bound to loopback, of the same
// family as the server's URL: no packet leaves the machine.
func (l Link) listen() (*impaired, error) {
	local := l.Local
	if !local.IsValid() {
		local = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		if strings.Contains(l.Server, "://[") {
			local = netip.IPv6Loopback()
		}
	}
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, 0)))
	if err != nil {
		return nil, err
	}
	up, down := l.Up, l.Down
	up.Loss, down.Loss = max(up.Loss, l.Loss), max(down.Loss, l.Loss)
	return newImpaired(udp{conn}, up, down, l.Seed), nil
}

// http is the client that asks from the link's own address.
func (l Link) http() *http.Client {
	if !l.Local.IsValid() {
		return http.DefaultClient
	}
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(l.Local, 0))}
	return &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
}
