package epoch

import (
	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/seam"
)

// An entry is one retired callback.
type entry struct {
	f     func()
	stamp uint64 // epoch read after the caller's unlink
	cost  int64
}

const (
	bagSize = 169 // entries in a bag: 4 KiB
	maxFree = 64  // bags that a domain keeps for reuse
)

// spare holds the empty bags that no domain keeps, which are left over from bursts of
// retirements. The next burst reuses them, and the collector takes the rest. A domain's
// own list, if it were long enough for bursts, would keep them for ever.
var spare = seam.Pool{New: func() any { return new(bag) }}

// A bag is a piece of the backlog. Its entries are in order of retirement, which is the
// order of their stamps.
type bag struct {
	next    *bag
	n       int   // entries filled
	since   int64 // clock when the first entry was put in
	entries [bagSize]entry
}

// bagLimit returns how many entries of a bag are used.
func bagLimit() int {
	if invariants.Enabled {
		return 4
	}
	return bagSize
}

// backlog is a queue of bags with a bounded list of empty ones. state.mu protects
// it.
type backlog struct {
	head, tail *bag
	free       *bag
	freeCount  int
}

// empty reports whether nothing is queued.
func (b *backlog) empty() bool { return b.head == nil }

// room returns the bag for the next callback, or nil if a new bag is needed.
func (b *backlog) room() *bag {
	if t := b.tail; t != nil && t.n < bagLimit() {
		return t
	}
	return nil
}

// grow appends an empty bag. It reuses one if it can.
func (b *backlog) grow(now int64) *bag {
	g := b.free
	if g != nil {
		b.free, g.next = g.next, nil
		b.freeCount--
	} else {
		g = spare.Get().(*bag)
	}
	g.since = now
	if b.tail == nil {
		b.head = g
	} else {
		b.tail.next = g
	}
	b.tail = g
	return g
}

// take empties the queue and returns what was in it.
func (b *backlog) take() *bag {
	g := b.head
	b.head, b.tail = nil, nil
	return g
}

// give takes back a bag whose entries have been cleared. It keeps the bag if few are
// kept already.
func (b *backlog) give(g *bag) {
	g.n, g.next = 0, nil
	if b.freeCount == maxFree {
		spare.Put(g)
		return
	}
	g.next = b.free
	b.free = g
	b.freeCount++
}
