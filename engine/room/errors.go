package room

import "errors"

// Errors that callers tell apart with errors.Is.
var (
	// ErrNotFound means that there is no such room, stream or track.
	ErrNotFound = errors.New("not found")
	// ErrConflict means that the name is taken by something else.
	ErrConflict = errors.New("conflict")
	// ErrClosed means that the room, its stream or the engine has ended.
	ErrClosed = errors.New("closed")
	// ErrFull means that a limit of the engine is reached.
	ErrFull = errors.New("no more are possible")
)
