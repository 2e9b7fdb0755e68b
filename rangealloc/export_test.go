package rangealloc

import (
	"context"
	"fmt"
	"slices"

	"github.com/spanlock/spanlock/rangelock"
)

// CheckGaps returns an error if the gaps are inconsistent: both trees must be in order and hold
// the same gaps, the widest gap of each subtree must be right, and no two gaps may touch.
func (a *Allocator[K, V]) CheckGaps() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	all, _ := a.order.stretch(a.all)
	return a.gaps.check(all)
}

// GapRanges returns the gaps by address.
func (a *Allocator[K, V]) GapRanges() (all []rangelock.Range[K]) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gaps.byAddress.root.ascend(func(g gap) bool {
		all = append(all, a.order.rangeOf(g))
		return true
	})
	return all
}

// Expected returns how many calls of Free are registered as waiting for OnRetire.
func (a *Allocator[K, V]) Expected() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.waits) + len(a.retiring.running) + len(a.retiring.drains)
}

// Smuggle inserts a range into the map behind the allocator's back.
func (a *Allocator[K, V]) Smuggle(r rangelock.Range[K], v V) error {
	return a.m.Insert(context.Background(), r, v)
}

func (s *gaps) check(all gap) error {
	var list []gap
	if err := s.byAddress.root.check(); err != nil {
		return err
	}
	s.byAddress.root.ascend(func(g gap) bool {
		list = append(list, g)
		return true
	})
	for i, g := range list {
		if g.lo > g.last || g.lo < all.lo || g.last > all.last {
			return fmt.Errorf("gap %v in %v", g, all)
		}
		if i > 0 && g.lo <= list[i-1].last+1 {
			return fmt.Errorf("gaps %v and %v touch or overlap", list[i-1], g)
		}
	}
	free, widest := uint64(0), uint64(0)
	for _, g := range list {
		free += g.width() + 1
		widest = max(widest, g.width())
	}
	if g, ok := s.largest(); free != s.free || len(list) != s.count() || ok != (len(list) > 0) || ok && g.width() != widest {
		return fmt.Errorf("%d gaps with %d keys, the largest %v; want %d with %d", s.count(), s.free, g, len(list), free)
	}
	if s.bySize == nil {
		return nil // no search for the best fit yet
	}
	var bySize []gap
	s.bySize.Ascend(func(g gap) bool {
		if n := len(bySize); n > 0 && g.width() < bySize[n-1].width() {
			bySize = append(bySize, gap{1, 0}) // a gap that byAddress does not have
		}
		bySize = append(bySize, g)
		return true
	})
	slices.SortFunc(bySize, func(a, b gap) int {
		if a.lo < b.lo {
			return -1
		}
		return 1
	})
	if !slices.Equal(list, bySize) {
		return fmt.Errorf("by address %v, by size %v", list, bySize)
	}
	return nil
}

func (n *node) check() error {
	if n == nil {
		return nil
	}
	for _, c := range []*node{n.left, n.right} {
		if c == nil {
			continue
		}
		if (c == n.left) != (c.lo < n.lo) {
			return fmt.Errorf("gap %v is on the wrong side of %v", c.gap, n.gap)
		}
		if c.priority > n.priority {
			return fmt.Errorf("gap %v has a higher priority than its parent %v", c.gap, n.gap)
		}
		if err := c.check(); err != nil {
			return err
		}
	}
	fixed := *n
	fixed.fix()
	if fixed.widest != n.widest {
		return fmt.Errorf("the widest below %v is %d, not %d", n.gap, fixed.widest, n.widest)
	}
	return nil
}

// Gaps are the gaps of the positions [0, n), for tests that compare ways to keep them.
type Gaps struct{ s gaps }

func NewGaps(n uint64) *Gaps { return &Gaps{newGaps(gap{0, n - 1})} }

func (g *Gaps) First(size uint64) (lo uint64, ok bool) {
	in, lo, ok := g.s.first(want{size - 1, 1, everywhere})
	if ok {
		g.s.take(in, gap{lo, lo + size - 1})
	}
	return lo, ok
}

func (g *Gaps) Best(size uint64) (lo uint64, ok bool) {
	in, lo, ok := g.s.best(want{size - 1, 1, everywhere})
	if ok {
		g.s.take(in, gap{lo, lo + size - 1})
	}
	return lo, ok
}

func (g *Gaps) Put(lo, size uint64) { g.s.put(gap{lo, lo + size - 1}) }

func (g *Gaps) Count() int { return g.s.count() }

func (g *Gaps) Largest() uint64 {
	l, ok := g.s.largest()
	if !ok {
		return 0
	}
	return l.width() + 1
}
