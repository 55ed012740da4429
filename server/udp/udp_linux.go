//go:build amd64 || arm64

package udp

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// mmsghdr is struct mmsghdr of recvmmsg(2) on 64-bit machines.
type mmsghdr struct {
	hdr    syscall.Msghdr
	length uint32
	_      uint32
}

// controlSize holds one struct timespec as a control message (cmsg(3)).
const controlSize = 32

// Conn is a UDP socket that the Go runtime's network poller does not know. The poller is
// told of every datagram that comes and of every one that has left, whether or not anybody
// waits for that, and each time a thread wakes up for nothing: thousands of times a second.
// So whoever reads at fixed times, and rarely waits, is better off without it.
//
// One goroutine waits and one reads at a time; any may write.
type Conn struct {
	local *net.UDPAddr
	ipv6  bool // addresses of the socket are struct sockaddr_in6

	open   sync.RWMutex // held for reading while fd is used
	fd     int
	closed bool

	in  vector
	got []Packet

	// A batch has a vector of its own and none waits for another's: who writes in time with
	// a clock must not be held up by one whom the kernel has put aside.
	mu   sync.Mutex // guards idle
	idle []*vector  // for writing
}

// vector is what one system call works on. Everything in it is made once.
type vector struct {
	headers [Batch]mmsghdr
	iovecs  [Batch]syscall.Iovec
	names   [Batch]syscall.RawSockaddrInet6
	control [Batch][controlSize]byte
	data    []byte // Batch × MaxPacket for reading
}

// link has the headers point to the rest.
func (v *vector) link() {
	for i := range v.headers {
		h := &v.headers[i].hdr
		h.Iov, h.Iovlen = &v.iovecs[i], 1
		h.Name = (*byte)(unsafe.Pointer(&v.names[i]))
	}
}

// Listen opens a socket as net.ListenPacket does. buffer is asked of the kernel for
// either direction; it grants what it allows.
func Listen(network, address string, buffer int) (*Conn, error) {
	packets, err := net.ListenPacket(network, address)
	if err != nil {
		return nil, err
	}
	conn := packets.(*net.UDPConn)
	defer conn.Close() // which takes it from the poller
	c := &Conn{local: conn.LocalAddr().(*net.UDPAddr), fd: -1, got: make([]Packet, Batch)}
	// Best effort: small buffers lose packets only under load.
	_ = conn.SetReadBuffer(buffer)
	_ = conn.SetWriteBuffer(buffer)
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var operr error
	if err := raw.Control(func(fd uintptr) { operr = c.take(int(fd), buffer) }); err != nil {
		return nil, err
	}
	if operr != nil {
		return nil, os.NewSyscallError("socket", operr)
	}
	c.in.data = make([]byte, Batch*MaxPacket)
	for i := range c.in.headers {
		c.in.iovecs[i].Base = &c.in.data[i*MaxPacket]
		c.in.iovecs[i].SetLen(MaxPacket)
	}
	c.in.link()
	return c, nil
}

// take makes a descriptor of its own of the socket behind fd.
func (c *Conn) take(fd, buffer int) error {
	domain, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_DOMAIN)
	if err != nil {
		return err
	}
	c.ipv6 = domain == syscall.AF_INET6
	// The time of arrival is the kernel's, so that reading late does not look like jitter.
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1); err != nil {
		return err
	}
	// Beyond the usual limit, if the process may (CAP_NET_ADMIN).
	_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, buffer)
	_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_SNDBUFFORCE, buffer)
	own, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return errno
	}
	c.fd = int(own)
	return nil
}

// LocalAddr is the address that the socket is bound to.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// use calls f with the descriptor, which is not closed meanwhile.
func (c *Conn) use(f func(fd uintptr) error) error {
	c.open.RLock()
	defer c.open.RUnlock()
	if c.closed {
		return net.ErrClosed
	}
	return f(uintptr(c.fd))
}

// Close closes the socket and ends Wait. Closing again does nothing.
func (c *Conn) Close() error {
	// Not connected, but it wakes up who waits all the same (inet_shutdown in Linux).
	_ = c.use(func(fd uintptr) error { return syscall.Shutdown(int(fd), syscall.SHUT_RDWR) })
	c.open.Lock()
	defer c.open.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	return os.NewSyscallError("close", syscall.Close(c.fd))
}

// pollFD is struct pollfd of poll(2).
type pollFD struct {
	fd              int32
	events, revents int16
}

const (
	pollIn  = 1
	pollOut = 4
)

// await waits for events, at most for d; the caller looks whether they came.
func await(fd uintptr, events int16, d time.Duration) {
	p := pollFD{fd: int32(fd), events: events}
	timeout := syscall.NsecToTimespec(int64(d))
	syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&timeout)), 0, 0, 0)
}

// Wait waits until ReadBatch has something to return, or for a second. It occupies a
// thread.
func (c *Conn) Wait() error {
	return c.use(func(fd uintptr) error {
		await(fd, pollIn, time.Second)
		return nil
	})
}

// ReadBatch returns the datagrams that are there, at most Batch, and none if there are
// none. They are valid until the next call.
func (c *Conn) ReadBatch() ([]Packet, error) {
	v := &c.in
	for i := range v.headers {
		h := &v.headers[i].hdr
		h.Namelen = syscall.SizeofSockaddrInet6
		h.Control = &v.control[i][0]
		h.SetControllen(controlSize)
		h.Flags = 0
	}
	c.open.RLock()
	defer c.open.RUnlock()
	if c.closed {
		return nil, net.ErrClosed
	}
	// Neither this nor sending blocks, so the runtime need not know of it.
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVMMSG, uintptr(c.fd), uintptr(unsafe.Pointer(&v.headers[0])), Batch, syscall.MSG_DONTWAIT, 0, 0)
	switch errno {
	case 0:
	case syscall.EAGAIN, syscall.EINTR:
		return nil, nil
	default:
		return nil, os.NewSyscallError("recvmmsg", errno)
	}
	for i := range int(n) {
		at := i * MaxPacket
		c.got[i] = Packet{
			Data:    v.data[at : at+int(v.headers[i].length) : at+MaxPacket],
			Addr:    address(&v.names[i]),
			Arrival: arrival(v.control[i][:v.headers[i].hdr.Controllen]),
		}
	}
	return c.got[:n], nil
}

// patience is how long a write waits at most, in all, for room in the socket's buffer.
const patience = 20 * time.Millisecond

// WriteBatch sends datagrams, in order, but for those that other goroutines send meanwhile.
// It waits a little while the socket's buffer is full; what finds no room then is lost. One
// that the kernel refuses, to an address without a route for example, is skipped. The error
// is net.ErrClosed.
func (c *Conn) WriteBatch(packets []Packet) error {
	c.open.RLock()
	defer c.open.RUnlock()
	if c.closed {
		return net.ErrClosed
	}
	v := c.vector()
	left := patience
	for len(packets) > 0 {
		n := min(len(packets), Batch)
		for i, p := range packets[:n] {
			v.iovecs[i].Base = unsafe.SliceData(p.Data)
			v.iovecs[i].SetLen(len(p.Data))
			v.headers[i].hdr.Namelen = c.setAddress(&v.names[i], p.Addr)
		}
		left = v.send(uintptr(c.fd), n, left)
		for i := range n {
			v.iovecs[i].Base = nil // keep nobody's packet alive
		}
		packets = packets[n:]
	}
	c.mu.Lock()
	c.idle = append(c.idle, v)
	c.mu.Unlock()
	return nil
}

// vector is one to write with.
func (c *Conn) vector() *vector {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.idle); n > 0 {
		v := c.idle[n-1]
		c.idle = c.idle[:n-1]
		return v
	}
	v := new(vector)
	v.link()
	return v
}

// send sends the first n. It waits for room for so long at most, and returns what is left
// of that.
func (v *vector) send(fd uintptr, n int, left time.Duration) time.Duration {
	for from := 0; from < n; {
		sent, _, errno := syscall.RawSyscall6(sysSendmmsg, fd, uintptr(unsafe.Pointer(&v.headers[from])), uintptr(n-from), syscall.MSG_DONTWAIT, 0, 0)
		switch {
		case errno == 0:
			from += int(sent)
		case errno == syscall.EINTR:
		case errno == syscall.EAGAIN && left > 0:
			left = awaitRoom(fd, left)
		default:
			from++ // the error is that of the first
		}
	}
	return left
}

// awaitRoom waits until the socket's buffer has room, for so long at most, and returns what
// is left of that.
func awaitRoom(fd uintptr, left time.Duration) time.Duration {
	start := time.Now()
	await(fd, pollOut, left)
	return left - time.Since(start)
}

// WriteToAddrPort sends one datagram, as WriteBatch does.
func (c *Conn) WriteToAddrPort(data []byte, addr netip.AddrPort) (int, error) {
	c.open.RLock()
	defer c.open.RUnlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	var name syscall.RawSockaddrInet6
	size := c.setAddress(&name, addr)
	sendTo(uintptr(c.fd), data, &name, size)
	return len(data), nil
}

// sendTo sends one datagram to the name of so many bytes; 0 for a socket that is connected.
func sendTo(fd uintptr, data []byte, name *syscall.RawSockaddrInet6, size uint32) {
	for left := patience; ; {
		_, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(len(data)),
			syscall.MSG_DONTWAIT, uintptr(unsafe.Pointer(name)), uintptr(size))
		switch {
		case errno == syscall.EINTR:
		case errno == syscall.EAGAIN && left > 0:
			left = awaitRoom(fd, left)
		default:
			return
		}
	}
}

// setAddress writes addr as the socket's family wants it and returns its size.
func (c *Conn) setAddress(to *syscall.RawSockaddrInet6, addr netip.AddrPort) uint32 {
	if c.ipv6 {
		*to = syscall.RawSockaddrInet6{Family: syscall.AF_INET6, Addr: addr.Addr().As16()}
		binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&to.Port))[:], addr.Port())
		return syscall.SizeofSockaddrInet6
	}
	to4 := (*syscall.RawSockaddrInet4)(unsafe.Pointer(to))
	*to4 = syscall.RawSockaddrInet4{Family: syscall.AF_INET}
	if a := addr.Addr().Unmap(); a.Is4() {
		to4.Addr = a.As4()
	} // else 0.0.0.0, which is nobody: an IPv4 socket has no IPv6 peers
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&to4.Port))[:], addr.Port())
	return syscall.SizeofSockaddrInet4
}

// address reads what the kernel wrote. Zones are left out: link-local addresses of IPv6
// are never announced.
func address(from *syscall.RawSockaddrInet6) netip.AddrPort {
	switch from.Family {
	case syscall.AF_INET6:
		port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&from.Port))[:])
		return netip.AddrPortFrom(netip.AddrFrom16(from.Addr).Unmap(), port)
	case syscall.AF_INET:
		from4 := (*syscall.RawSockaddrInet4)(unsafe.Pointer(from))
		port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&from4.Port))[:])
		return netip.AddrPortFrom(netip.AddrFrom4(from4.Addr), port)
	}
	return netip.AddrPort{}
}

// arrival reads SCM_TIMESTAMPNS, or is now without one.
func arrival(control []byte) time.Time {
	const header = syscall.SizeofCmsghdr
	if len(control) >= header+16 {
		h := (*syscall.Cmsghdr)(unsafe.Pointer(&control[0]))
		if h.Level == syscall.SOL_SOCKET && h.Type == syscall.SCM_TIMESTAMPNS {
			seconds := int64(binary.NativeEndian.Uint64(control[header:]))
			nanoseconds := int64(binary.NativeEndian.Uint64(control[header+8:]))
			return time.Unix(seconds, nanoseconds)
		}
	}
	return time.Now()
}
