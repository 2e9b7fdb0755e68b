package rangealloc_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

// TestConcurrentEvict runs caches that allocate from one arena, each of which evicts its own
// ranges, oldest first, beside readers that hold guards. The cells are plain memory, as in
// TestConcurrent: a cache that gets keys which a reader still holds, or which OnRetire still
// clears, reads the number of another owner. If the victims are not excluded, or their keys are
// given out before OnRetire has returned, this fails nearly always.
func TestConcurrentEvict(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	episodes := 4
	if testing.Short() {
		episodes = 2
	}
	for e := range episodes {
		runtime.GOMAXPROCS(1 << (e % 4))
		for _, clears := range []bool{true, false} {
			t.Run(fmt.Sprintf("procs=%d/OnRetire=%v", runtime.GOMAXPROCS(0), clears), func(t *testing.T) {
				runConcurrentEvict(t, 300, clears)
			})
		}
	}
}

func runConcurrentEvict(t *testing.T, steps int, clears bool) {
	const keys = 120
	var mem [keys]int
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var retired, allocated atomic.Int64
	var o rangelock.Options[int, *owner]
	if clears {
		check := clearing[int](t, mem[:])
		o.OnRetire = func(r rangelock.Range[int], v *owner) {
			retired.Add(1)
			check(r, v)
		}
	}
	a := rangealloc.New(rangelock.Span(0, keys), &o)
	var wg sync.WaitGroup
	for id := range 3 {
		wg.Go(func() {
			c := cacheOf{a: a}
			rng := rand.New(rand.NewPCG(seed, uint64(id)))
			for i := range steps {
				v := &owner{1 + id + 4*i, make(chan struct{})}
				r, err := c.put(1+rng.IntN(20), 1<<rng.IntN(4), v)
				if errors.Is(err, rangealloc.ErrNoSpace) {
					runtime.Gosched()
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				allocated.Add(1)
				for k := r.Lo; k < r.Hi; k++ {
					if clears && mem[k] != 0 {
						t.Errorf("key %d has %d when it is given out", k, mem[k])
					}
					mem[k] = v.number
				}
				close(v.filled)
				if x := c.there[0]; rng.IntN(3) == 0 {
					if err := a.TryFree(x.lo); err == nil {
						c.there = c.there[1:]
					} else if err != rangelock.ErrBusy {
						t.Error(err)
					}
				}
			}
		})
	}
	for id := range 3 {
		wg.Go(func() { readOwners(t, a, mem[:], rand.New(rand.NewPCG(seed, uint64(100+id))), 2*steps) })
	}
	wg.Wait()
	if err := a.Close(ctx); err != nil {
		t.Error(err)
	}
	if clears && retired.Load() != allocated.Load() {
		t.Errorf("%d retired, %d allocated", retired.Load(), allocated.Load())
	}
	if a.Expected() != 0 {
		t.Errorf("%d calls of OnRetire still expected", a.Expected())
	}
	wantGaps(t, a, rangelock.Span(0, keys))
}

// cacheOf is the ranges that one goroutine has allocated, oldest first.
type cacheOf struct {
	a     *rangealloc.Allocator[int, *owner]
	there []entryOf
}

type entryOf struct {
	lo int
	v  *owner
}

// put allocates, and forgets the ranges that were evicted for it.
func (c *cacheOf) put(size, align int, v *owner) (rangelock.Range[int], error) {
	at := 0
	r, err := c.a.AllocEvict(ctx, size, align, v, func() (int, bool) {
		if at == len(c.there) {
			return 0, false
		}
		at++
		return c.there[at-1].lo, true
	})
	if err != nil {
		return r, err
	}
	named := c.there[:at]
	c.there = c.there[at:]
	for _, x := range named {
		if there, ok := c.a.Map().Get(x.lo); ok && there == x.v {
			c.there = append(c.there, x) // it had guards
		}
	}
	c.there = append(c.there, entryOf{r.Lo, v})
	return r, nil
}
