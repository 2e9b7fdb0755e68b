package rangelock_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// shelf is the value of a range in this torture. The race detector watches the plain fields. In a
// normal build the counters show which guards are held at the same time.
type shelf struct {
	a, b     int
	poisoned bool
	readers  atomic.Int32
	alone    atomic.Int32
	retired  atomic.Int32
}

// rivals is one episode. It has few ranges, so that the goroutines often meet on one.
type rivals struct {
	t    *testing.T
	m    *rangelock.Map[int, *shelf]
	mu   sync.Mutex
	born []*shelf
}

const rivalKeys = 32

func (e *rivals) shelf() *shelf {
	s := new(shelf)
	e.mu.Lock()
	e.born = append(e.born, s)
	e.mu.Unlock()
	return s
}

// TestTortureExclusive lines up shared and exclusive guards, and waits for them that a context
// may end, with a writer that excludes, retires, splits and merges the same few ranges. Some of
// the ranges are announced. No guard is held beside an exclusive one, no value is retired while a
// guard has it, each value is retired once, and no wait queue and no count is left.
func TestTortureExclusive(t *testing.T) {
	atEachProcs(t, byBuild(80, 16), func(t *testing.T, rng *rand.Rand) {
		e := &rivals{t: t}
		e.m = rangelock.New(&rangelock.Options[int, *shelf]{
			OnRetire: func(_ rangelock.Range[int], s *shelf) {
				s.poisoned = true
				s.a, s.b = -1, -1
				s.retired.Add(1)
			},
			SplitValue: func(_ rangelock.Range[int], _ int, s *shelf) (*shelf, *shelf, error) { return s, e.shelf(), nil },
			MergeValue: func(_, _ rangelock.Range[int], l, r *shelf) (*shelf, bool) {
				r.retired.Add(1) // it leaves here
				return l, true
			},
		})
		inTime(t, "episode", func() { e.run(rng) })
		if s := e.m.Stats(); s.Ranges != 0 || s.Pending != 0 {
			t.Errorf("closed map: %+v", s)
		}
	})
	wantNoGoroutines(t)
}

func (e *rivals) run(rng *rand.Rand) {
	var wg sync.WaitGroup
	for i := range 5 {
		seed := rng.Uint64()
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, 1))
			for range 150 {
				if i == 0 {
					e.write(rng)
				} else {
					e.read(rng)
				}
			}
		})
	}
	wg.Wait()
	if err := e.m.Verify(); err != nil {
		e.t.Error(err)
	}
	if n := e.m.Lines(); n != 0 {
		e.t.Errorf("%d wait queues are left", n)
	}
	for r := range e.m.All() {
		g, err := e.m.TryAcquireExclusive(r.Lo)
		if err != nil {
			e.t.Errorf("%v at the end: %v, state %#x", r, err, e.m.State(r.Lo))
			continue
		}
		g.Release()
	}
	if err := e.m.Close(context.Background()); err != nil {
		e.t.Error(err)
	}
	for i, s := range e.born {
		if n := s.retired.Load(); n != 1 {
			e.t.Errorf("value %d was retired %d times", i, n)
		}
	}
}

// read takes one guard in a random way.
func (e *rivals) read(rng *rand.Rand) {
	key := rng.IntN(rivalKeys)
	ctx := context.Background()
	if rng.IntN(2) == 0 {
		var stop func()
		ctx, stop = context.WithTimeout(ctx, time.Duration(rng.IntN(100))*time.Microsecond)
		defer stop()
	}
	switch rng.IntN(8) {
	case 0, 1:
		if g, err := e.m.AcquireContext(ctx, key); err == nil {
			e.share(&g)
		}
	case 2:
		if g, err := e.m.TryAcquire(key); err == nil {
			e.share(&g)
		}
	case 3:
		for g, err := range e.m.GuardsContext(ctx, rangelock.Span(key, key+8)) {
			if err == nil {
				e.share(g)
			}
		}
	case 4, 5:
		if g, err := e.m.AcquireExclusiveContext(ctx, key); err == nil {
			e.own(&g)
		}
	case 6:
		if g, err := e.m.TryAcquireExclusive(key); err == nil {
			e.own(&g)
		}
	case 7:
		e.m.Get(key)
		r := e.m.RLock()
		g, ok := r.Acquire(key)
		r.Unlock()
		if ok {
			e.share(&g)
		}
	}
}

// share checks what a shared guard promises, and releases it.
func (e *rivals) share(g *rangelock.Guard[int, *shelf]) {
	s := g.Value()
	s.readers.Add(1)
	a := s.a
	runtime.Gosched()
	if s.alone.Load() != 0 || s.poisoned || s.a != a || s.b != -a {
		e.t.Errorf("shared guard on %v: %d exclusive guards, poisoned %t, %d, %d and %d", g.Range(), s.alone.Load(), s.poisoned, a, s.a, s.b)
	}
	s.readers.Add(-1)
	g.Release()
}

// own is share for an exclusive guard.
func (e *rivals) own(g *rangelock.Guard[int, *shelf]) {
	s := g.Value()
	n := s.alone.Add(1)
	s.a++
	runtime.Gosched()
	s.b--
	if n != 1 || s.readers.Load() != 0 || s.poisoned || s.b != -s.a {
		e.t.Errorf("exclusive guard on %v: %d exclusive guards, %d readers, poisoned %t, %d, %d", g.Range(), n, s.readers.Load(), s.poisoned, s.a, s.b)
	}
	s.alone.Add(-1)
	g.Release()
}

// write is one transaction.
func (e *rivals) write(rng *rand.Rand) {
	ctx, stop := context.WithTimeout(context.Background(), time.Duration(100+rng.IntN(1000))*time.Microsecond)
	defer stop()
	w, err := e.m.LockContext(ctx)
	if err != nil {
		return
	}
	defer w.Unlock()
	at := 8 * rng.IntN(rivalKeys/8)
	r := rangelock.Span(at, at+8)
	switch rng.IntN(10) {
	case 0, 1:
		if w.Exclude(r) == nil {
			for _, s := range w.Overlapping(r) {
				if s.a, s.b = s.a+1, s.b-1; s.b != -s.a || s.readers.Load() != 0 || s.alone.Load() != 0 {
					e.t.Errorf("excluded %v with %d readers and %d exclusive guards", r, s.readers.Load(), s.alone.Load())
				}
			}
		}
	case 2:
		w.TryExclude(r)
	case 3:
		w.Split(at + 4)
	case 4:
		w.Merge(at + 4)
	case 5:
		w.Remove(r)
	case 6:
		w.Retire(r)
	case 7:
		e.bear(func(s *shelf) error { return w.Swap(r, s) })
	case 8:
		e.bear(func(s *shelf) error { return w.Update(at, s) })
	case 9:
		if _, _, ok := w.Find(at); ok {
			e.m.Announcing(at)
		}
	}
	e.bear(func(s *shelf) error { return w.Insert(r, s) })
}

// bear makes a value and adds it to born if attach succeeds.
func (e *rivals) bear(attach func(s *shelf) error) {
	s := new(shelf)
	if attach(s) == nil {
		e.mu.Lock()
		e.born = append(e.born, s)
		e.mu.Unlock()
	}
}
