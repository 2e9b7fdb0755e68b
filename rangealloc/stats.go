package rangealloc

// Stats is what an allocator has to give out. The numbers are of keys where nothing else is
// said; one that is not a uint64, because all 2^64 keys are meant, is the largest uint64.
type Stats struct {
	Keys    uint64 // that the allocator has
	Free    uint64 // of them, in gaps: neither allocated nor on their way back
	Largest uint64 // in the largest gap
	Gaps    int    // how many gaps there are
	Ranges  int    // how many ranges are allocated

	// Fragmentation is the share of the free keys that are not in the largest gap, from 0 for
	// a single gap, or none, to nearly 1.
	Fragmentation float64
}

// Stats returns how much is free, and in how many pieces, in a time that grows with the
// logarithm of their number. It never waits for a turn or a guard. Beside an AllocEvict under
// way it may count as free what that is about to free.
func (a *Allocator[K, V]) Stats() Stats {
	m := a.of("Stats")
	a.mu.Lock()
	defer a.mu.Unlock()
	all, _ := a.order.stretch(a.all)
	s := Stats{Keys: keysOf(all), Gaps: a.gaps.count(), Ranges: m.Len()}
	g, ok := a.gaps.largest()
	if !ok {
		return s
	}
	s.Largest, s.Free = keysOf(g), a.gaps.free
	if s.Free == 0 {
		s.Free = ^uint64(0) // it has wrapped
	}
	s.Fragmentation = 1 - float64(s.Largest)/float64(s.Free)
	return s
}

// keysOf returns how many keys are in g, at most the largest uint64.
func keysOf(g gap) uint64 { return max(g.width(), g.width()+1) }
