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

// cell is the value of a range in the torture. Everything but the counter is read
// and written plainly, so that the race detector judges who was let in beside whom.
type cell struct {
	id       int                  // never written after it was made
	r        rangelock.Range[int] // likewise
	a, b     int                  // written by who has excluded the range; b == -a
	poisoned bool                 // written by OnRetire
	retired  atomic.Int32         // how often OnRetire had it
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

// The figures below were measured with two processors: so many of 10 runs fail when
// the fault is put in, without the race detector and with it; a fault that failed the
// first five, or three of a slow kind, is counted as 10. With the race detector there
// are small nodes and yields in the windows, too, so it hits them more often.

// TestTorture runs random readers and writers of every kind. It lines up whatever
// comes: readers between search and count, between count and look, refused ones
// about to undo; writers that exclude, retire, swap and give up meanwhile; last
// guards released beside finishing writers; headers and nodes recycled under
// readers. A guard's value must not be poisoned, must not change, and must be that
// of a range that covers the key; each value is retired exactly once.
//
//	await that does not wait                                  10, 10
//	releaseSlow without the Wake                              10, not run
//	the batch reaped without its grace period                 10, 10
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

// check looks twice at what a guard promises.
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
