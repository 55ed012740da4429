package room

import "time"

const (
	// keyframeFloor is the least time between two keyframes of one encoder. Whoever needs
	// one sooner is given the last keyframe and what followed it. So a hundred players who
	// come within a second cause at most two, and none of them waits.
	keyframeFloor = time.Second

	// askFloor is the least time between two answers to one player who asks for keyframes,
	// since an answer may be a burst of a second's pictures.
	askFloor = 500 * time.Millisecond

	// gopPictures bounds what is decoded in a row by a player who is started with it.
	gopPictures = 96
)

// gop is the group of pictures since the last keyframe. It decides how players who need a
// keyframe get one: the one place that does.
type gop struct {
	data  []byte // access units, one after the other
	ends  []int  // of each in data
	whole bool   // nothing since the keyframe is missing
	any   bool   // there was a keyframe
	began time.Duration
	cheap int // bytes: up to that, it is sent rather than a new keyframe made
}

// answer is how players who need a keyframe get one.
type answer uint8

const (
	later  answer = iota // by another tick
	replay               // by the pictures since the last keyframe
	encode               // by a new one, which all players get
)

// answer says what to do at a tick for a player who takes rate bit/s; 0: not known, enough.
// A replay costs the one player what it holds, a keyframe costs all players, so the replay
// is taken while it is no larger than the largest keyframe may be, or no keyframe is due.
// On a thin link though it may take so long that a keyframe will be there sooner.
func (g *gop) answer(rate int, now time.Duration) answer {
	due := !g.any || now-g.began >= keyframeFloor
	switch {
	case due && !(g.whole && len(g.data) <= g.cheap):
		return encode
	case !g.whole:
		return later
	case len(g.data) > g.cheap && rate > 0:
		more := time.Duration(8*(len(g.data)-g.ends[0])) * time.Second / time.Duration(rate)
		if more > g.began+keyframeFloor-now {
			return later
		}
	}
	return replay
}

// add takes the next access unit. Rate control bounds a second of them to three times cheap;
// a group that exceeds four is not kept, nor one of which no use can be made any more.
func (g *gop) add(au []byte, key bool, now time.Duration) {
	if key {
		g.data, g.ends = g.data[:0], g.ends[:0]
		g.whole, g.any, g.began = true, true, now
	}
	if !g.whole {
		return
	}
	useless := now-g.began >= keyframeFloor && len(g.data)+len(au) > g.cheap
	if useless || len(g.ends) == gopPictures || len(g.data)+len(au) > 4*g.cheap {
		g.whole = false
		return
	}
	g.data = append(g.data, au...)
	g.ends = append(g.ends, len(g.data))
}

// unit is the nth access unit.
func (g *gop) unit(n int) []byte {
	begin := 0
	if n > 0 {
		begin = g.ends[n-1]
	}
	return g.data[begin:g.ends[n]]
}

// reset forgets all: the next keyframe is the first.
func (g *gop) reset() { *g = gop{data: g.data[:0], ends: g.ends[:0], cheap: g.cheap} }
