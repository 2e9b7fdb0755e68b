package rangealloc

import (
	"cmp"

	"github.com/google/btree"

	"github.com/spanlock/spanlock/internal/invariants"
)

// gap is a run of positions, including both ends; see order.
type gap struct{ lo, last uint64 }

// width is the number of positions less one: 2^64 positions fit in no other number.
func (g gap) width() uint64 { return g.last - g.lo }

// everywhere is all positions.
var everywhere = gap{0, ^uint64(0)}

// want is what an allocation searches for.
type want struct {
	width uint64 // the number of keys less one
	align uint64 // a power of two
	in    gap    // where the keys must lie
}

// place returns the lowest position in g at which an allocation can begin, and whether it fits.
// It checks the gap for exactly what the allocation needs. The tempting search for width+align-1
// keys, after which every gap would do, misses gaps that are just wide enough and happen to be
// aligned.
func (g gap) place(w want) (lo uint64, ok bool) {
	low, last := max(g.lo, w.in.lo), min(g.last, w.in.last)
	mask := w.align - 1
	lo = (low + mask) &^ mask
	// lo < low: there is no multiple above low, and the sum wrapped.
	if lo < low || lo > last {
		return 0, false
	}
	return lo, last-lo >= w.width
}

// placeTop is like place, but returns the highest position.
func (g gap) placeTop(w want) (lo uint64, ok bool) {
	low, last := max(g.lo, w.in.lo), min(g.last, w.in.last)
	if last < low || last-low < w.width {
		return 0, false
	}
	lo = (last - w.width) &^ (w.align - 1)
	return lo, lo >= low
}

// gaps is the positions that have no owner. No two gaps touch.
type gaps struct {
	byAddress tree

	// bySize holds the same gaps by width, then by address. The first search for the best fit
	// makes it: most programs never search so, and bySize doubles the cost of each change.
	bySize *btree.BTreeG[gap]

	// free is the number of positions in all gaps. All 2^64 positions wrap to 0.
	free uint64
}

// degree is the fan-out of the tree by size. The items are two words.
const degree = 32

// newGaps returns gaps with the single gap all.
func newGaps(all gap) gaps {
	var g gaps
	g.add(all)
	return g
}

// add adds a gap that touches no other.
func (s *gaps) add(g gap) {
	s.byAddress.insert(g)
	s.free += g.width() + 1
	if s.bySize != nil {
		s.bySize.ReplaceOrInsert(g)
	}
}

// change replaces old by g; see tree.change.
func (s *gaps) change(old, g gap) {
	s.byAddress.change(old.lo, g)
	s.free += g.width() - old.width()
	if s.bySize != nil {
		s.bySize.Delete(old)
		s.bySize.ReplaceOrInsert(g)
	}
}

// remove takes g out.
func (s *gaps) remove(g gap) {
	s.byAddress.remove(g.lo)
	s.free -= g.width() + 1
	if s.bySize != nil {
		s.bySize.Delete(g)
	}
}

// first returns the gap with the lowest address in which w fits, and the lowest place in it.
func (s *gaps) first(w want) (g gap, lo uint64, ok bool) { return s.byAddress.root.first(w) }

// top returns the gap with the highest address in which w fits, and the highest place in it.
func (s *gaps) top(w want) (g gap, lo uint64, ok bool) { return s.byAddress.root.top(w) }

// best returns the smallest gap in which w fits, of equal gaps the lowest, and the lowest place
// in it. It checks one gap after the other, from the first that is wide enough, until one fits
// w's alignment.
func (s *gaps) best(w want) (g gap, lo uint64, ok bool) {
	if s.bySize == nil {
		s.sort()
	}
	s.bySize.AscendGreaterOrEqual(gap{0, w.width}, func(next gap) bool {
		g = next
		lo, ok = next.place(w)
		return !ok
	})
	return g, lo, ok
}

// sort makes bySize.
func (s *gaps) sort() {
	s.bySize = btree.NewG(degree, func(a, b gap) bool {
		return cmp.Or(cmp.Compare(a.width(), b.width()), cmp.Compare(a.lo, b.lo)) < 0
	})
	s.byAddress.root.ascend(func(g gap) bool {
		s.bySize.ReplaceOrInsert(g)
		return true
	})
}

// around returns the gap that holds all of part, and whether there is one.
func (s *gaps) around(part gap) (gap, bool) {
	g, ok := s.byAddress.floor(part.lo)
	return g, ok && g.last >= part.last
}

// largest returns the largest gap, of equals the highest, and whether there is a gap.
func (s *gaps) largest() (gap, bool) { return s.byAddress.root.largest() }

// count returns how many gaps there are.
func (s *gaps) count() int { return s.byAddress.n }

// take takes part out of the gap g, which holds it.
func (s *gaps) take(g, part gap) {
	invariants.Check(g.lo <= part.lo && part.last <= g.last, "%v taken from the gap %v", part, g)
	below, above := gap{g.lo, part.lo - 1}, gap{part.last + 1, g.last}
	switch hasBelow, hasAbove := g.lo < part.lo, part.last < g.last; {
	case hasBelow:
		s.change(g, below)
		if hasAbove {
			s.add(above)
		}
	case hasAbove:
		s.change(g, above)
	default:
		s.remove(g)
	}
}

// withhold takes part, which lies in a gap, out of it.
func (s *gaps) withhold(part gap) {
	g, ok := s.around(part)
	invariants.Check(ok, "%v is not in a gap", part)
	s.take(g, part)
}

// put makes part, which had an owner, a gap again, and joins it with the gaps that it touches.
func (s *gaps) put(part gap) {
	if invariants.Enabled {
		g, ok := s.byAddress.floor(part.last)
		invariants.Check(!ok || g.last < part.lo, "%v put back over the gap %v", part, g)
	}
	before, joinsBefore := s.byAddress.floor(part.lo)
	joinsBefore = joinsBefore && before.last+1 == part.lo
	var after gap
	joinsAfter := false
	if part.last+1 != 0 {
		after, joinsAfter = s.byAddress.floor(part.last + 1)
		joinsAfter = joinsAfter && after.lo == part.last+1
	}
	switch {
	case joinsBefore && joinsAfter:
		s.remove(after)
		s.change(before, gap{before.lo, after.last})
	case joinsBefore:
		s.change(before, gap{before.lo, part.last})
	case joinsAfter:
		s.change(after, gap{part.lo, after.last})
	default:
		s.add(part)
	}
}

// outside calls f with the part of g below part, and with the part above it, if they are not
// empty.
func (g gap) outside(part gap, f func(gap)) {
	if g.lo < part.lo {
		f(gap{g.lo, min(g.last, part.lo-1)})
	}
	if g.last > part.last {
		f(gap{max(g.lo, part.last+1), g.last})
	}
}
