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

// batches are the two directions of a socket.
type batches struct {
	raw  syscall.RawConn
	ipv6 bool // addresses of the socket are struct sockaddr_in6

	in  vector
	got []Packet

	mu  sync.Mutex // guards out
	out vector
}

// vector is what one system call works on. Everything in it is made once.
type vector struct {
	headers [Batch]mmsghdr
	iovecs  [Batch]syscall.Iovec
	names   [Batch]syscall.RawSockaddrInet6
	control [Batch][controlSize]byte
	data    []byte // Batch × MaxPacket for reading

	call      func(fd uintptr) bool // made once, since a closure a call would be garbage
	from, n   int                   // of headers
	processed int
	err       syscall.Errno
}

func (b *batches) init(conn *net.UDPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	b.raw = raw
	var domain int
	var operr error
	err = raw.Control(func(fd uintptr) {
		if domain, operr = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_DOMAIN); operr != nil {
			return
		}
		// The time of arrival is the kernel's, so that reading late does not look like jitter.
		operr = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1)
	})
	if err == nil && operr != nil {
		err = os.NewSyscallError("socket options", operr)
	}
	if err != nil {
		return err
	}
	b.ipv6 = domain == syscall.AF_INET6
	b.got = make([]Packet, Batch)
	b.in.data = make([]byte, Batch*MaxPacket)
	for i := range b.in.headers {
		b.in.iovecs[i].Base = &b.in.data[i*MaxPacket]
		b.in.iovecs[i].SetLen(MaxPacket)
	}
	for _, v := range []*vector{&b.in, &b.out} {
		for i := range v.headers {
			v.headers[i].hdr.Iov = &v.iovecs[i]
			v.headers[i].hdr.Iovlen = 1
			v.headers[i].hdr.Name = (*byte)(unsafe.Pointer(&v.names[i]))
		}
	}
	b.in.call = b.in.receive
	b.out.call = b.out.send
	return nil
}

// receive is the system call of ReadBatch.
func (v *vector) receive(fd uintptr) bool {
	n, _, errno := syscall.Syscall6(syscall.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&v.headers[0])), Batch, syscall.MSG_DONTWAIT, 0, 0)
	v.processed, v.err = int(n), errno
	return true
}

// readable tells whether there is a datagram; false has the runtime wait for one.
func readable(fd uintptr) bool {
	var b byte
	_, _, errno := syscall.Syscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&b)), 1, syscall.MSG_PEEK|syscall.MSG_DONTWAIT, 0, 0)
	return errno != syscall.EAGAIN && errno != syscall.EINTR
}

// Wait waits until ReadBatch has something to return. The error is that of a socket which
// is closed or whose deadline is over.
func (b *batches) Wait() error { return b.raw.Read(readable) }

// ReadBatch returns the datagrams that are there, at most Batch, and none if there are
// none. They are valid until the next call. One goroutine reads at a time.
func (b *batches) ReadBatch() ([]Packet, error) {
	v := &b.in
	for i := range v.headers {
		h := &v.headers[i].hdr
		h.Namelen = syscall.SizeofSockaddrInet6
		h.Control = &v.control[i][0]
		h.SetControllen(controlSize)
		h.Flags = 0
	}
	if err := b.raw.Read(v.call); err != nil {
		return nil, err
	}
	if v.err == syscall.EAGAIN || v.err == syscall.EINTR {
		return nil, nil
	}
	if v.err != 0 {
		return nil, os.NewSyscallError("recvmmsg", v.err)
	}
	for i := range v.processed {
		at := i * MaxPacket
		b.got[i] = Packet{
			Data:    v.data[at : at+int(v.headers[i].length) : at+MaxPacket],
			Addr:    address(&v.names[i]),
			Arrival: arrival(v.control[i][:v.headers[i].hdr.Controllen]),
		}
	}
	return b.got[:v.processed], nil
}

// WriteBatch sends datagrams, in order. It waits while the socket's buffer is full. One
// that the kernel refuses, to an address without a route for example, is skipped. The
// error is that of a socket which cannot be used any more.
func (b *batches) WriteBatch(packets []Packet) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	v := &b.out
	for len(packets) > 0 {
		n := min(len(packets), Batch)
		for i, p := range packets[:n] {
			if len(p.Data) == 0 {
				v.iovecs[i].Base = nil
			} else {
				v.iovecs[i].Base = &p.Data[0]
			}
			v.iovecs[i].SetLen(len(p.Data))
			v.headers[i].hdr.Namelen = b.setAddress(&v.names[i], p.Addr)
		}
		v.from, v.n = 0, n
		err := b.raw.Write(v.call)
		for i := range n {
			v.iovecs[i].Base = nil // keep nobody's packet alive
		}
		if err != nil {
			return err
		}
		packets = packets[n:]
	}
	return nil
}

// send is the system calls of WriteBatch; false has the runtime wait for space.
func (v *vector) send(fd uintptr) bool {
	for v.from < v.n {
		n, _, errno := syscall.Syscall6(sysSendmmsg, fd, uintptr(unsafe.Pointer(&v.headers[v.from])), uintptr(v.n-v.from), syscall.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			v.from += int(n)
		case syscall.EAGAIN:
			return false
		case syscall.EINTR:
		default:
			v.from++ // the error is that of the first
		}
	}
	return true
}

// setAddress writes addr as the socket's family wants it and returns its size.
func (b *batches) setAddress(to *syscall.RawSockaddrInet6, addr netip.AddrPort) uint32 {
	if b.ipv6 {
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
