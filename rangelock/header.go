package rangelock

import (
	"github.com/spanlock/spanlock/internal/rangetree"
	"github.com/spanlock/spanlock/internal/raw"
	"github.com/spanlock/spanlock/internal/shape"
)

// The state word of a header. Every word that can be seen is one of these, where
// gen is the generation (bits 35-63) and n a count of readers (bits 0-28):
//
//	gen|n                            attached, n guards are held; n <= limit, but
//	                                 for readers in passing above it
//	gen|exclusiveHeld|limit+n        attached, one exclusive guard is held, which
//	                                 counts as limit; n are readers in passing
//	gen|excluded|n                   attached, a writer has it: no reader enters;
//	                                 n guards from before and readers in passing
//	gen|excluded|exclusiveHeld|limit+n
//	                                 the same, the guard from before is exclusive
//	gen|excluded|detached|n          out of the tree for good; n guards keep it
//	gen|excluded|detached|exclusiveHeld|limit+n
//	                                 the same, with one exclusive guard
//	gen|excluded|detached|retired|n  somebody has won the right to finish it;
//	                                 n are readers in passing
//
// Each of those can have the flag announced, and each that is not retired another one; with
// detached only until the writer that has set it takes that away:
//
//	reserved    goroutines stand in line for the range (waitqueue.go): no reader enters
//	            but by its turn
//	announced   readers announce themselves in the map's lines (announced.go); those that
//	            came before, took the semaphore, or found their line full, are in n
//
// A reader in passing has added one, sees that it may not enter, and is about to
// take its one back. Where it reads words it is not pinned, so its one can be in a header
// that a grace period has gone over, and in the next life of that.
//
// The generation grows by one each time the header is recycled; a guard carries
// the one it entered with. It wraps after 2^29 lives of one header.
const (
	reserved      = 1 << 29
	announced     = 1 << 30
	excluded      = 1 << 31
	detached      = 1 << 32
	retired       = 1 << 33
	exclusiveHeld = 1 << 34

	// barred is what keeps readers out, but for those whose turn it is.
	barred = excluded | reserved | exclusiveHeld

	// limit is how many guards one range can have. A word whose low 32 bits are
	// below it admits one more; one comparison sees full, reserved, announced, excluded and
	// an exclusive guard alike.
	limit = 1 << 28

	// exclusiveUnit is what an exclusive guard adds.
	exclusiveUnit = exclusiveHeld | limit

	readerMask = 1<<29 - 1
	lowMask    = 1<<35 - 1
	generation = 1 << 35 // one life
)

// header is a range object: bounds, value and the count of its readers.
//
// Bounds and value do not change from its attachment until a grace period after
// its detachment: to change them makes a new header. It has its cache lines to
// itself, so that readers of one range do not slow those of the next.
type header[K, V any] struct {
	// Entry is what the tree knows of the range. Its bounds, and value, are written by the
	// writer before it puts the header into the tree, and cleared when nobody can reach it
	// any more but searches of words, which believe nothing. Whoever holds a guard, a pin
	// or the semaphore may read them.
	//
	// State is the word that is listed above. Readers add to it; the writer, and who stands
	// in line, set and clear bits; who finishes swaps it. Only at the birth of the header is
	// it stored: later a reader in passing can have its one in it at any time, also when
	// the header waits for its next life.
	//
	// The bit moved of Flags, and Word, which is the slot that the range is pending in, are
	// written at detachment and read when it ends.
	//
	// It is the first field: headerOf relies on that.
	rangetree.Entry[K]

	// value is written and cleared with the bounds. Where Map.plain says so that is done
	// atomically, for readers who have no guard. It stands where it is aligned for that.
	value V

	// m is the map. It is set when the header is made and never changes, not even
	// when the header is recycled.
	m *Map[K, V]

	// next chains headers that left the tree: in the queue to be retired, in a batch of it, in
	// limbo, in a free list. Whoever owns the chain writes it; no reader of the
	// tree looks at it.
	next *header[K, V]

	cost int64 // as moved
}

// moved is the flag of a range whose value lives on in another: OnRetire is not for it.
const moved = 2

func (h *header[K, V]) moved() bool { return h.Flags.Load()&moved != 0 }

// headerOf returns the header of an entry of the tree, or nil for nil.
func headerOf[K, V any](e *rangetree.Entry[K]) *header[K, V] {
	return raw.Outer[header[K, V]](e)
}

// bounds returns the header's range.
//
// Preconditions: the caller holds a guard on h, a pin, or the semaphore.
func (h *header[K, V]) bounds() Range[K] {
	return Range[K]{Lo: h.Lo, Hi: h.Hi, Unbounded: h.Unbounded()}
}

// found returns what a search has found, and whether that is anything: h may be nil.
//
// Preconditions: those of bounds.
func (h *header[K, V]) found() (r Range[K], v V, ok bool) {
	if h == nil {
		return r, v, false
	}
	return h.bounds(), h.value, true
}

// cacheLine is what a header is rounded up to.
const cacheLine = 64

// headerAllocator returns the function that makes headers of a map, rounded up to
// whole cache lines. Go's size classes up to 512 bytes put an object whose size is
// a multiple of 64 at an address that is one too; larger headers share their last
// line with a neighbour, which costs speed only.
//
// The padding of a generic struct cannot be computed at compile time, so there is
// a type for each remainder.
func headerAllocator[K, V any]() func() *header[K, V] {
	size := shape.Size[header[K, V]]()
	switch (cacheLine - size%cacheLine) % cacheLine / 8 {
	case 1:
		return func() *header[K, V] { return &new(padded[header[K, V], [8]byte]).h }
	case 2:
		return func() *header[K, V] { return &new(padded[header[K, V], [16]byte]).h }
	case 3:
		return func() *header[K, V] { return &new(padded[header[K, V], [24]byte]).h }
	case 4:
		return func() *header[K, V] { return &new(padded[header[K, V], [32]byte]).h }
	case 5:
		return func() *header[K, V] { return &new(padded[header[K, V], [40]byte]).h }
	case 6:
		return func() *header[K, V] { return &new(padded[header[K, V], [48]byte]).h }
	case 7:
		return func() *header[K, V] { return &new(padded[header[K, V], [56]byte]).h }
	}
	return func() *header[K, V] { return new(header[K, V]) }
}

// padded is an H with room behind it.
type padded[H, P any] struct {
	h H
	_ P
}
