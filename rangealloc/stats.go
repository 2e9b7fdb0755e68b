package rangealloc

// Stats describes the free keys of an allocator. A count of keys that would be 2^64 is the
// largest uint64.
type Stats struct {
	Keys    uint64 // keys that the allocator has, free or not
	Free    uint64 // keys in gaps: neither allocated nor waiting for OnRetire
	Largest uint64 // keys in the largest gap
	Gaps    int    // how many gaps there are
	Ranges  int    // how many ranges are allocated

	// Fragmentation is the share of the free keys that are not in the largest gap, from 0 for
	// a single gap, or none, to nearly 1.
	Fragmentation float64
}

// Stats returns how many keys are free, and in how many gaps, in time proportional to the
// logarithm of the number of gaps. It never waits for a turn or a guard. While an AllocEvict is
// under way, Stats may count the keys that it is about to free as free.
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
		s.Free = ^uint64(0) // 2^64, wrapped
	}
	s.Fragmentation = 1 - float64(s.Largest)/float64(s.Free)
	return s
}

// keysOf returns how many keys are in g, at most the largest uint64.
func keysOf(g gap) uint64 { return max(g.width(), g.width()+1) }
