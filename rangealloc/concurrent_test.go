package rangealloc_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

// TestConcurrent runs owners that allocate, fill, publish and free keys, beside readers that look
// at the contents of the keys under a guard and an OnRetire that clears them. The contents are
// plain memory. If keys are given out before the last guard is released, or before OnRetire has
// returned, a goroutine reads another owner's number, and the race detector sees two accesses
// that do not synchronize. It fails nearly always, also without the detector, if Free makes the
// gap itself although there is an OnRetire, or if the map's OnRetire ignores what Free has put
// back.
func TestConcurrent(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	episodes, steps := 8, 300
	if testing.Short() {
		episodes = 2
	}
	for e := range episodes {
		runtime.GOMAXPROCS(1 << (e % 4))
		for _, clears := range []bool{true, false} {
			t.Run(fmt.Sprintf("procs=%d/OnRetire=%v", runtime.GOMAXPROCS(0), clears), func(t *testing.T) {
				runConcurrent(t, steps, clears)
			})
		}
	}
}

// owner is the value of a range; its number is in each cell of the range.
type owner struct {
	number int
	filled chan struct{} // closed when all cells have the number
}

// readOwners takes guards on keys of mem in a loop, and checks under each guard that all cells of
// the range have the number of its owner.
func readOwners[K rangealloc.Integer](t *testing.T, a *rangealloc.Allocator[K, *owner], mem []int, rng *rand.Rand, times int) {
	for range times {
		g, ok := a.Map().Acquire(K(rng.IntN(len(mem))))
		if !ok {
			continue
		}
		v, r := g.Value(), g.Range()
		<-v.filled
		for range rng.IntN(3) {
			for k := r.Lo; k < r.Hi; k++ {
				if mem[k] != v.number {
					t.Errorf("key %d has %d under a guard of %d", k, mem[k], v.number)
				}
			}
			runtime.Gosched()
		}
		g.Release()
	}
}

// clearing returns an OnRetire that checks that all cells of a range have the number of its
// owner, and clears them.
func clearing[K rangealloc.Integer](t *testing.T, mem []int) func(r rangelock.Range[K], v *owner) {
	return func(r rangelock.Range[K], v *owner) {
		for k := r.Lo; k < r.Hi; k++ {
			if mem[k] != v.number {
				t.Errorf("key %d has %d when %d is retired", k, mem[k], v.number)
			}
			mem[k] = 0
		}
	}
}

func runConcurrent(t *testing.T, steps int, clears bool) {
	const keys = 96
	var mem [keys]int
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var o rangelock.Options[int8, *owner]
	if clears {
		o.OnRetire = clearing[int8](t, mem[:])
	}
	a := rangealloc.New(rangelock.Span[int8](0, keys), &o)
	var wg sync.WaitGroup
	for id := range 4 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(id)))
			for i := range steps {
				v := &owner{1 + id + 4*i, make(chan struct{})}
				alloc := a.Alloc
				if rng.IntN(2) == 0 {
					alloc = a.AllocBest
				}
				r, err := alloc(ctx, int8(1+rng.IntN(24)), int8(1)<<rng.IntN(4), v)
				if errors.Is(err, rangealloc.ErrNoSpace) {
					runtime.Gosched()
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				for k := r.Lo; k < r.Hi; k++ {
					if clears && mem[k] != 0 {
						t.Errorf("key %d has %d when it is given out", k, mem[k])
					}
					mem[k] = v.number
				}
				close(v.filled)
				runtime.Gosched()
				free := a.FreeLater
				if rng.IntN(3) == 0 {
					free = a.Free
				}
				if err := free(ctx, r.Lo); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for id := range 4 {
		wg.Go(func() { readOwners(t, a, mem[:], rand.New(rand.NewPCG(seed, uint64(100+id))), 2*steps) })
	}
	wg.Wait()
	if err := a.Close(ctx); err != nil {
		t.Error(err)
	}
	if a.Expected() != 0 {
		t.Errorf("%d calls of OnRetire still expected", a.Expected())
	}
	wantGaps(t, a, rangelock.Span[int8](0, keys))
}

// TestFreedBesideReaders runs readers that look at the keys in a loop. Meanwhile one goroutine
// frees a range, with Free and no OnRetire, allocates its keys again as one range or as two, and
// frees the first of them with FreeLater. Sometimes a reader that Free has refused keeps its
// count in the range for a moment. Then the first range is finished after the one that was freed
// later. If calls of the map's OnRetire were matched by the start of the range, this would fail
// nearly always in a checking build, after some milliseconds. TestOvertaken lines the same case
// up without chance.
func TestFreedBesideReaders(t *testing.T) {
	const keys = 10
	length := time.Second
	if testing.Short() {
		length = 200 * time.Millisecond
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	a := rangealloc.New[int, int](rangelock.Span(0, keys), nil)
	var wg sync.WaitGroup
	defer wg.Wait()
	var stop atomic.Bool
	defer stop.Store(true)
	for range 6 {
		wg.Go(func() {
			for !stop.Load() {
				if g, err := a.Map().TryAcquire(keys / 2); err == nil {
					g.Release()
				}
				runtime.Gosched()
			}
		})
	}
	rounds := 0
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("round %d: %v", rounds, err)
		}
	}
	for start := time.Now(); time.Since(start) < length; rounds++ {
		lo, hi := rng.IntN(keys/2), keys/2+1+rng.IntN(keys/2)
		mid := lo + 1 + rng.IntN(hi-lo)
		must(a.AllocAt(ctx, rangelock.Span(lo, hi), 0))
		must(a.Free(ctx, lo))
		must(a.AllocAt(ctx, rangelock.Span(lo, mid), 0))
		want := []rangelock.Range[int]{rangelock.Span(0, keys)}
		if mid < hi {
			must(a.AllocAt(ctx, rangelock.Span(mid, hi), 0))
			want[0].Hi = mid
			if hi < keys {
				want = append(want, rangelock.Span(hi, keys))
			}
		}
		must(a.FreeLater(ctx, lo))
		must(a.Map().Drain(ctx))
		must(a.CheckGaps())
		if got := a.GapRanges(); !slices.Equal(got, want) || a.Expected() != 0 {
			t.Fatalf("round %d: gaps %v, want %v; %d calls expected", rounds, got, want, a.Expected())
		}
		if mid < hi {
			must(a.Free(ctx, mid))
		}
	}
	t.Logf("%d rounds", rounds)
}
