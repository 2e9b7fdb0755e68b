package rangelock

import (
	"math/bits"
	"runtime"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/pad"
	"github.com/spanlock/spanlock/internal/seam"
)

// pool is the sets of stripes of a map. It has none at first, makes them as ranges
// become hot, and keeps them; maxSets is how many ranges can be hot at one time.
type pool[K, V any] struct {
	// mu protects what is below. Readers that promote a range only try it: they are
	// pinned.
	mu    seam.Mutex
	made  int
	swept uint32   // when, in milliseconds
	idle  []uint32 // sets that no range has

	// sets is written under mu, each element once, before a heat shows it. Who has seen
	// it there may read it.
	sets [maxSets]*set[K, V]
}

// set is the stripes of one range.
type set[K, V any] struct {
	counts []counter // a power of two of them

	// Protected by pool.mu.
	owner *header[K, V]
	came  uint32 // how many readers had come when it was last swept
}

// counter is a stripe. It has its cache lines to itself.
type counter struct {
	n seam.Uint64
	_ [pad.Size - 8]byte
}

// The sets of a map take at most maxSets * maxStripes * pad.Size bytes, and the usual
// ones, with few processors, a fraction of that.
const (
	stripesPerProcessor = 4
	maxStripes          = 256
)

// sweepEvery is how many milliseconds pass between two searches for ranges that have
// become cold, and coldBelow how many readers must have come meanwhile to a range that
// is to stay hot.
const (
	sweepEvery = 100
	coldBelow  = 1000
)

// stripeCount is how many stripes a set has.
func stripeCount(processors int) int {
	if invariants.Enabled {
		return 2 // several readers in one are the rule
	}
	n := min(processors*stripesPerProcessor, maxStripes)
	return 1 << bits.Len(uint(n-1))
}

// occupied reports whether somebody is counted in the set.
func (s *set[K, V]) occupied() bool {
	for i := range s.counts {
		if uint32(s.counts[i].n.Load()) != 0 {
			return true
		}
	}
	return false
}

// sum returns about how many are counted in the set, and how many ever came.
func (s *set[K, V]) sum() (there, came uint32) {
	for i := range s.counts {
		n := s.counts[i].n.Load()
		there += uint32(n)
		came += uint32(n >> 32)
	}
	return there, came
}

// promote makes h hot, if there is a set for it and nobody keeps readers out. The first
// ranges to become hot have their sets made for them, at most maxSets in the life of a
// map: these are the only allocations that an acquire makes without waiting.
//
// Preconditions: the caller is pinned, so h is not recycled meanwhile.
func (m *Map[K, V]) promote(h *header[K, V]) {
	p := &m.pool
	if !p.mu.TryLock() {
		return // a reader does not wait; there will be another collision
	}
	defer p.mu.Unlock()
	fresh := h.Word.Load()&promoted == 0
	if fresh {
		i, ok := m.takeSetLocked()
		if !ok {
			h.Word.Store(0)
			return
		}
		p.sets[i].owner = h
		_, p.sets[i].came = p.sets[i].sum()
		h.Word.Store(promoted | i)
	}
	invariants.At("rangelock: stripes given")
	for {
		s := h.State.Load()
		if s&barred != 0 {
			// Who keeps readers out may have looked for stripes already.
			if fresh {
				m.retireSetLocked(h)
			}
			return
		}
		if h.State.CompareAndSwap(s, s|hot) {
			return
		}
	}
}

// takeSetLocked takes a set out of the pool.
//
// Preconditions: the caller holds pool.mu.
func (m *Map[K, V]) takeSetLocked() (i uint32, ok bool) {
	p := &m.pool
	if len(p.idle) == 0 && p.made == maxSets {
		m.sweepLocked()
	}
	if n := len(p.idle); n > 0 {
		i = p.idle[n-1]
		p.idle = p.idle[:n-1]
		return i, true
	}
	if p.made == maxSets {
		return 0, false
	}
	p.sets[p.made] = &set[K, V]{counts: make([]counter, stripeCount(runtime.GOMAXPROCS(0)))}
	p.made++
	return uint32(p.made - 1), true
}

// retireSetLocked takes the set away from h, in which nobody is counted who stays, and
// puts it into the pool after a grace period: a reader that saw the flag hot some time
// ago can find the set only now, and add to it, and take that back. In the hands of
// another range by then, the set would hold that range's writer up, and nobody would
// wake him.
//
// Preconditions: the caller holds pool.mu; h has a set.
func (m *Map[K, V]) retireSetLocked(h *header[K, V]) {
	i := m.takeAwayLocked(h)
	m.domain.Retire(func() {
		m.pool.mu.Lock()
		m.pool.idle = append(m.pool.idle, i)
		m.pool.mu.Unlock()
	})
}

// takeAwayLocked takes the set away from h and returns it.
//
// Preconditions: the caller holds pool.mu; h has a set.
func (m *Map[K, V]) takeAwayLocked(h *header[K, V]) (i uint32) {
	i = h.Word.Load() & setMask
	h.Word.Store(0)
	m.pool.sets[i].owner = nil
	return i
}

// coolDown takes the set away from a header that nobody has been able to reach for a
// grace period.
func (m *Map[K, V]) coolDown(h *header[K, V]) {
	p := &m.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if h.Word.Load()&promoted != 0 {
		p.idle = append(p.idle, m.takeAwayLocked(h))
	}
}

// sweepLocked looks for ranges that are not used much any more and makes them cold
// again. It happens when a range wants to be hot and all sets are taken.
//
// First new readers are sent back to the word. When nobody is left in the stripes,
// which may be in a later sweep, the set goes. The range's writer may have it excluded
// meanwhile; it sees the set for as long as somebody who stays is in it.
//
// Preconditions: the caller holds pool.mu.
func (m *Map[K, V]) sweepLocked() {
	p := &m.pool
	now := seam.Millis()
	if now-p.swept < sweepEvery {
		return
	}
	p.swept = now
	for _, x := range p.sets[:p.made] {
		h := x.owner
		if h == nil {
			continue // idle, or soon so
		}
		there, came := x.sum()
		since := came - x.came
		x.came = came
		if since >= coldBelow {
			continue
		}
		h.State.And(^uint64(hot))
		invariants.At("rangelock: sent back to the word")
		if there != 0 || x.occupied() {
			continue
		}
		m.retireSetLocked(h)
	}
}

// hotRanges returns how many attached ranges have stripes. A range that has left keeps
// its own until its last guard is released; it is not counted.
func (p *pool[K, V]) hotRanges() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, x := range p.sets[:p.made] {
		// An owner is not recycled before its set is taken away, which needs mu.
		if h := x.owner; h != nil && h.State.Load()&detached == 0 {
			n++
		}
	}
	return n
}
