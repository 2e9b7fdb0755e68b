package rangelock_test

import (
	"cmp"
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// This file has the torture of everything at once: the episode, its map and its checks. The
// readers are in torture_readers_test.go and the writers in torture_writers_test.go. The
// other torture_*_test.go files line up one thing each.
//
// A table in a test's comment has the faults that the test finds, and how many of 10 runs fail
// with each of them: first without the race detector, then with it. They were measured with two
// processors. A fault that failed the first five runs, or the first three where a run is slow,
// is counted as 10. Builds with the race detector find more, because they also have small nodes
// and yields in the windows of races.

// cell is the value of a range in the torture. All fields but the counter are read and written
// without synchronization, so the race detector finds a reader beside a writer.
type cell struct {
	id       int                  // never written after it was made
	r        rangelock.Range[int] // likewise
	a, b     int                  // written by the writer that has excluded the range; b == -a
	poisoned bool                 // written by OnRetire
	retired  atomic.Int32         // how often OnRetire was called for it
}

// torture is one episode: a map, its readers and its writers.
type torture struct {
	t     *testing.T
	m     *rangelock.Map[int, *cell]
	ids   atomic.Int64
	mu    sync.Mutex
	born  []*cell // every value that was attached
	loose chan rangelock.Guard[int, *cell]
}

const tortureKeys = 96

// TestTorture runs random readers and writers of every kind. It lines up, by chance:
//   - readers between the search and the count, between the count and the look at the state
//     word, and refused readers that are about to undo their count;
//   - writers that meanwhile exclude, retire, swap or give up;
//   - releases of last guards beside writers that finish the range;
//   - headers and nodes that are recycled while readers look at them.
//
// A guard's value must not be poisoned, must not change, and must be that of a range that
// covers the key. Each value is retired exactly once.
//
//	await that does not wait                                  10, 10
//	releaseSlow without the Wake                              10, not run
//	the batch retired without its grace period                10, 10
//	enter that keeps a refused add                             0, 10
//	undo without releaseSlow                                   0, 5
//	Retire that detaches before it takes out of the tree       1, 10
//	enter that unpins between the search and the add           0, 3
//	submit without the second look                           1, 8
func TestTorture(t *testing.T) {
	atEachProcs(t, byBuild(160, 24), func(t *testing.T, rng *rand.Rand) {
		e := &torture{t: t, loose: make(chan rangelock.Guard[int, *cell], 8)}
		o := &rangelock.Options[int, *cell]{OnRetire: e.onRetire}
		if rng.IntN(2) == 0 {
			e.m = rangelock.New(o)
		} else {
			e.m = rangelock.NewFunc(cmp.Compare[int], o)
		}
		inTime(t, "episode", func() { e.run(rng) })
	})
	wantNoGoroutines(t)
}

func (e *torture) run(rng *rand.Rand) {
	var work, releaser sync.WaitGroup
	for range 2 {
		seed := rng.Uint64()
		work.Go(func() { e.write(rand.New(rand.NewPCG(seed, 1)), 40) })
	}
	for range 3 {
		seed := rng.Uint64()
		work.Go(func() { e.read(rand.New(rand.NewPCG(seed, 2)), 200) })
	}
	releaser.Go(func() {
		for g := range e.loose {
			e.check(g)
			g.Release()
		}
	})
	work.Wait()
	if err := e.m.Verify(); err != nil {
		e.t.Error(err)
	}
	close(e.loose)
	releaser.Wait()
	if err := e.m.Close(context.Background()); err != nil {
		e.t.Error(err)
	}
	if err := e.m.Verify(); err != nil || e.m.Len() != 0 {
		e.t.Errorf("closed map: %v, Len %d", err, e.m.Len())
	}
	for _, c := range e.born {
		if n := c.retired.Load(); n != 1 {
			e.t.Errorf("value %d of %v was retired %d times", c.id, c.r, n)
		}
	}
}

func (e *torture) onRetire(r rangelock.Range[int], c *cell) {
	c.poisoned = true
	c.a, c.b = -1, -1
	if n := c.retired.Add(1); n != 1 || r != c.r {
		e.t.Errorf("OnRetire(%v, value %d of %v), call %d for it", r, c.id, c.r, n)
	}
	if c.id%16 == 0 {
		e.m.Get(c.r.Lo) // OnRetire may use the map
	}
}

// check looks twice at what a guard promises: range and value are there, and do not change.
func (e *torture) check(g rangelock.Guard[int, *cell]) {
	c := g.Value()
	if c == nil || g.Range() != c.r {
		e.t.Errorf("guard on %v has the value %v", g.Range(), c)
		return
	}
	a := c.a
	if c.poisoned || c.b != -a {
		e.t.Errorf("guard on %v: poisoned %t, a %d, b %d", c.r, c.poisoned, a, c.b)
	}
	runtime.Gosched()
	if c.poisoned || c.a != a || c.b != -a || g.Value() != c {
		e.t.Errorf("guard on %v: value changed while held", c.r)
	}
}
