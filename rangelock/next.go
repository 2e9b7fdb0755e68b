package rangelock

import (
	"context"
	"iter"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/rangetree"
)

// This file takes guards on the neighbours of a key (AcquireNext, AcquirePrev), and walks over the
// map with a guard on each range (Guards). It enters a range as acquire.go does, and proves a gap by
// the publication sequence. wait.go has its waits.

// AcquireNext takes a guard on the first range that ends above key, and reports whether there is
// one: the range that covers key or else the next one. The answer is true as of one instant
// between call and return: if the range starts above key, no range was between them at that
// instant.
//
// AcquireNext waits like [Map.Acquire] for a writer that has excluded the range. If there is a
// gap between key and the range, it waits also for a writer that has begun to change the map.
// [Map.AcquireNextContext] bounds the wait.
//
// It is what lock_next_vma is in the Linux kernel.
func (m *Map[K, V]) AcquireNext(key K) (Guard[K, V], bool) {
	g, a, _ := m.beside(context.Background(), "AcquireNext", key, false)
	return g, a == entered
}

// AcquireNextContext is like [Map.AcquireNext], but a wait ends when ctx is done, and then it
// returns a [WaitError]. If there is nothing to wait for it succeeds even if ctx is done. If no
// range ends above key it returns [ErrNotFound], and on a closed map [ErrClosed]. With an error
// the guard is the zero Guard.
func (m *Map[K, V]) AcquireNextContext(ctx context.Context, key K) (Guard[K, V], error) {
	g, a, err := m.beside(ctx, "AcquireNext", key, false)
	if err == nil && a == missed {
		err = m.absent()
	}
	return g, err
}

// AcquirePrev takes a guard on the last range that starts at or below key, and reports whether
// there is one: the range that covers key or else the one before. The answer is true as of one
// instant between call and return: if the range ends at or below key, no range was between them
// at that instant. AcquirePrev waits as [Map.AcquireNext] does; [Map.AcquirePrevContext] bounds
// the wait.
func (m *Map[K, V]) AcquirePrev(key K) (Guard[K, V], bool) {
	g, a, _ := m.beside(context.Background(), "AcquirePrev", key, true)
	return g, a == entered
}

// AcquirePrevContext is like [Map.AcquirePrev], but a wait ends when ctx is done, and then it
// returns a [WaitError]. If there is nothing to wait for it succeeds even if ctx is done. If no
// range starts at or below key it returns [ErrNotFound], and on a closed map [ErrClosed]. With an
// error the guard is the zero Guard.
func (m *Map[K, V]) AcquirePrevContext(ctx context.Context, key K) (Guard[K, V], error) {
	g, a, err := m.beside(ctx, "AcquirePrev", key, true)
	if err == nil && a == missed {
		err = m.absent()
	}
	return g, err
}

// beside is AcquireNext, or AcquirePrev if previous is set, on behalf of method; ctx ends its
// waits.
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

// seekBeside returns the first range that ends above key, or, if previous is set, the last one
// that starts at or below it. It returns nil if there is none.
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

// enterNext is the fast path of AcquireNext and AcquirePrev. If it returns queued, the guard is
// not held but says which range was the right one at an instant of the call. That range stays the
// answer if a guard on it can be had in its present life, even if another range is inserted
// before it meanwhile.
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
	// The answer includes a gap. If nothing was published before or since, the gap was there
	// at the instant of the search, and what was found is the next range.
	if m.proveMiss(seq) == missed {
		return g, a
	}
	if a == entered {
		g.Release()
	}
	return Guard[K, V]{}, unproved
}

// enterNeighbour takes a guard on the range next to key, as far as one look at the tree can tell;
// no range covers key. It makes all comparisons before it takes the guard: one that panics must
// not leave a guard behind.
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

// Guards yields a guard on each range that overlaps r, in key order. The guard is held while the
// body runs, and released before the search for the next range, so at most one is held at a time.
// The body may release it earlier, or keep it by [Guard.Take]. If r is not valid Guards yields
// nothing.
//
// A range that overlaps r and is attached during the whole walk is yielded once. If two ranges that
// are yielded one after the other do not touch, there was a gap between them at one instant. Each
// range ends above the one before, but a range that was inserted during the walk may start below
// the end of a range that was yielded before. Guards waits like [Map.AcquireNext].
//
// It allocates each guard that it yields, because the body might keep the pointer. It panics as
// [Map.All] does.
func (m *Map[K, V]) Guards(r Range[K]) iter.Seq[*Guard[K, V]] {
	return func(yield func(*Guard[K, V]) bool) {
		for g := range m.GuardsContext(context.Background(), r) {
			if !yield(g) {
				return
			}
		}
	}
}

// GuardsContext is like [Map.Guards], but a wait ends when ctx is done. Then it yields nil with a
// [WaitError], and ends. In all other steps the error is nil.
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

// visit yields g if its range still overlaps r, releases it, and reports whether to go on.
func (m *Map[K, V]) visit(g *Guard[K, V], r Range[K], yield func(*Guard[K, V], error) bool) bool {
	defer func() {
		if g.h != nil {
			g.Release() // unless the body has done it
		}
	}()
	return !m.startsAfter(g.h, r) && yield(g, nil)
}
