package rangelock_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"weak"

	"github.com/spanlock/spanlock/rangelock"
)

// collectedAtOnce runs the garbage collector twice, and reports whether all of the pointers are nil.
func collectedAtOnce[T any](ps []weak.Pointer[T]) bool {
	runtime.GC()
	runtime.GC()
	for _, p := range ps {
		if p.Value() != nil {
			return false
		}
	}
	return true
}

// departures are the ways in which the 20 ranges [10k, 10k+5) can leave a map.
var departures = map[string]func(t *testing.T, m *rangelock.Map[int, *block]){
	"Remove": func(t *testing.T, m *rangelock.Map[int, *block]) {
		if n, err := m.Remove(t.Context(), rangelock.From(0)); n != 20 || err != nil {
			t.Fatal(n, err)
		}
	},
	"Remove one by one": func(t *testing.T, m *rangelock.Map[int, *block]) {
		for k := range 20 {
			if n, err := m.Remove(t.Context(), rangelock.Span(10*k, 10*k+5)); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
	},
	"Retire": func(t *testing.T, m *rangelock.Map[int, *block]) {
		w := m.Lock()
		for k := range 20 {
			if n, err := w.Retire(rangelock.Span(10*k, 10*k+5)); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		w.Unlock()
	},
	"Swap": func(t *testing.T, m *rangelock.Map[int, *block]) {
		w := m.Lock()
		for k := range 10 {
			if err := w.Swap(rangelock.Span(10*k, 10*k+5), nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Swap(rangelock.From(100), nil); err != nil {
			t.Fatal(err)
		}
		w.Unlock()
	},
	"Update": func(t *testing.T, m *rangelock.Map[int, *block]) {
		w := m.Lock()
		for k := range 20 {
			if err := w.Update(10*k+3, nil); err != nil {
				t.Fatal(err)
			}
		}
		w.Downgrade().Unlock()
	},
	"Clear": func(t *testing.T, m *rangelock.Map[int, *block]) {
		w := m.Lock()
		if n, err := w.Clear(); n != 20 || err != nil {
			t.Fatal(n, err)
		}
		w.Unlock()
	},
	"guarded": func(t *testing.T, m *rangelock.Map[int, *block]) {
		var gs [20]rangelock.Guard[int, *block]
		for k := range gs {
			gs[k], _ = m.Acquire(10 * k)
		}
		if n, err := m.Retire(t.Context(), rangelock.From(0)); n != 20 || err != nil {
			t.Fatal(n, err)
		}
		for k := range gs {
			gs[k].Release()
		}
	},
	"Close": func(t *testing.T, m *rangelock.Map[int, *block]) {
		if err := m.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	},
}

// fillBlocks inserts 20 ranges and returns weak pointers to their values.
//
//go:noinline
func fillBlocks(t *testing.T, m *rangelock.Map[int, *block]) (ps []weak.Pointer[block]) {
	for k := range 20 {
		v := &block{n: k}
		ps = append(ps, weak.Make(v))
		if err := m.Insert(t.Context(), rangelock.Span(10*k, 10*k+5), v); err != nil {
			t.Fatal(err)
		}
	}
	return ps
}

func leakOptions(callback bool) (*rangelock.Options[int, *block], *atomic.Int32) {
	var retired atomic.Int32
	o := &rangelock.Options[int, *block]{}
	if callback {
		o.OnRetire = func(rangelock.Range[int], *block) { retired.Add(1) }
	}
	return o, &retired
}

// TestLeakValues: a map does not keep values that have left it. After Drain they can be collected
// at once. Without Drain, and without further writes, they can be collected a little later.
//
// It fails if clearHeader does not clear the value. Its second half fails without the timer in
// seal.
func TestLeakValues(t *testing.T) {
	for way, leave := range departures {
		for _, callback := range []bool{false, true} {
			name := way + "/plain"
			if callback {
				name = way + "/OnRetire"
			}
			t.Run(name, func(t *testing.T) {
				o, retired := leakOptions(callback)
				m := rangelock.New(o)
				ps := fillBlocks(t, m)
				leave(t, m)
				if err := m.Drain(t.Context()); err != nil {
					t.Fatal(err)
				}
				if !collectedAtOnce(ps) {
					t.Error("the map keeps a value after Drain")
				}
				if callback && retired.Load() < 20 {
					t.Errorf("%d retired of 20", retired.Load())
				}

				m = rangelock.New(o)
				ps = fillBlocks(t, m)
				leave(t, m)
				if !collected(ps) {
					t.Error("the map keeps a value for good")
				}
				runtime.KeepAlive(m)
			})
		}
	}
	wantNoGoroutines(t)
}

// TestLeakKeys: an empty map keeps no key, neither in headers nor as a separator. (A map that is
// not empty may keep some as separators; the documentation of NewFunc says so.)
func TestLeakKeys(t *testing.T) {
	ways := map[string]func(t *testing.T, m *rangelock.Map[[]byte, int]){
		"Clear": func(t *testing.T, m *rangelock.Map[[]byte, int]) {
			w := m.Lock()
			w.Clear()
			w.Unlock()
		},
		"Remove": func(t *testing.T, m *rangelock.Map[[]byte, int]) { m.Remove(t.Context(), rangelock.From([]byte{})) },
		"forwards": func(t *testing.T, m *rangelock.Map[[]byte, int]) {
			for r := range m.All() {
				m.Retire(t.Context(), r)
			}
		},
		"backwards": func(t *testing.T, m *rangelock.Map[[]byte, int]) {
			for m.Len() > 0 {
				var last rangelock.Range[[]byte]
				for last = range m.All() {
				}
				m.Remove(t.Context(), last)
			}
		},
		"Swap, then Remove": func(t *testing.T, m *rangelock.Map[[]byte, int]) {
			m.Swap(t.Context(), rangelock.From([]byte{}), 1)
			m.Remove(t.Context(), rangelock.From([]byte{}))
		},
		"Close": func(t *testing.T, m *rangelock.Map[[]byte, int]) { m.Close(t.Context()) },
	}
	for name, leave := range ways {
		t.Run(name, func(t *testing.T) {
			m := rangelock.NewFunc[[]byte, int](bytes.Compare, nil)
			ps := fillKeys(t, m, 100)
			leave(t, m)
			if n := m.Len(); n != 0 {
				t.Fatalf("%d ranges are left", n)
			}
			if err := m.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !collectedAtOnce(ps) {
				t.Error("the empty map keeps a key")
			}
			runtime.KeepAlive(m)
		})
	}
}

// TestLeakReplacedKeys: keys of ranges that have left are kept by no header and no leaf, also while
// other ranges stay. The ranges here fit into one leaf, so there is no separator. It fails if Swap
// does not check plainKeys.
func TestLeakReplacedKeys(t *testing.T) {
	m := rangelock.NewFunc[[]byte, int](bytes.Compare, nil)
	ps := fillKeys(t, m, 3)
	for k := range byte(3) {
		r := rangelock.Span([]byte{0, k, 0}, []byte{0, k, 5})
		if err := m.Swap(t.Context(), r, 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !collectedAtOnce(ps) {
		t.Error("a key of a swapped range is kept")
	}
	runtime.KeepAlive(m)
}

// fillKeys inserts n ranges and returns weak pointers to their keys' memory.
//
//go:noinline
func fillKeys(t *testing.T, m *rangelock.Map[[]byte, int], n int) (ps []weak.Pointer[block]) {
	for k := range n {
		lo, hi := new(block), new(block)
		copy(lo.room[:], []byte{0, byte(k), 0})
		copy(hi.room[:], []byte{0, byte(k), 5})
		ps = append(ps, weak.Make(lo), weak.Make(hi))
		if err := m.Insert(t.Context(), rangelock.Span(lo.room[:3], hi.room[:3]), 1); err != nil {
			t.Fatal(err)
		}
	}
	return ps
}

// TestLeakContexts: a map does not keep the context of a transaction that has ended, or that of a
// wait.
func TestLeakContexts(t *testing.T) {
	m := rangelock.New[int, *block](nil)
	fillBlocks(t, m)
	if !collectedAtOnce(useContexts(t, m)) {
		t.Error("the map keeps a context")
	}
	runtime.KeepAlive(m)
}

//go:noinline
func useContexts(t *testing.T, m *rangelock.Map[int, *block]) (ps []weak.Pointer[block]) {
	fresh := func() (context.Context, context.CancelFunc) {
		v := new(block)
		ps = append(ps, weak.Make(v))
		return context.WithCancel(context.WithValue(context.Background(), leakKey{}, v))
	}
	ctx, cancel := fresh()
	w, err := m.LockContext(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Exclude(rangelock.From(0)); err != nil {
		t.Fatal(err)
	}
	cancel()
	r := w.Downgrade()

	// Waits that their contexts end.
	ctx, cancel = fresh()
	done := inBackground(func() error { _, err := m.LockContext(ctx); return err })
	cancel()
	<-done
	r.Unlock()

	g, _ := m.Acquire(0)
	ctx, cancel = fresh()
	done = inBackground(func() error { _, err := m.Remove(ctx, rangelock.Span(0, 5)); return err })
	comesTrue(func() bool { return m.Excluded(0) })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Remove: %v", err)
	}
	g.Release()

	ctx, cancel = fresh()
	w = m.Lock()
	w.Exclude(rangelock.From(0))
	done = inBackground(func() error { _, err := m.AcquireContext(ctx, 0); return err })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("AcquireContext: %v", err)
	}
	w.Unlock()

	ctx, cancel = fresh()
	m.Drain(ctx)
	cancel()
	return ps
}

type leakKey struct{}

// inBackground runs f on a goroutine and returns the channel that gets its error.
func inBackground(f func() error) <-chan error {
	c := make(chan error, 1)
	go func() { c <- f() }()
	return c
}

// TestLeakMaps: a map that is dropped without Close is collected, with everything in it. Its domain,
// timers, pooled Readers and goroutines do not keep it. OnRetire is not called for the ranges that
// were in it.
func TestLeakMaps(t *testing.T) {
	for name, use := range map[string]func(t *testing.T, m *rangelock.Map[int, *block]){
		"filled": func(t *testing.T, m *rangelock.Map[int, *block]) {},
		"read": func(t *testing.T, m *rangelock.Map[int, *block]) {
			for k := range 200 {
				if g, ok := m.Acquire(k); ok {
					g.Release()
				}
				m.Get(k)
			}
		},
		"read together": func(t *testing.T, m *rangelock.Map[int, *block]) {
			r1, r2 := m.RLock(), m.RLock()
			r1.Find(0)
			r1.Unlock()
			r2.Unlock()
		},
		"written": func(t *testing.T, m *rangelock.Map[int, *block]) {
			w := m.Lock()
			w.Retire(rangelock.Span(0, 50))
			w.Exclude(rangelock.From(0))
			w.Downgrade().Unlock()
		},
		"guard forgotten": func(t *testing.T, m *rangelock.Map[int, *block]) { m.Acquire(100) },
	} {
		t.Run(name, func(t *testing.T) {
			o, retired := leakOptions(true)
			values, maps := dropped(t, o, use)
			if !collected(maps) || !collected(values) {
				t.Error("a dropped map, or a value in it, is kept")
			}
			if n := retired.Load(); n != 0 && n != 5 {
				t.Errorf("%d retired", n)
			}
		})
	}
	wantNoGoroutines(t)
}

//go:noinline
func dropped(t *testing.T, o *rangelock.Options[int, *block], use func(t *testing.T, m *rangelock.Map[int, *block])) (
	values []weak.Pointer[block], maps []weak.Pointer[rangelock.Map[int, *block]]) {
	m := rangelock.New(o)
	values = fillBlocks(t, m)
	use(t, m)
	return values, append(maps, weak.Make(m))
}

// TestLeakReaders: the pool of tickets of Readers keeps no map, also while another map uses it.
func TestLeakReaders(t *testing.T) {
	other := rangelock.New[int, *block](nil)
	o, _ := leakOptions(false)
	_, maps := dropped(t, o, func(t *testing.T, m *rangelock.Map[int, *block]) { m.RLock().Unlock() })
	r := other.RLock() // perhaps with the same ticket
	defer r.Unlock()
	if !collected(maps) {
		t.Error("a Reader of the past keeps its map")
	}
}
