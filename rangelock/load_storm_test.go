package rangelock_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// edition is a value, an error or a panic value. It says which versions of the blocks from first
// on a load has read in the source.
type edition struct {
	first    int
	versions []int64
	retired  atomic.Int32
}

func (e *edition) Error() string { return fmt.Sprint("from block ", e.first, ": ", e.versions) }

// TestLoadStaleStorm is a cache whose source changes. A writer changes a block and then retires its
// range. A reader that comes after that must not see an older version, whether in a value, in an
// error or in a panic. The test lines up invalidations with loads of one block or of several, with
// insertions of loaded ranges, with callers that come late and with callers that leave.
//
// With a makeStale that does nothing, or a Retire that does not invalidate if it finds no range,
// each run fails. With a window that is not narrowed on the right about half of the runs fail.
func TestLoadStaleStorm(t *testing.T) {
	episodes := 24
	if testing.Short() {
		episodes = 6
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for e := range episodes {
		runtime.GOMAXPROCS([]int{1, 2, 4, 8}[e%4])
		staleEpisode(t, seed+uint64(e), e%3 == 0)
		if t.Failed() {
			return
		}
	}
}

func staleEpisode(t *testing.T, seed uint64, hint bool) {
	const group, groups, width, workers, steps = 4, 3, 4, 8, 2000
	const blocks = group * groups
	var source, settled [blocks]atomic.Int64 // settled is the oldest versions that readers may see
	var made, retired, gaveUp atomic.Int64
	var wg sync.WaitGroup
	o := &rangelock.Options[int, *edition]{OnRetire: func(_ rangelock.Range[int], e *edition) {
		if e.retired.Add(1) != 1 {
			t.Errorf("%v retired twice", e)
		}
		retired.Add(1)
	}}
	if hint {
		o.LoadRange = func(key int) rangelock.Range[int] { return rg(key/width*width, key/width*width+width) }
	}
	m := rangelock.New(o)
	read := func(first, end int) (rangelock.Range[int], *edition) {
		e := &edition{first: first}
		for i := first; i < end; i++ {
			e.versions = append(e.versions, source[i].Load())
			runtime.Gosched()
		}
		return rg(first*width, end*width), e
	}
	load := func(ctx context.Context, key int) (rangelock.Range[int], *edition, error) {
		first := key / width
		end := first + 1
		if !hint {
			at := first / group * group
			first -= rand.IntN(first - at + 1)
			end += rand.IntN(at + group - end + 1)
		}
		r, e := read(first, end)
		for range rand.IntN(12) {
			runtime.Gosched()
		}
		switch rand.IntN(12) {
		case 0:
			return r, nil, e
		case 1:
			panic(e)
		case 2:
			if ctx.Err() != nil {
				return r, nil, ctx.Err()
			}
		}
		made.Add(1)
		return r, e, nil
	}
	acquire := func(ctx context.Context, key int) (g rangelock.Guard[int, *edition], err error) {
		defer func() {
			if x := recover(); x != nil {
				var e *edition
				if err, _ = x.(error); !errors.As(err, &e) {
					t.Errorf("panic %v", x)
				}
			}
		}()
		return m.AcquireOrLoad(ctx, key, load)
	}
	change := func(rng *rand.Rand) {
		first := rng.IntN(blocks)
		whole := first / group * group
		var seen [blocks]int64
		bump := func(first, end int) {
			for i := first; i < end; i++ {
				seen[i] = source[i].Add(1)
			}
		}
		var err error
		switch r := rg(first*width, first*width+width); rng.IntN(24) {
		case 0:
			bump(0, blocks)
			_, err = m.Remove(bg, rangelock.From(0))
		case 1:
			bump(0, blocks)
			w := m.Lock()
			_, err = w.Clear()
			w.Unlock()
		case 2:
			bump(whole, whole+group)
			w := m.Lock()
			r, e := read(whole, whole+group) // inside the transaction, so no other writer invalidates it meanwhile
			made.Add(1)
			err = w.Swap(r, e)
			w.Unlock()
		default:
			bump(first, first+1)
			if _, err = m.Retire(bg, r); errors.Is(err, rangelock.ErrPartial) {
				_, err = m.Retire(bg, rg(whole*width, (whole+group)*width))
			}
		}
		if err != nil {
			t.Error(err)
		}
		for i, v := range seen {
			for old := settled[i].Load(); old < v && !settled[i].CompareAndSwap(old, v); old = settled[i].Load() {
			}
		}
	}
	for i := range workers {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		wg.Go(func() {
			for range steps {
				if i < 3 {
					change(rng)
					continue
				}
				key := rng.IntN(blocks * width)
				ctx, cancel := context.WithCancel(bg)
				if rng.IntN(6) == 0 {
					go cancel()
				}
				least := settled[key/width].Load()
				g, err := acquire(ctx, key)
				cancel()
				var e *edition
				switch {
				case err == nil:
					e = g.Value()
				case errors.As(err, &e):
				case errors.Is(err, rangelock.ErrStale):
					gaveUp.Add(1)
					continue
				case errors.Is(err, context.Canceled), errors.Is(err, rangelock.ErrOverlap):
					continue
				default:
					t.Errorf("key %d: %v", key, err)
					continue
				}
				if e.retired.Load() != 0 {
					t.Errorf("key %d: %v is retired", key, e)
				}
				if v := e.versions[key/width-e.first]; v < least {
					t.Errorf("key %d: version %d, but %d was invalidated before the call (error %v)", key, v, least, err)
				}
				if err == nil {
					g.Release()
				}
			}
		})
	}
	wg.Wait()
	ctx, cancel := context.WithTimeout(bg, lastResort)
	defer cancel()
	if err := m.Close(ctx); err != nil {
		t.Fatalf("Close: %v; a count is left behind", err)
	}
	if made.Load() != retired.Load() {
		t.Errorf("%d values made, %d retired", made.Load(), retired.Load())
	}
	t.Logf("%d values, %d calls gave up", made.Load(), gaveUp.Load())
}
