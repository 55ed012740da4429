package target

import (
	"context"

	"sectile/bench/client"
)

// Target is a server with rooms for sound.
type Target interface {
	// AddRoom makes a room of 48 kHz and 64 kbit/s.
	AddRoom(ctx context.Context, room int) error
	// Join takes part in a room. It may be called concurrently.
	Join(ctx context.Context, link client.Link, room, member int) (Member, error)
	// RemoveRoom removes a room and whoever is in it.
	RemoveRoom(ctx context.Context, room int) error
}

// Member is one participant: the connection that sends and the one that receives, which
// are the same on servers that do both in one.
type Member struct{ Up, Down *client.Voice }

// Close ends both, as far as there are any.
func (m Member) Close() {
	// The room is going anyway, and with it what could not be ended.
	if m.Up != nil {
		_ = m.Up.Close()
	}
	if m.Down != nil && m.Down != m.Up {
		_ = m.Down.Close()
	}
}
