// A debug build records where each pin was taken, and allocates.

//go:build !spanlockdebug

package rangelock_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/rangelock"
)

// needsSizes skips a test that measures memory in a build whose nodes, free lists and pools differ
// from those that are shipped: the race detector makes sync.Pool drop objects, and checking builds
// have leaves of four ranges.
func needsSizes(t *testing.T) {
	t.Helper()
	if invariants.Enabled {
		t.Skip("a checking build has other sizes and allocates in its checks")
	}
}

// wantNoAllocs fails the test if f allocates at least once in 100 calls. First it calls f often
// enough to fill the free lists. It counts 100 calls together, because AllocsPerRun would round one
// allocation in two calls down to none. Fewer allocations than that may have another cause: the
// timer behind the writes allocates a hundred times a second.
func wantNoAllocs(t *testing.T, what string, f func()) {
	t.Helper()
	for range 2000 {
		f()
	}
	n := testing.AllocsPerRun(20, func() {
		for range 100 {
			f()
		}
	})
	if n != 0 {
		t.Errorf("%s: %v allocations in 100 calls", what, n)
	}
}

// TestAllocs checks that no read that does not wait allocates, and no write in the steady state. It
// does so for keys without pointers, with pointers, and with a compare function, and for values
// with pointers and without.
func TestAllocs(t *testing.T) {
	needsSizes(t)
	allocsOf(t, "int", rangelock.New[int, *int], new(int), func(n uint64) int { return int(n) })
	allocsOf(t, "string", rangelock.New[string, int], 7, func(n uint64) string { return fmt.Sprintf("%08d", n) })
	allocsOf(t, "bytes", func(o *rangelock.Options[[]byte, int]) *rangelock.Map[[]byte, int] {
		return rangelock.NewFunc(bytes.Compare, o)
	}, 7, func(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) })
}

func allocsOf[K, V any](t *testing.T, kind string, make func(*rangelock.Options[K, V]) *rangelock.Map[K, V], v V, key func(uint64) K) {
	retired := 0
	for name, o := range map[string]*rangelock.Options[K, V]{
		"plain":    nil,
		"OnRetire": {OnRetire: func(rangelock.Range[K], V) { retired++ }, MaxPending: 1 << 20},
	} {
		t.Run(kind+"/"+name, func(t *testing.T) {
			m := make(o)
			const n = 1000
			var ranges [n]rangelock.Range[K]
			var in, out [n]K
			for i := range ranges {
				lo := uint64(i) * 10
				ranges[i] = rangelock.Span(key(lo), key(lo+8))
				in[i], out[i] = key(lo+3), key(lo+9)
				if err := m.Insert(t.Context(), ranges[i], v); err != nil {
					t.Fatal(err)
				}
			}
			allocsOfReads(t, m, in[:], out[:])
			allocsOfWrites(t, m, ranges[:], in[:], v)
			if err := m.Verify(); err != nil {
				t.Error(err)
			}
		})
	}
}

func allocsOfReads[K, V any](t *testing.T, m *rangelock.Map[K, V], in, out []K) {
	i := 0
	next := func() int { i = (i + 7) % len(in); return i }
	want := func(ok bool) {
		if !ok {
			t.Fatal("not what was asked for")
		}
	}
	wantNoAllocs(t, "Acquire", func() {
		g, ok := m.Acquire(in[next()])
		want(ok)
		_, _ = g.Value(), g.Range()
		g.Release()
	})
	wantNoAllocs(t, "Acquire, a miss", func() { _, ok := m.Acquire(out[next()]); want(!ok) })
	wantNoAllocs(t, "AcquireContext", func() {
		g, err := m.AcquireContext(context.Background(), in[next()])
		want(err == nil)
		g.Release()
	})
	load := func(context.Context, K) (r rangelock.Range[K], v V, err error) { return r, v, rangelock.ErrNotFound }
	wantNoAllocs(t, "AcquireOrLoad, a hit", func() {
		g, err := m.AcquireOrLoad(context.Background(), in[next()], load)
		want(err == nil)
		g.Release()
	})
	wantNoAllocs(t, "AcquireContext, a miss", func() {
		_, err := m.AcquireContext(context.Background(), out[next()])
		want(err == rangelock.ErrNotFound)
	})
	wantNoAllocs(t, "TryAcquire", func() {
		g, err := m.TryAcquire(in[next()])
		want(err == nil)
		g.Release()
	})
	wantNoAllocs(t, "TryAcquire, a miss", func() {
		_, err := m.TryAcquire(out[next()])
		want(err == rangelock.ErrNotFound)
	})
	wantNoAllocs(t, "Get", func() { _, ok := m.Get(in[next()]); want(ok) })
	wantNoAllocs(t, "Get, a miss", func() { _, ok := m.Get(out[next()]); want(!ok) })
	wantNoAllocs(t, "View", func() { want(m.View(in[next()], func(rangelock.Range[K], V) {})) })
	wantNoAllocs(t, "Reader", func() {
		r := m.RLock()
		_, _, ok := r.Find(in[next()])
		want(ok)
		g, ok := r.Acquire(in[i])
		want(ok)
		r.Unlock()
		g.Release()
	})
	allocsOfWalks(t, m, in)
	w := m.Lock()
	if err := w.Exclude(rangelock.Span(in[3], in[4])); err != nil {
		t.Fatal(err)
	}
	wantNoAllocs(t, "TryAcquire, busy", func() { _, err := m.TryAcquire(in[3]); want(err == rangelock.ErrBusy) })
	wantNoAllocs(t, "TryAcquire beside a writer", func() {
		g, err := m.TryAcquire(in[9])
		want(err == nil)
		g.Release()
	})
	w.Unlock()
}

func allocsOfWalks[K, V any](t *testing.T, m *rangelock.Map[K, V], in []K) {
	n := 0
	wantNoAllocs(t, "All", func() {
		for range m.All() {
			n++
		}
	})
	wantNoAllocs(t, "Reader.Overlapping", func() {
		r := m.RLock()
		for range r.Overlapping(rangelock.From(in[0])) {
			n++
		}
		r.Unlock()
	})
	wantNoAllocs(t, "Writer.Overlapping", func() {
		w := m.Lock()
		for range w.Overlapping(rangelock.Span(in[3], in[90])) {
			n++
		}
		w.Unlock()
	})
	if n == 0 {
		t.Error("no walk has yielded anything")
	}
}

func allocsOfWrites[K, V any](t *testing.T, m *rangelock.Map[K, V], ranges []rangelock.Range[K], in []K, v V) {
	i := 0
	next := func() int { i = (i + 7) % len(in); return i }
	// Let the callbacks of retired ranges run, as they would beside real work: the measurement
	// has only one processor.
	settled := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
		runtime.Gosched()
	}
	takes := map[string]func(w rangelock.Writer[K, V], r rangelock.Range[K]) (int, error){
		"Remove": rangelock.Writer[K, V].Remove,
		"Retire": rangelock.Writer[K, V].Retire,
		"Extract": func(w rangelock.Writer[K, V], r rangelock.Range[K]) (int, error) {
			_, _, err := w.Extract(r.Lo)
			return 1, err
		},
	}
	for name, take := range takes {
		wantNoAllocs(t, name+" one, Insert one", func() {
			w := m.Lock()
			n, err := take(w, ranges[next()])
			if n != 1 || err != nil {
				t.Fatal(n, err)
			}
			w.Unlock()
			w = m.Lock()
			err = w.Insert(ranges[i], v)
			w.Unlock()
			settled(err)
		})
	}
	wantNoAllocs(t, "Swap", func() {
		w := m.Lock()
		err := w.Swap(ranges[next()], v)
		w.Unlock()
		settled(err)
	})
	wantNoAllocs(t, "Update", func() {
		w := m.Lock()
		err := w.Update(in[next()], v)
		w.Unlock()
		settled(err)
	})
	wantNoAllocs(t, "Exclude", func() {
		w := m.Lock()
		err := w.Exclude(ranges[next()])
		w.Unlock()
		settled(err)
	})
	wantNoAllocs(t, "TryLock, TryExclude, Downgrade", func() {
		w, ok := m.TryLock()
		if !ok || !w.TryExclude(ranges[next()]) {
			t.Fatal("busy")
		}
		w.Downgrade().Unlock()
	})
	wantNoAllocs(t, "one-operation forms", func() {
		n, err := m.Retire(context.Background(), ranges[next()])
		if n != 1 || err != nil {
			t.Fatal(n, err)
		}
		settled(m.Insert(context.Background(), ranges[i], v))
		settled(m.Swap(context.Background(), ranges[i], v))
	})
	wantNoAllocs(t, "Retire of a guarded range", func() {
		g, ok := m.Acquire(in[next()])
		if !ok {
			t.Fatal("a miss")
		}
		settled(m.Swap(context.Background(), ranges[i], v))
		g.Release()
		settled(nil)
	})
}

// TestFreeLists checks that a map keeps a bounded amount of cleared memory, however many ranges
// have left it. Without the bounds in cleanLocked and recycle it fails.
func TestFreeLists(t *testing.T) {
	for name, o := range map[string]*rangelock.Options[uint64, int]{
		"plain":    nil,
		"OnRetire": {OnRetire: func(rangelock.Range[uint64], int) {}},
	} {
		t.Run(name, func(t *testing.T) {
			m := rangelock.New(o)
			n := uint64(byBuild(100_000, 8_000))
			for range 3 {
				w := m.Lock()
				for k := range n {
					if err := w.Insert(rangelock.Span(k, k+1), 1); err != nil {
						t.Fatal(err)
					}
				}
				w.Unlock()
				w = m.Lock()
				if got, err := w.Clear(); got != int(n) || err != nil {
					t.Fatalf("Clear: %d, %v", got, err)
				}
				w.Unlock()
				if err := m.Drain(t.Context()); err != nil {
					t.Fatal(err)
				}
				headers, limbo := m.FreeList()
				if headers > 2*rangelock.FreeListBound() || limbo > 0 {
					t.Errorf("%d headers kept, %d in limbo", headers, limbo)
				}
			}
		})
	}
}

// TestBytesPerRange checks that a range in a large map costs at most 128 bytes, for integer keys and
// a value of one word, in whatever order the map was filled.
func TestBytesPerRange(t *testing.T) {
	needsSizes(t)
	const n = 100_000
	for _, fill := range []string{"in order", "at random"} {
		t.Run(fill, func(t *testing.T) {
			order := make([]int, n)
			for i := range order {
				order[i] = i
			}
			if fill == "at random" {
				order = rand.Perm(n)
			}
			before := heapInUse()
			m := rangelock.New[uint64, int](nil)
			for _, k := range order {
				lo := uint64(k) * 16
				if err := m.Insert(context.Background(), rangelock.Span(lo, lo+10), k); err != nil {
					t.Fatal(err)
				}
			}
			if err := m.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			bytes := float64(heapInUse()-before) / n
			t.Logf("%.1f bytes a range", bytes)
			if bytes > 128 {
				t.Errorf("%.1f bytes a range, want at most 128", bytes)
			}
			runtime.KeepAlive(m)
			runtime.KeepAlive(order)
		})
	}
}

// heapInUse returns how many bytes the live objects take.
func heapInUse() int64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

// TestExclusiveAllocs checks that exclusive guards that need no wait, and announced ranges, do not
// allocate.
func TestExclusiveAllocs(t *testing.T) {
	needsSizes(t)
	for _, marked := range []bool{false, true} {
		m := rangelock.New[int, int](nil)
		must(t, m.Insert(bg, rg(0, 10), 1))
		if marked && !m.Announcing(5) {
			t.Fatal("the readers of the range do not announce themselves")
		}
		wantNoAllocs(t, fmt.Sprintf("AcquireExclusive, announced %t", marked), func() {
			g, _ := m.AcquireExclusive(5)
			g.Release()
			g, _ = m.TryAcquireExclusive(5)
			g.Release()
			g, _ = m.AcquireExclusiveContext(bg, 5)
			m.TryAcquireExclusive(5)
			m.TryAcquire(5)
			g.Release()
		})
		wantNoAllocs(t, fmt.Sprintf("Acquire, announced %t", marked), func() {
			g, _ := m.Acquire(5)
			g.Release()
		})
	}
}
