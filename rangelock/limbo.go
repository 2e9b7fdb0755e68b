package rangelock

import (
	"time"

	"github.com/spanlock/spanlock/epoch"
	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/raw"
	"github.com/spanlock/spanlock/internal/seam"
)

// Limbo is where headers wait between the moment they are unlinked and the moment no
// pinned reader can be looking at them: one grace period. The next writers poll it; there
// is no goroutine. Only when no writer comes does a timer see to it that nothing of the
// user's is kept. Nodes of the tree are left to the collector.

const (
	// maxSpareHeaders bounds the list of cleared headers. What is above goes to the
	// collector.
	maxSpareHeaders = 1024

	// tidyAfter is how long headers stay in limbo at least when no writer polls.
	tidyAfter = 10 * time.Millisecond
)

// bag is what was unlinked before its cookie was taken.
type bag[K, V any] struct {
	cookie  epoch.Cookie
	headers chain[K, V]
}

// limbo is the bags in the order of their cookies, and what came out of them.
type limbo[K, V any] struct {
	mu    seam.Mutex
	bags  []bag[K, V] // rarely more than three: bags of one epoch become one
	clean chain[K, V] // cleared, bounded by maxSpareHeaders
	fresh int         // headers that came in since the last poll
	armed bool        // a timer, the collector or a callback will tidy
}

// seal puts what was unlinked so far into limbo, and now and then takes out what
// has been there long enough.
//
// Preconditions: the caller holds sem for writing, and everything in m.dead has
// been unlinked: the cookie is taken after the unlink, or a reader that pinned in
// between would be missed.
func (m *Map[K, V]) seal() {
	n := m.dead.n
	if n == 0 || n < pollEvery && m.direct && !m.refers {
		return // or there is nothing of the user's in them, so they can wait for more
	}
	invariants.At("rangelock: before the stamp of limbo")
	cookie := m.domain.Cookie()
	b := &m.limbo
	b.mu.Lock()
	if last := len(b.bags) - 1; last >= 0 && b.bags[last].cookie == cookie {
		m.dead.moveTo(&b.bags[last].headers)
	} else {
		b.bags = append(b.bags, bag[K, V]{cookie: cookie})
		m.dead.moveTo(&b.bags[len(b.bags)-1].headers)
	}
	if b.fresh += n; b.fresh >= pollEvery || len(b.bags) > 8 {
		b.fresh = 0
		m.pollLocked()
	}
	arm := !b.armed && len(b.bags) > 0
	if arm {
		b.armed = true
	}
	b.mu.Unlock()
	if arm {
		// That it comes is certain; a deadline in the place of armed would do nothing for
		// a map that nobody writes to any more.
		seam.AfterFunc(tidyAfter, m.tidyFn)
	}
}

// pollLocked clears the bags whose grace period is over and keeps a bounded number of
// their headers.
//
// Preconditions: the caller holds limbo.mu.
func (m *Map[K, V]) pollLocked() {
	b := &m.limbo
	done := 0
	for done < len(b.bags) {
		c := b.bags[done].cookie
		ready := c.Done()
		if !ready {
			ready = c.Done() // a cookie may need two advances, and Done tries one
		}
		if !ready {
			break
		}
		m.cleanLocked(&b.bags[done].headers)
		done++
	}
	if done == 0 {
		return
	}
	n := copy(b.bags, b.bags[done:])
	clear(b.bags[n:])
	b.bags = b.bags[:n]
}

// cleanLocked clears headers that nobody can reach and puts them into the free list as far
// as there is room. The others are cleared, too: what was made with them may stay in use.
//
// Preconditions: the caller holds limbo.mu.
func (m *Map[K, V]) cleanLocked(from *chain[K, V]) {
	clean := &m.limbo.clean
	for h := from.pop(); h != nil; h = from.pop() {
		m.clearHeader(h)
		if clean.n < maxSpareHeaders {
			clean.push(h)
		}
	}
}

// tidy runs when no writer has polled for a while: it clears what is ready and, when
// something is left, asks the domain for another turn after a grace period.
func (m *Map[K, V]) tidy() {
	m.limbo.mu.Lock()
	m.pollLocked()
	again := len(m.limbo.bags) > 0
	m.limbo.armed = again
	m.limbo.mu.Unlock()
	if again {
		m.domain.Retire(m.tidyFn)
	}
}

// newHeader returns a header for r and v that nobody else sees. It is born
// excluded: nobody enters before Unlock, whatever the tree shows.
//
// Preconditions: the caller holds sem for writing.
func (m *Map[K, V]) newHeader(r Range[K], v V) *header[K, V] {
	h := m.takeHeader()
	if h == nil {
		h = m.allocHeader()
		m.birth(h, r, v)
		h.State.Store(excluded)
		return h
	}
	m.setHeader(h, r, v)
	// An addition: a store would lose the one of a reader in passing, who takes it back in
	// this life. It comes after the bounds, for a reader who compares them when he has seen
	// the new generation.
	h.State.Add(generation - (detached | retired) - h.State.Load()&announced)
	return h
}

// birth gives h, which is new, its bounds and its value.
func (m *Map[K, V]) birth(h *header[K, V], r Range[K], v V) {
	m.tree.Birth(&h.Entry, r.Lo, r.end(), r.Unbounded)
	h.m, h.value = m, v
}

// setHeader gives h, which is not in the tree, its bounds and its value.
func (m *Map[K, V]) setHeader(h *header[K, V], r Range[K], v V) {
	m.tree.Set(&h.Entry, r.Lo, r.end(), r.Unbounded)
	raw.StoreValue(&h.value, v, m.plain)
}

// takeHeader takes a header from the writer's own list, which it fills from limbo's when it
// is empty, or returns nil.
func (m *Map[K, V]) takeHeader() *header[K, V] {
	h := m.spare.pop()
	if h == nil {
		m.limbo.mu.Lock()
		m.limbo.clean.moveTo(&m.spare)
		m.limbo.mu.Unlock()
		h = m.spare.pop()
	}
	return h
}

// clearHeader drops every reference to what is the user's; bounds and values that are
// none stay until the next life overwrites them. So does the generation, to which that adds
// one.
func (m *Map[K, V]) clearHeader(h *header[K, V]) {
	if invariants.Enabled {
		s := h.State.Load()
		invariants.Check(s&(lowMask&^(readerMask|announced)) == excluded|detached|retired,
			"header of %v recycled in state %#x", h.bounds(), s)
	}
	if !m.direct {
		var none K
		m.tree.Set(&h.Entry, none, none, false)
	}
	if m.refers {
		var none V
		raw.StoreValue(&h.value, none, m.plain)
	}
}

// recycle puts a cleared header that no goroutine can reach into the free list, if there is
// room; otherwise the collector takes it.
func (m *Map[K, V]) recycle(h *header[K, V]) {
	m.limbo.mu.Lock()
	if m.limbo.clean.n < maxSpareHeaders {
		m.limbo.clean.push(h)
	}
	m.limbo.mu.Unlock()
}
