package rtc

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pion/ice/v4"

	"sectile/server/udp"
)

// socketBuffer is asked of the kernel for either direction; it grants what it allows.
const socketBuffer = 4 << 20

// socket is the one UDP port of all sessions. One socket on the unspecified address takes
// the packets of all interfaces, also of those that come later, and of both families.
type socket struct {
	*port
	mux       *ice.UDPMuxDefault
	local     netip.AddrPort // as bound
	wildcard  bool
	only4     bool         // takes no IPv6
	addresses []netip.Addr // to announce instead of the interfaces' own
}

func listen(addr string, addresses []netip.Addr, clock func() time.Duration, log pionLog, stray func()) (*socket, error) {
	network := "udp"
	if host, _, err := net.SplitHostPort(addr); err == nil {
		if ip, err := netip.ParseAddr(host); err == nil && ip.Is4() {
			network = "udp4"
		} else if err == nil && !ip.IsUnspecified() {
			network = "udp6"
		}
	}
	conn, err := udp.Listen(network, addr, socketBuffer)
	if err != nil {
		return nil, err
	}
	local := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	local = netip.AddrPortFrom(local.Addr().Unmap(), local.Port())
	s := &socket{
		local: local, wildcard: local.Addr().IsUnspecified(), only4: local.Addr().Is4(),
		addresses: addresses,
	}
	for _, a := range addresses {
		if !a.IsValid() || a.IsUnspecified() || a.IsMulticast() {
			conn.Close()
			return nil, fmt.Errorf("address %v cannot be announced", a)
		}
	}
	s.port = newPort(conn, clock)
	s.mux = ice.NewUDPMuxDefault(ice.UDPMuxParams{
		Logger: log.NewLogger("ice"), UDPConn: s.port,
		OnUnhandledPacket: func([]byte, netip.AddrPort) { stray() },
	})
	return s, nil
}

func (s *socket) close() error { return s.mux.Close() }

// loopbackOnly tells whether only this machine can reach the socket.
func (s *socket) loopbackOnly() bool { return s.local.Addr().IsLoopback() }

// hosts are the addresses to announce. Loopback ones are among them if the client is on
// this machine, if they were asked for, or if there are no others.
func (s *socket) hosts(clientOnLoopback bool) []netip.Addr {
	if !s.wildcard && len(s.addresses) == 0 {
		return []netip.Addr{s.local.Addr()}
	}
	var hosts, loopback []netip.Addr
	own := interfaceAddresses()
	for _, a := range own {
		if a.IsLoopback() {
			loopback = append(loopback, a)
		}
	}
	if len(s.addresses) > 0 {
		hosts = append(hosts, s.addresses...)
		if !s.wildcard {
			loopback = nil
			if s.loopbackOnly() {
				loopback = []netip.Addr{s.local.Addr()}
			}
		}
	} else {
		for _, a := range own {
			if !a.IsLoopback() {
				hosts = append(hosts, a)
			}
		}
	}
	usable := func(list []netip.Addr) (ok []netip.Addr) {
		for _, a := range list {
			if a = a.Unmap(); !s.only4 || a.Is4() {
				ok = append(ok, a)
			}
		}
		return ok
	}
	hosts = usable(hosts)
	if clientOnLoopback || len(hosts) == 0 {
		for _, a := range usable(loopback) {
			if !slices.Contains(hosts, a) {
				hosts = append(hosts, a)
			}
		}
	}
	return hosts[:min(len(hosts), maxAnnounced)]
}

// interfaceAddresses are the addresses of all interfaces that are up. Link-local ones of
// IPv6 are left out: they mean nothing without the zone, which a candidate cannot carry.
func interfaceAddresses() []netip.Addr {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var list []netip.Addr
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			prefix, err := netip.ParsePrefix(a.String())
			if err != nil {
				continue
			}
			if ip := prefix.Addr().Unmap(); !(ip.Is6() && ip.IsLinkLocalUnicast()) {
				list = append(list, ip)
			}
		}
	}
	return list
}

// view is the socket as one session's ICE agent sees it: with the addresses to announce
// as if it were bound to each of them.
type view struct {
	*socket
	hosts     []netip.Addr
	addresses *addresses
	consent   *consent

	mu   sync.Mutex
	read map[string]bool // what somebody reads, by name and family
}

// GetListenAddresses implements ice.UDPMux.
func (v *view) GetListenAddresses() []net.Addr {
	list := make([]net.Addr, len(v.hosts))
	for i, a := range v.hosts {
		list[i] = net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, v.local.Port()))
	}
	return list
}

// GetConn implements ice.UDPMux.
func (v *view) GetConn(ufrag string, addr net.Addr) (net.PacketConn, error) {
	if !v.wildcard {
		addr = v.mux.LocalAddr()
	}
	conn, err := v.mux.GetConn(ufrag, addr)
	if err != nil {
		return nil, err
	}
	// The mux hands out such connections because port is one.
	c := &checkedConn{PacketConn: conn, AddrPortReaderWriter: conn.(ice.AddrPortReaderWriter), addresses: v.addresses, consent: v.consent}
	// One connection stands behind all local addresses of a family, and as many readers would
	// put its packets in disorder.
	name := ufrag
	if udp, ok := addr.(*net.UDPAddr); ok && udp.IP.To4() == nil {
		name += " IPv6"
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.read[name] {
		u := &unread{PacketConn: conn, AddrPortReaderWriter: c.AddrPortReaderWriter, closed: make(chan struct{})}
		c.PacketConn, c.AddrPortReaderWriter = u, u
	} else {
		if v.read == nil {
			v.read = map[string]bool{}
		}
		v.read[name] = true
	}
	return c, nil
}

// unread is a connection that others read, until it is closed.
type unread struct {
	net.PacketConn
	ice.AddrPortReaderWriter
	closed chan struct{}
	once   sync.Once
}

// ReadFrom implements net.PacketConn.
func (c *unread) ReadFrom([]byte) (int, net.Addr, error) {
	<-c.closed
	return 0, nil, io.EOF
}

// ReadFromAddrPort implements ice.AddrPortReaderWriter.
func (c *unread) ReadFromAddrPort([]byte) (int, netip.AddrPort, error) {
	<-c.closed
	return 0, netip.AddrPort{}, io.EOF
}

// Close implements net.PacketConn.
func (c *unread) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.PacketConn.Close()
}

// RemoveConnByUfrag implements ice.UDPMux.
func (v *view) RemoveConnByUfrag(ufrag string) { v.mux.RemoveConnByUfrag(ufrag) }

// Close implements ice.UDPMux. The socket outlives the session.
func (v *view) Close() error { return nil }

// isName tells whether a candidate's address is a name, of mDNS or DNS: those are never
// resolved.
func isName(address string) bool {
	_, err := netip.ParseAddr(strings.Trim(address, "[]"))
	return err != nil
}
