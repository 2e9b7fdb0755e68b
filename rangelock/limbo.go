package rangelock

import (
	"time"

	"github.com/spanlock/spanlock/epoch"
	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/raw"
	"github.com/spanlock/spanlock/internal/seam"
)

// Limbo holds the headers that have been unlinked from the tree, until no pinned reader can still
// see them. That takes one grace period. The next writers check whether it has passed; there is
// no goroutine. If no writer comes, a timer clears the headers, so that no memory of the user is
// retained. The nodes of the tree are left to the collector.
//
// A header goes this way:
//
//  1. detach.go puts it into Map.dead, which belongs to the writer.
//  2. seal moves Map.dead into a bag with a cookie of the epoch.
//  3. pollLocked clears the headers of a bag whose grace period is over, and puts them into the
//     free list.
//  4. takeHeader moves the free list into the writer's own, Map.spare.
//  5. newHeader begins the next life of the header, with an addition to its state word.
//
// A range that was enqueued to be retired (retire.go) skips steps 1 to 3: it has waited for its
// grace period there, and recycle puts its header into the free list.

const (
	// maxSpareHeaders bounds the free list of cleared headers. The collector takes those beyond
	// it.
	maxSpareHeaders = 1024

	// tidyAfter is how long headers stay in limbo at least if no writer polls.
	tidyAfter = 10 * time.Millisecond
)

// bag has headers that were unlinked before its cookie was taken.
type bag[K, V any] struct {
	cookie  epoch.Cookie
	headers chain[K, V]
}

// limbo has the bags in the order of their cookies, and the free list.
type limbo[K, V any] struct {
	mu    seam.Mutex
	bags  []bag[K, V] // rarely more than three: there is one bag for each epoch
	clean chain[K, V] // the free list: cleared headers, at most maxSpareHeaders
	fresh int         // headers that were added since the last poll
	armed bool        // tidy will be called, by seam.AfterFunc or as a callback of the domain
}

// seal moves the headers in m.dead into a bag, and now and then empties the bags whose grace
// period is over.
//
// Preconditions: the caller holds sem for writing, and everything in m.dead has been unlinked.
// The cookie must be taken after the unlink: otherwise it would miss a reader that has pinned in
// between and found the header.
func (m *Map[K, V]) seal() {
	n := m.dead.n
	if n == 0 || n < pollEvery && m.direct && !m.refers {
		return // few headers that hold no memory of the user can wait for more
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
		// The timer always runs. A deadline in the place of armed, which the next writer would
		// check, would clear nothing in a map that has no next writer.
		seam.AfterFunc(tidyAfter, m.tidyFn)
	}
}

// pollLocked clears the headers in the bags whose grace period is over, and keeps a bounded
// number of them.
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

// cleanLocked clears headers that no goroutine can reach and puts them into the free list while
// there is room. It also clears those for which there is no room: Load allocates headers in
// blocks, and one header in use keeps its whole block.
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

// tidy runs if no writer has polled for a while. It clears the bags whose grace period is over.
// If some are left it asks the domain to call it again after a grace period.
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

// newHeader returns a header for r and v that no other goroutine can reach. It is born excluded:
// no reader enters before Unlock, whatever the tree shows.
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
	// An addition: a store would lose the count of a refused reader, which takes it back in this
	// life. It comes after the bounds, so that a reader that has seen the new generation compares
	// the new bounds.
	h.State.Add(generation - (detached | retired) - h.State.Load()&announced)
	return h
}

// birth gives h, which is newly allocated, its bounds and its value.
func (m *Map[K, V]) birth(h *header[K, V], r Range[K], v V) {
	m.tree.Birth(&h.Entry, r.Lo, r.end(), r.Unbounded)
	h.m, h.value = m, v
}

// setHeader gives h, which is recycled and not in the tree, its bounds and its value.
func (m *Map[K, V]) setHeader(h *header[K, V], r Range[K], v V) {
	m.tree.Set(&h.Entry, r.Lo, r.end(), r.Unbounded)
	raw.StoreValue(&h.value, v, m.plain)
}

// takeHeader takes a header from the writer's own list, or returns nil. If that list is empty it
// refills it from the free list.
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

// clearHeader drops every reference that h has to memory of the user. Bounds and values without
// pointers stay until the next life overwrites them. The generation stays, too: the next life
// adds one to it.
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

// recycle puts a cleared header that no goroutine can reach into the free list. If the list is
// full, the collector takes the header.
func (m *Map[K, V]) recycle(h *header[K, V]) {
	m.limbo.mu.Lock()
	if m.limbo.clean.n < maxSpareHeaders {
		m.limbo.clean.push(h)
	}
	m.limbo.mu.Unlock()
}
