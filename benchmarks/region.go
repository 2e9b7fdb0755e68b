package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/btree"

	"github.com/spanlock/spanlock/benchmarks/internal/stat"
	"github.com/spanlock/spanlock/rangelock"
)

// regions is row 18: a client's cache of the regions of a table, which the servers split and
// merge. The garbage collector owns the regions, so a locate needs no guard.
func regions(b *bench) {
	n := b.scale.regions
	caches := []regionCache{newOurRegions(n), newLockedRegions(n)}
	ours, rival := caches[0].name(), caches[1].name()
	s := b.about("a flood of splits and merges beside a reader", "n", n)
	x := newSeries()
	for round := range b.scale.rounds {
		for i := range caches {
			c := caches[(round+i)%len(caches)]
			located, written := flood(c, n, b.scale.window)
			undisturbed, _ := flood(idle{c}, n, b.scale.window)
			_, alone := flood(unread{c}, n, b.scale.window)
			x.add(c.name()+" locates", located)
			x.add(c.name()+" writes", written)
			x.add(c.name()+" idle", undisturbed)
			x.add(c.name()+" alone", alone)
		}
	}
	for _, what := range []string{"locates", "writes", "idle", "alone"} {
		target := map[string]*bound{"locates": atLeast(5), "writes": atLeast(0.8)}[what]
		for _, c := range caches {
			s.add(c.name()+" "+what, "M/s", x[c.name()+" "+what], nil)
		}
		s.add(ours+"/"+rival+" "+what, "×", stat.Ratios(x[ours+" "+what], x[rival+" "+what]), target)
	}

	s = b.about("locates sixteen at a time", "n", n)
	keys := make([]uint64, 1<<14)
	rng := random(1)
	for i := range keys {
		keys[i] = rng.next() % (uint64(n) * regionWidth)
	}
	var cs []contender
	for _, c := range caches {
		cs = append(cs, contender{name: c.name(), run: func(worker, from, ops int) {
			sum := 0
			for done := 0; done < ops; done += batchSize {
				at := (from + done) & (len(keys) - batchSize)
				sum += c.locateMany(keys[at : at+batchSize])
			}
			sink[worker&63].n.Add(uint64(sum))
		}})
	}
	s.compare(b.duel(1, cs...), map[string]*bound{rival: atMost(0.5)})

	s = b.about("insertion in random order", "n", n)
	x = newSeries()
	order := make([]int, n)
	for i := range order {
		order[i] = int(uint64(i) * 7919 % uint64(n)) // a permutation, because n is not a multiple of 7919
	}
	makers := []func(int) regionCache{
		func(int) regionCache { return newOurRegions(0) },
		func(int) regionCache { return newLockedRegions(0) },
	}
	for range b.scale.builds {
		for i, create := range makers {
			runtime.GC()
			c := create(0)
			start := time.Now()
			for _, at := range order {
				c.learn(regionAt(at, at))
			}
			x.add(caches[i].name(), float64(time.Since(start).Nanoseconds())/float64(n))
			runtime.KeepAlive(c)
		}
	}
	for _, c := range caches {
		s.add(c.name(), "ns", x[c.name()], nil)
	}
	s.add(ours+"/"+rival, "×", stat.Ratios(x[ours], x[rival]), atMost(1.2))
}

// region is what a client knows about some keys.
type region struct {
	lo, hi uint64
	server int
}

const regionWidth = 1 << 16

// regionAt returns the i-th region of a table that has not been split.
func regionAt(i, server int) *region {
	lo := uint64(i) * regionWidth
	return &region{lo, lo + regionWidth, server}
}

// regionCache is what a client locates regions with.
type regionCache interface {
	name() string
	locate(key uint64) int
	locateMany(keys []uint64) int
	learn(rs ...*region) // in one step; the regions that they overlap are forgotten
}

// flood locates keys and at the same time splits and merges regions for a while. It returns how
// many millions of locates and of writes there were in a second. A split and a merge are one
// write each. There is at least one of each, even if the while is very short.
func flood(c regionCache, n int, d time.Duration) (locates, writes float64) {
	var stop atomic.Bool
	var wg sync.WaitGroup
	start := time.Now()
	wg.Go(func() {
		rng := random(7)
		for i := 0; i == 0 || !stop.Load(); i++ {
			r := regionAt(int(rng.next()%uint64(n)), i)
			if i%2 == 0 {
				mid := r.lo + regionWidth/2
				c.learn(&region{r.lo, mid, i}, &region{mid, r.hi, i})
			} else {
				c.learn(r)
			}
			writes++
		}
		writes /= time.Since(start).Seconds() * 1e6
	})
	rng := random(11)
	sum, located := 0, 0
	for located == 0 || time.Since(start) < d {
		for range 256 {
			sum += c.locate(rng.next() % (uint64(n) * regionWidth))
		}
		located += 256
	}
	locates = float64(located) / time.Since(start).Seconds() / 1e6
	stop.Store(true)
	wg.Wait()
	sink[0].n.Add(uint64(sum))
	return locates, writes
}

// idle is a cache that learns nothing, and sleeps instead.
type idle struct{ regionCache }

func (idle) learn(...*region) { time.Sleep(time.Millisecond) }

// unread is a cache that is not read.
type unread struct{ regionCache }

func (unread) locate(uint64) int { time.Sleep(10 * time.Microsecond); return 0 }

// ourRegions is a rangelock.Map.
type ourRegions struct {
	m *rangelock.Map[uint64, *region]
}

func newOurRegions(n int) regionCache {
	c := ourRegions{rangelock.New[uint64, *region](nil)}
	for i := range n {
		c.learn(regionAt(i, i))
	}
	return c
}

func (ourRegions) name() string { return "ours" }

func (c ourRegions) locate(key uint64) int {
	r, ok := c.m.Get(key)
	if !ok {
		return 0
	}
	return r.server
}

func (c ourRegions) locateMany(keys []uint64) (sum int) {
	c.m.GetMany(keys, func(_ int, r *region, ok bool) {
		if ok {
			sum += r.server
		}
	})
	return sum
}

func (c ourRegions) learn(rs ...*region) {
	w := c.m.Lock()
	for _, r := range rs {
		must(w.Put(rangelock.Span(r.lo, r.hi), r) == nil)
	}
	w.Unlock()
}

// lockedRegions is a google/btree under a sync.RWMutex, as in such clients.
type lockedRegions struct {
	mu sync.RWMutex
	t  *btree.BTreeG[region]
}

func newLockedRegions(n int) regionCache {
	c := &lockedRegions{t: btree.NewG(32, func(a, b region) bool { return a.lo < b.lo })}
	for i := range n {
		c.learn(regionAt(i, i))
	}
	return c
}

func (*lockedRegions) name() string { return "rwmutex" }

func (c *lockedRegions) locate(key uint64) int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.find(key)
}

func (c *lockedRegions) find(key uint64) (server int) {
	c.t.DescendLessOrEqual(region{lo: key}, func(r region) bool {
		if key < r.hi {
			server = r.server
		}
		return false
	})
	return server
}

func (c *lockedRegions) locateMany(keys []uint64) (sum int) {
	for _, key := range keys {
		sum += c.locate(key)
	}
	return sum
}

// learn removes the regions that overlap, trims those that extend beyond, and inserts the new ones.
func (c *lockedRegions) learn(rs ...*region) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var room [4]region
	for _, r := range rs {
		over := room[:0]
		c.t.DescendLessOrEqual(*r, func(x region) bool {
			if x.lo < r.lo && x.hi > r.lo {
				over = append(over, x)
			}
			return x.lo == r.lo // that region is in the part below
		})
		c.t.AscendRange(*r, region{lo: r.hi}, func(x region) bool {
			over = append(over, x)
			return true
		})
		for _, x := range over {
			c.t.Delete(x)
			if x.lo < r.lo {
				c.t.ReplaceOrInsert(region{x.lo, r.lo, x.server})
			}
			if x.hi > r.hi {
				c.t.ReplaceOrInsert(region{r.hi, x.hi, x.server})
			}
		}
		c.t.ReplaceOrInsert(*r)
	}
}
