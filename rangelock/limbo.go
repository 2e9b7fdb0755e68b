package rangelock

import (
	"time"

	"github.com/spanlock/spanlock/epoch"
	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/seam"
)

// Limbo is where nodes and headers wait between the moment they are unlinked and
// the moment no pinned reader can be looking at them: one grace period. The next
// writers poll it; there is no goroutine. Only when no writer comes does a timer
// see to it that nothing of the user's is kept.

const (
	// Bounds of the lists of cleared memory. What is above goes to the collector.
	maxSpareLeaves  = 256
	maxSpareInners  = 64
	maxSpareHeaders = 1024

	// tidyAfter is how long nodes stay in limbo at least when no writer polls.
	tidyAfter = 10 * time.Millisecond
)

// bag is what was unlinked before its cookie was taken.
type bag[K, V any] struct {
	cookie epoch.Cookie
	nodes  nodes[K, V]
}

// limbo is the bags in the order of their cookies, and what came out of them.
type limbo[K, V any] struct {
	mu    seam.Mutex
	bags  []bag[K, V] // rarely more than three: bags of one epoch become one
	clean nodes[K, V] // cleared, bounded by maxSpare
	fresh int         // objects that came in since the last poll
	armed bool        // a timer, the collector or a callback will tidy
}

// killLeaf says that l will not be reachable from the root when the operation ends:
// what replaces it is published, or about to be.
func (m *Map[K, V]) killLeaf(l *leaf[K, V]) { m.dead.leaves.push(l) }

// killInner says the same of an inner node.
func (m *Map[K, V]) killInner(p *inner[K, V]) { m.dead.inners.push(p) }

// killTree says it of p and all below it.
func (m *Map[K, V]) killTree(c child[K, V]) {
	if c.leaf != nil {
		m.killLeaf(c.leaf)
		return
	}
	for i := range c.inner.n {
		m.killTree(c.inner.child(i))
	}
	m.killInner(c.inner)
}

// seal puts what was unlinked so far into limbo, and now and then takes out what
// has been there long enough.
//
// Preconditions: the caller holds sem for writing, and everything in m.dead has
// been unlinked: the cookie is taken after the unlink, or a reader that pinned in
// between would be missed.
func (m *Map[K, V]) seal() {
	n := m.dead.count()
	if n == 0 {
		return
	}
	invariants.At("rangelock: before the stamp of limbo")
	cookie := m.domain.Cookie()
	b := &m.limbo
	b.mu.Lock()
	if last := len(b.bags) - 1; last >= 0 && b.bags[last].cookie == cookie {
		m.dead.moveTo(&b.bags[last].nodes)
	} else {
		b.bags = append(b.bags, bag[K, V]{cookie: cookie})
		m.dead.moveTo(&b.bags[len(b.bags)-1].nodes)
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

// pollLocked clears the bags whose grace period is over and keeps a bounded
// number of their nodes.
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
		m.cleanLocked(&b.bags[done].nodes)
		done++
	}
	if done == 0 {
		return
	}
	n := copy(b.bags, b.bags[done:])
	clear(b.bags[n:])
	b.bags = b.bags[:n]
}

// cleanLocked clears nodes that nobody can reach and puts them into the free
// lists as far as there is room.
//
// Preconditions: the caller holds limbo.mu.
func (m *Map[K, V]) cleanLocked(from *nodes[K, V]) {
	clean := &m.limbo.clean
	for clean.leaves.n < maxSpareLeaves {
		l := from.leaves.pop()
		if l == nil {
			break
		}
		clearLeaf(l)
		clean.leaves.push(l)
	}
	for clean.inners.n < maxSpareInners {
		p := from.inners.pop()
		if p == nil {
			break
		}
		clearInner(p)
		clean.inners.push(p)
	}
	for clean.headers.n < maxSpareHeaders {
		h := from.headers.pop()
		if h == nil {
			break
		}
		clearHeader(h)
		clean.headers.push(h)
	}
	*from = nodes[K, V]{}
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

// newLeaf returns an empty leaf that nobody else sees.
//
// Preconditions: the caller holds sem for writing; so for the next two.
func (m *Map[K, V]) newLeaf() *leaf[K, V] {
	if l := take(m, &m.spare.leaves, &m.limbo.clean.leaves); l != nil {
		return l
	}
	return new(leaf[K, V])
}

// newInner returns an inner node without children that nobody else sees.
func (m *Map[K, V]) newInner(level int) *inner[K, V] {
	p := take(m, &m.spare.inners, &m.limbo.clean.inners)
	if p == nil {
		p = new(inner[K, V])
	}
	p.level = level
	return p
}

// newHeader returns a header for r and v that nobody else sees. It is born
// excluded: nobody enters before Unlock, whatever the tree shows.
func (m *Map[K, V]) newHeader(r Range[K], v V) *header[K, V] {
	var gen uint64
	h := take(m, &m.spare.headers, &m.limbo.clean.headers)
	if h == nil {
		h = m.allocHeader()
		h.m = m
	} else {
		gen = (h.state.Load() &^ lowMask) + generation
	}
	h.lo, h.value, h.unbounded = r.Lo, v, r.Unbounded
	if !r.Unbounded {
		h.hi = r.Hi
	}
	h.state.Store(gen | excluded)
	return h
}

// take takes an object from the writer's own list, which it fills from limbo's
// when it is empty, or returns nil.
func take[K, V, T any, P linked[T]](m *Map[K, V], spare, clean *chain[T, P]) P {
	x := spare.pop()
	if x == nil {
		m.limbo.mu.Lock()
		clean.moveTo(spare)
		m.limbo.mu.Unlock()
		x = spare.pop()
	}
	return x
}

// clearLeaf drops every reference to what is the user's.
func clearLeaf[K, V any](l *leaf[K, V]) {
	clear(l.keys[:l.n])
	clear(l.ranges[:l.n])
	clear(l.hints)
	l.n = 0
}

// clearInner drops every reference to what is the user's.
func clearInner[K, V any](p *inner[K, V]) {
	clear(p.keys[:p.n])
	if p.level == 1 {
		clear(p.leaves[:p.n])
	} else {
		clear(p.kids[:p.n])
	}
	clear(p.hints)
	p.n, p.level = 0, 0
}

// clearHeader drops every reference to what is the user's. The generation stays:
// the next life adds one.
func clearHeader[K, V any](h *header[K, V]) {
	if invariants.Enabled {
		s := h.state.Load()
		invariants.Check(s&lowMask == excluded|detached|retired && h.heat.Load()&promoted == 0,
			"header of %v recycled in state %#x, heat %#x", h.bounds(), s, h.heat.Load())
	}
	var key K
	var value V
	h.lo, h.hi, h.value = key, key, value
	h.unbounded, h.moved = false, false
	h.heat.Store(0)
}
