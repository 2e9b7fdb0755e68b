package main

import (
	"context"
	"fmt"
	"hash/crc32"
	"os"
	"sync"
	"sync/atomic"

	"github.com/spanlock/spanlock/mapfile"
	"github.com/spanlock/spanlock/rangelock"
)

// A cache keeps the most recently read segments of a corpus mapped into memory. A segment is
// mapped when it is asked for, and unmapped when the cache is over its budget and the segment's
// last guard is released. Any number of goroutines may use a cache.
type cache struct {
	corpus *corpus
	budget int64
	m      *rangelock.Map[uint64, *segment]
	load   func(context.Context, uint64) (rangelock.Range[uint64], *segment, error) // c.mapIn, made once

	over chan struct{} // of capacity 1: there may be something to evict

	misses, loads, evictions, unmaps atomic.Int64
	mapped                           atomic.Int64 // bytes, including evicted segments that are still read
	peak                             atomic.Int64 // of mapped

	mu    sync.Mutex
	clock []*segment // segments in the map, the next one to look at first
	live  int64      // bytes of clock
}

// A segment is one mapping.
type segment struct {
	*mapfile.Mapping
	r    rangelock.Range[uint64]
	used atomic.Bool // read since the clock's hand was here
	gone atomic.Bool // unmapped
}

func newCache(c *corpus, budget int64) *cache {
	k := &cache{corpus: c, budget: budget, over: make(chan struct{}, 1)}
	k.load = k.mapIn
	k.m = rangelock.New(&rangelock.Options[uint64, *segment]{
		OnRetire: k.unmap,
		// It is called on a miss, and before a wait for a writer.
		LoadRange: func(key uint64) rangelock.Range[uint64] {
			k.misses.Add(1)
			return c.span(key)
		},
	})
	return k
}

// read verifies the segment of key under a guard, and returns the number of wrong bytes: none of
// the segment or all of it.
func (k *cache) read(ctx context.Context, key uint64) (wrong int, err error) {
	g, err := k.m.AcquireOrLoad(ctx, key, k.load)
	if err != nil {
		return 0, err
	}
	defer g.Release()
	s := g.Value()
	if !s.used.Load() {
		s.used.Store(true)
	}
	if s.gone.Load() || crc32.Checksum(s.Bytes(), castagnoli) != k.corpus.sums[key/k.corpus.segment] {
		return len(s.Bytes()), nil
	}
	return 0, nil
}

// mapIn maps the segment of key.
func (k *cache) mapIn(_ context.Context, key uint64) (r rangelock.Range[uint64], s *segment, err error) {
	r = k.corpus.span(key)
	from := k.corpus.at(key)
	f, err := os.Open(from.path)
	if err != nil {
		return r, nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return r, nil, err
	} else if uint64(info.Size()) != from.hi-from.lo {
		return r, nil, fmt.Errorf("%s has changed: it had %d bytes and has %d", from.path, from.hi-from.lo, info.Size())
	}
	m, err := mapfile.Map(f, int64(r.Lo-from.lo), int(r.Hi-r.Lo), false) // it outlives f
	if err != nil {
		return r, nil, err
	}
	k.loads.Add(1)
	n := k.mapped.Add(int64(r.Hi - r.Lo))
	for p := k.peak.Load(); n > p && !k.peak.CompareAndSwap(p, n); p = k.peak.Load() {
	}
	s = &segment{Mapping: m, r: r}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.clock = append(k.clock, s)
	if k.live += int64(r.Hi - r.Lo); k.live > k.budget {
		select {
		case k.over <- struct{}{}:
		default: // the evictor is told already
		}
	}
	return r, s, nil
}

// unmap is the map's OnRetire: the segment has no readers any more.
func (k *cache) unmap(_ rangelock.Range[uint64], s *segment) {
	if s.gone.Swap(true) {
		panic(fmt.Sprintf("segcache: %v unmapped twice", s.r))
	}
	if err := s.Close(); err != nil {
		panic(fmt.Sprintf("segcache: cannot unmap %v: %v", s.r, err))
	}
	k.mapped.Add(-int64(len(s.Bytes())))
	k.unmaps.Add(1)
}

// evict retires segments until ctx ends, whenever the cache is over its budget. It does not wait
// for readers.
func (k *cache) evict(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-k.over:
		}
		for s := k.victim(); s != nil; s = k.victim() {
			n, err := k.m.Retire(ctx, s.r)
			switch {
			case ctx.Err() != nil:
				return nil
			case err != nil:
				return err
			case n == 0:
				// The load has added the segment to the clock, but is still under way. Its result
				// is stale now, and is unmapped; a caller that waits for it loads again.
			default:
				k.evictions.Add(1)
			}
		}
	}
}

// victim removes from the clock the next segment that was not used since the hand passed it, and
// returns it. It returns nil if the cache is within its budget.
func (k *cache) victim() *segment {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.live <= k.budget {
		return nil
	}
	for len(k.clock) > 0 {
		s := k.clock[0]
		k.clock = k.clock[1:]
		if s.used.Swap(false) {
			k.clock = append(k.clock, s)
			continue
		}
		k.live -= int64(len(s.Bytes()))
		return s
	}
	return nil
}
