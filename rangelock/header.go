package rangelock

import (
	"github.com/spanlock/spanlock/internal/rangetree"
	"github.com/spanlock/spanlock/internal/raw"
	"github.com/spanlock/spanlock/internal/shape"
)

// This file has the range object, called header, and its state word. It declares every value of
// the state word; the other files change it.
//
// gen is the generation (bits 35-63) and n a count of readers (bits 0-28). Every state that can be
// seen is one of these:
//
//	gen|n                            attached, n guards are held; n <= limit, but refused
//	                                 readers can raise it above limit
//	gen|exclusiveHeld|limit+n        attached, one exclusive guard is held, which
//	                                 counts as limit; n are refused readers
//	gen|excluded|n                   attached, a writer has excluded it, no reader enters;
//	                                 n are guards from before and refused readers
//	gen|excluded|exclusiveHeld|limit+n
//	                                 the same, the guard from before is exclusive
//	gen|excluded|detached|n          out of the tree for good; n guards keep it
//	gen|excluded|detached|exclusiveHeld|limit+n
//	                                 the same, with one exclusive guard
//	gen|excluded|detached|retired|n  a goroutine has won the right to finish it;
//	                                 n are refused readers
//
// Each of them can also have the flag announced, and each that is not retired the flag reserved.
// With detached, reserved stays only until the writer that has set detached clears it:
//
//	reserved    the range has a queue (waitqueue.go): a reader enters only when it is
//	            granted
//	announced   readers announce themselves in the map's lines (announced.go); n counts
//	            those that came before, took the semaphore, or found their line full
//
// A refused reader has added one, sees a flag that keeps it out, and is about to take its one
// back. Where it loads only words it is not pinned, so its one can stay in a header over a grace
// period, and into the header's next life.
//
// The generation grows by one each time the header is recycled. A guard carries the generation in
// which it was taken. The generation wraps after 2^29 lives of one header.
//
// The flags excluded, detached and retired decide what happens to a reader, and what the last
// Release does:
//
//	flags                         set by                       a reader  the last Release
//	none                          Unlock, Downgrade, an        enters    does nothing
//	                              Exclude that failed
//	excluded                      an operation that inserts    waits     wakes the writer
//	                              the range, or that waits
//	                              for the guards on it
//	excluded, detached            an operation that takes the  waits     tries to finish
//	                              range out of the map                   the range
//	excluded, detached, retired   the goroutine that finishes  waits     has happened
//	                              the range, once
//
// A reader that waits does so in the map's semaphore, and then searches again. TryAcquire returns
// ErrBusy instead. It does so also where the range has limit guards; there Acquire panics.
const (
	reserved      = 1 << 29
	announced     = 1 << 30
	excluded      = 1 << 31
	detached      = 1 << 32
	retired       = 1 << 33
	exclusiveHeld = 1 << 34

	// barred is the flags that keep readers out, except readers that are granted.
	barred = excluded | reserved | exclusiveHeld

	// limit is how many guards one range can have. A state whose low 32 bits are below limit
	// admits one more. One comparison finds full, reserved, announced, excluded and an exclusive
	// guard: exclusiveHeld is above these bits, but its holder counts as limit.
	limit = 1 << 28

	// exclusiveUnit is what an exclusive guard adds.
	exclusiveUnit = exclusiveHeld | limit

	readerMask = 1<<29 - 1
	lowMask    = 1<<35 - 1
	generation = 1 << 35 // one life
)

// header is a range object: bounds, value and the count of its readers.
//
// Bounds and value do not change from its attachment until a grace period after its detachment: an
// operation that changes them makes a new header. A header has its cache lines to itself, so that
// readers of one range do not slow readers of the next.
type header[K, V any] struct {
	// Entry is the part that the tree uses. The writer stores its bounds, and value, before it
	// puts the header into the tree. They are cleared when only searches that load words, and
	// validate what they load, can still reach the header. A goroutine that holds a guard, a pin
	// or the semaphore may read them.
	//
	// State is the state word that is listed above. Readers add to it. The writer and goroutines
	// that queue set and clear bits. The goroutine that finishes the range swaps it. It is stored
	// only when the header is made: later a refused reader can have its one in it at any time,
	// even while the header waits for its next life.
	//
	// Word is the slot of the range in the pending table. It and the bit moved of Flags are
	// written at detachment, and read when the range is no longer pending.
	//
	// Entry is the first field because headerOf relies on that.
	rangetree.Entry[K]

	// value is written and cleared together with the bounds. If Map.plain says so this is done
	// atomically, for readers without a guard; value stands where it is aligned for that.
	value V

	// m is the map. It is set when the header is made, and never changes, even when the header
	// is recycled.
	m *Map[K, V]

	// next chains headers that have left the tree: in the retire queue, in a batch of it, in
	// limbo, or in a free list. The owner of the chain writes it; no reader of the tree loads it.
	next *header[K, V]

	cost int64 // written and read as moved
}

// moved is the flag of a range whose value lives on in another range: OnRetire is not called for
// it.
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

// found returns range and value of h, and true; or false if h is nil.
//
// Preconditions: those of bounds.
func (h *header[K, V]) found() (r Range[K], v V, ok bool) {
	if h == nil {
		return r, v, false
	}
	return h.bounds(), h.value, true
}

// cacheLine is the size to whose multiples headers are rounded up.
const cacheLine = 64

// headerAllocator returns the function that allocates the headers of a map, rounded up to whole
// cache lines. Go's size classes up to 512 bytes put an object whose size is a multiple of 64 at
// an address that is one, too. Larger headers share their last line with a neighbour, which costs
// only speed.
//
// The padding of a generic struct cannot be computed at compile time, so there is a type for each
// remainder.
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

// padded is an H with padding behind it.
type padded[H, P any] struct {
	h H
	_ P
}
