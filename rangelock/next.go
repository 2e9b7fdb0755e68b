package rangelock

import (
	"context"
	"iter"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/rangetree"
)

// AcquireNext takes a guard on the first range that ends above key: the one that
// covers key or else the next, and reports whether there is one. It answers as of
// one instant: when the range starts above key, there was nothing in between then.
// It waits like [Map.Acquire], for the writer that has the range excluded, and
// where a gap would have to be believed, for one that has begun to change the set.
// [Map.AcquireNextContext] bounds the wait.
//
// It is Linux's lock_next_vma for ranges.
func (m *Map[K, V]) AcquireNext(key K) (Guard[K, V], bool) {
	g, a, _ := m.beside(context.Background(), "AcquireNext", key, false)
	return g, a == entered
}

// AcquireNextContext is like [Map.AcquireNext], but a wait ends when ctx is done, with a
// [WaitError]. Where nothing has to be waited for it succeeds also when ctx is done.
// Where no range ends above key its error is [ErrNotFound], and on a closed map
// [ErrClosed]. With an error the guard is
// the zero Guard.
func (m *Map[K, V]) AcquireNextContext(ctx context.Context, key K) (Guard[K, V], error) {
	g, a, err := m.beside(ctx, "AcquireNext", key, false)
	if err == nil && a == missed {
		err = m.absent()
	}
	return g, err
}

// AcquirePrev takes a guard on the last range that starts at or below key: the one that covers
// key or else the one before, and reports whether there is one. It answers as of one instant:
// when the range ends at or below key, there was nothing in between then. It waits as
// [Map.AcquireNext] does; [Map.AcquirePrevContext] bounds the wait.
func (m *Map[K, V]) AcquirePrev(key K) (Guard[K, V], bool) {
	g, a, _ := m.beside(context.Background(), "AcquirePrev", key, true)
	return g, a == entered
}

// AcquirePrevContext is like [Map.AcquirePrev], but a wait ends when ctx is done, with a
// [WaitError]. Where nothing has to be waited for it succeeds also when ctx is done.
// Where no range starts at or below key its error is [ErrNotFound], and on a closed map
// [ErrClosed]. With an error the guard is the zero Guard.
func (m *Map[K, V]) AcquirePrevContext(ctx context.Context, key K) (Guard[K, V], error) {
	g, a, err := m.beside(ctx, "AcquirePrev", key, true)
	if err == nil && a == missed {
		err = m.absent()
	}
	return g, err
}

// beside is AcquireNext, or AcquirePrev if so wanted, for that method; ctx ends its waits.
func (m *Map[K, V]) beside(ctx context.Context, method string, key K, previous bool) (Guard[K, V], outcome, error) {
	m.mustBeMade()
	if !m.valid(From(key)) {
		return Guard[K, V]{}, missed, nil // NaN
	}
	if debug && ctx.Done() == nil {
		m.mayAcquire(method, toNext, key)
	}
	g, a := m.enterNext(key, previous)
	var err error
	if a >= busy {
		g, a, err = m.fallBack(ctx, aboutKey(method, key), g, a, false, func() *header[K, V] {
			return m.seekBeside(key, previous)
		})
	}
	if debug {
		g = m.remember(g)
	}
	return g, a, err
}

// seekBeside returns the first range that ends above key, or the last one that starts at or
// below it, or nil.
//
// Preconditions: the caller holds sem, or is pinned.
func (m *Map[K, V]) seekBeside(key K, previous bool) *header[K, V] {
	var c rangetree.Cursor[K]
	if !previous {
		return headerOf[K, V](m.tree.SeekOverlap(&c, key))
	}
	m.tree.Seek(&c, key)
	return headerOf[K, V](c.Back())
}

// enterNext is the fast path of AcquireNext and AcquirePrev. With taken the guard is not held,
// and says which range it is: that was the right one at an instant of the call, and stays the
// answer if it can be had in its present life, whatever comes before it meanwhile.
func (m *Map[K, V]) enterNext(key K, previous bool) (Guard[K, V], outcome) {
	seq := m.pub.Load()
	if g, a := m.enter(key); a != missed {
		return g, a
	}
	invariants.At("rangelock: no range covers the key")
	g, a := m.enterNeighbour(key, previous)
	invariants.At("rangelock: next range held")
	if a == missed {
		return g, m.proveMiss(seq)
	}
	if a != entered && a != queued {
		return g, a
	}
	// There is a gap to believe in. It was there at the instant of the search, and what was
	// found is the next range, if nothing was published before or since.
	if m.proveMiss(seq) == missed {
		return g, a
	}
	if a == entered {
		g.Release()
	}
	return Guard[K, V]{}, unproved
}

// enterNeighbour takes a guard on the range next to key, which no range covers, as far as
// one look at the tree can tell. All comparisons come before the guard: one that panics
// must not take it along.
func (m *Map[K, V]) enterNeighbour(key K, previous bool) (Guard[K, V], outcome) {
	pin := m.domain.Pin()
	defer pin.Unpin() // compare may panic
	h := m.seekBeside(key, previous)
	if h == nil {
		return Guard[K, V]{}, missed
	}
	g, a := m.admit(h)
	if a == entered {
		g = m.drawn(g)
	}
	return g, a
}

// Guards yields, in key order, a guard on each range that overlaps r. The guard is
// held while the body runs and released before the next range is sought, so at most
// one is held at a time; the body may release it earlier, or keep it by [Guard.Take]. Each
// range that overlaps r and is attached during the whole walk is yielded once, and where two yielded
// ranges do not meet, there was a gap at one instant. Each ends above the one before; one
// that was put in during the walk may reach back over what was yielded already. It waits
// like [Map.AcquireNext]. If r is not valid it yields nothing.
//
// Each guard that it yields is allocated, because the body might keep the pointer. It
// panics as [Map.All] does.
func (m *Map[K, V]) Guards(r Range[K]) iter.Seq[*Guard[K, V]] {
	return func(yield func(*Guard[K, V]) bool) {
		for g := range m.GuardsContext(context.Background(), r) {
			if !yield(g) {
				return
			}
		}
	}
}

// GuardsContext is like [Map.Guards], but a wait ends when ctx is done: then it yields
// nil with a [WaitError], and ends. In all other steps the error is nil.
func (m *Map[K, V]) GuardsContext(ctx context.Context, r Range[K]) iter.Seq2[*Guard[K, V], error] {
	return func(yield func(*Guard[K, V], error) bool) {
		m.mustBeMade()
		if !m.valid(r) {
			return
		}
		last := Span(r.Lo, r.Lo)
		for key := r.Lo; ; {
			g, a, err := m.beside(ctx, "Guards", key, false)
			if err != nil {
				yield(nil, err)
				return
			}
			if a == missed {
				return
			}
			end := g.Range()
			if !m.visit(&g, r, yield) || end.Unbounded {
				return
			}
			if m.compare(end.Hi, key) <= 0 {
				walkedBack(last, end)
			}
			last, key = end, end.Hi
		}
	}
}

// visit yields a guard if its range still overlaps r, releases it, and reports
// whether to go on.
func (m *Map[K, V]) visit(g *Guard[K, V], r Range[K], yield func(*Guard[K, V], error) bool) bool {
	defer func() {
		if g.h != nil {
			g.Release() // the body may have done it
		}
	}()
	return !m.startsAfter(g.h, r) && yield(g, nil)
}
