package rangelock_test

import (
	"bytes"
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// The tests in this file access plain variables without other synchronization. The accesses do not
// race if the map keeps what it promises in terms of the Go memory model: run the tests with -race.
// Nothing orders the accesses except what the test is about. If a goroutine has to wait for another
// it does so before the first access. Without the race detector the tests check only the values.

const happens = 300

// bothWays runs f with OnRetire and without, because these remove a range in different ways.
func bothWays(t *testing.T, f func(t *testing.T, o *rangelock.Options[int, *int])) {
	t.Run("plain", func(t *testing.T) { f(t, nil) })
	t.Run("OnRetire", func(t *testing.T) {
		f(t, &rangelock.Options[int, *int]{OnRetire: func(_ rangelock.Range[int], p *int) { *p = -1 }})
	})
}

// TestHappensPublish: what a writer does before Unlock or Downgrade happens before the return of
// each read that shows its effect: a new range, a range with a new value, or a range that was
// excluded and changed in place.
//
// If a header is not born excluded, 2 of 10 runs fail, and 5 of 10 with the race detector.
func TestHappensPublish(t *testing.T) {
	reads := map[string]func(m *rangelock.Map[int, *int], look func(p *int)) bool{
		"Acquire": func(m *rangelock.Map[int, *int], look func(p *int)) bool {
			g, ok := m.Acquire(5)
			if ok {
				look(g.Value())
				g.Release()
			}
			return ok
		},
		"AcquireContext": func(m *rangelock.Map[int, *int], look func(p *int)) bool {
			g, err := m.AcquireContext(context.Background(), 5)
			if err == nil {
				look(g.Value())
				g.Release()
			}
			return err == nil
		},
		"TryAcquire": func(m *rangelock.Map[int, *int], look func(p *int)) bool {
			g, err := m.TryAcquire(5)
			if err == nil {
				look(g.Value())
				g.Release()
			}
			return err == nil
		},
		"View": func(m *rangelock.Map[int, *int], look func(p *int)) bool {
			return m.View(5, func(_ rangelock.Range[int], p *int) { look(p) })
		},
		"Get": func(m *rangelock.Map[int, *int], look func(p *int)) bool {
			p, ok := m.Get(5)
			if ok {
				look(p)
			}
			return ok
		},
		"Reader": func(m *rangelock.Map[int, *int], look func(p *int)) bool {
			r := m.RLock()
			defer r.Unlock()
			_, p, ok := r.Find(5)
			if ok {
				look(p)
			}
			return ok
		},
	}
	for name, read := range reads {
		t.Run(name, func(t *testing.T) {
			for i := range happens {
				m := rangelock.New[int, *int](nil)
				seen := 0
				var wg sync.WaitGroup
				wg.Go(func() {
					for !read(m, func(p *int) { seen = *p }) {
						runtime.Gosched()
					}
				})
				v := new(int)
				w := m.Lock()
				w.Insert(rangelock.Span(0, 10), v)
				*v = 7 // after the Insert: the Unlock publishes it
				if i%2 == 0 {
					w.Unlock()
				} else {
					w.Downgrade().Unlock()
				}
				wg.Wait()
				if seen != 7 {
					t.Fatalf("saw %d", seen)
				}
			}
		})
	}
}

// TestHappensExcluded: changes in place under Exclude happen after everything under a guard that
// was held before, and before everything under a guard that is taken later.
func TestHappensExcluded(t *testing.T) {
	m := rangelock.New[int, *int](nil)
	r := rangelock.Span(0, 10)
	m.Insert(t.Context(), r, new(int))
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			last := 0
			for !stop.Load() {
				g, err := m.TryAcquire(5)
				if err != nil {
					g, _ = m.Acquire(5)
				}
				if v := *g.Value(); v < last {
					t.Errorf("saw %d after %d", v, last)
				} else {
					last = v
				}
				g.Release()
				runtime.Gosched()
			}
		})
	}
	for range happens {
		w := m.Lock()
		w.Exclude(r)
		_, p, _ := w.Find(5)
		*p++
		w.Unlock()
		runtime.Gosched()
	}
	stop.Store(true)
	wg.Wait()
}

// TestHappensRelease: what is done under a guard happens before the return of each operation that
// excludes the range, whether the operation parks for the guard or finds it released. If await does
// not wait, or a release does not wake the writer, every run fails.
func TestHappensRelease(t *testing.T) {
	r := rangelock.Span(0, 10)
	for name, take := range map[string]func(w rangelock.Writer[int, *int]){
		"Exclude": func(w rangelock.Writer[int, *int]) { w.Exclude(r) },
		"TryExclude": func(w rangelock.Writer[int, *int]) {
			for !w.TryExclude(r) {
				runtime.Gosched()
			}
		},
		"Remove": func(w rangelock.Writer[int, *int]) { w.Remove(r) },
		"Update": func(w rangelock.Writer[int, *int]) { w.Update(5, new(int)) },
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, o *rangelock.Options[int, *int]) {
				for i := range happens {
					m := rangelock.New(o)
					m.Insert(t.Context(), r, new(int))
					var n [2]int
					var holding, done sync.WaitGroup
					holding.Add(len(n))
					for j := range n {
						done.Go(func() {
							g, _ := m.Acquire(5)
							holding.Done()
							if i%2 == 0 {
								runtime.Gosched()
							}
							n[j] = 7
							g.Release()
						})
					}
					holding.Wait()
					w := m.Lock()
					take(w)
					if n != [2]int{7, 7} {
						t.Fatalf("saw %v", n)
					}
					w.Unlock()
					done.Wait()
				}
			})
		})
	}
}

// TestHappensRetire: what any goroutine does under a guard happens before the call of OnRetire, for
// ranges that were removed while the guard was held. All that OnRetire does happens before the
// return of Drain and of Close.
func TestHappensRetire(t *testing.T) {
	r := rangelock.Span(0, 10)
	for name, take := range map[string]func(w rangelock.Writer[int, *[4]int]){
		"Retire": func(w rangelock.Writer[int, *[4]int]) { w.Retire(r) },
		"Swap":   func(w rangelock.Writer[int, *[4]int]) { w.Swap(r, new([4]int)) },
		"Clear":  func(w rangelock.Writer[int, *[4]int]) { w.Clear() },
	} {
		t.Run(name, func(t *testing.T) {
			for i := range happens {
				sum := 0
				m := rangelock.New(&rangelock.Options[int, *[4]int]{
					OnRetire: func(_ rangelock.Range[int], p *[4]int) { sum += p[0] + p[1] + p[2] },
				})
				m.Insert(t.Context(), r, new([4]int))
				var holding, done sync.WaitGroup
				holding.Add(2)
				for j := range 2 {
					done.Go(func() {
						g, _ := m.Acquire(5)
						holding.Done()
						g.Value()[j] = 1
						if j == 0 { // another goroutine releases
							done.Go(func() {
								g.Value()[2] = 1
								g.Release()
							})
							return
						}
						g.Release()
					})
				}
				holding.Wait()
				w := m.Lock()
				take(w)
				w.Unlock()
				var err error
				if i%2 == 0 {
					err = m.Drain(t.Context())
				} else {
					err = m.Close(t.Context())
				}
				if err != nil || sum != 3 {
					t.Fatalf("%v, OnRetire saw %d of 3 writes", err, sum)
				}
				done.Wait()
			}
		})
	}
}

// TestHappensTransactions: a transaction happens after the one before it, and after every Reader
// that ended before it began.
func TestHappensTransactions(t *testing.T) {
	m := rangelock.New[int, int](nil)
	n := 0
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range happens {
				switch {
				case i < 2:
					w := m.Lock()
					n++
					w.Unlock()
				case i == 2:
					w, err := m.LockContext(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					n++
					r := w.Downgrade()
					_ = n
					r.Unlock()
				default:
					r, err := m.RLockContext(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					_ = n
					r.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if n != 3*happens {
		t.Errorf("%d of %d increments", n, 3*happens)
	}
}

// TestHappensRecycle makes readers meet headers and nodes that are cleared and used again. The race
// detector watches the map's own plain fields. The keys are slices, so a node that is cleared too
// early shows as a nil key, too.
//
// Without the grace period of headers every run fails. Without that of nodes 2 of 10 runs fail, and
// every run with the race detector.
func TestHappensRecycle(t *testing.T) {
	const keys = 60
	steps := byBuild(20000, 3000)
	bothWays(t, func(t *testing.T, o *rangelock.Options[int, *int]) {
		// The value of a range is an index into values: the number of the step that inserted it.
		// No step has number 0, because a cleared value is 0.
		values := make([]int, steps+1)
		values[0] = -1
		bo := &rangelock.Options[[]byte, int]{}
		if o != nil {
			bo.OnRetire = func(_ rangelock.Range[[]byte], at int) { values[at] = -1 }
		}
		m := rangelock.NewFunc(bytes.Compare, bo)
		var stop atomic.Bool
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() {
				for n := i; !stop.Load(); n++ {
					key := []byte{byte(n * 7 % keys), 1}
					switch n % 4 {
					case 0:
						if g, ok := m.Acquire(key); ok {
							if v := values[g.Value()]; v != int(key[0]) {
								t.Errorf("key %v has value %d", key, v)
							}
							g.Release()
						}
					case 1:
						m.Get(key)
					case 2:
						if g, err := m.TryAcquire(key); err == nil {
							if r := g.Range(); bytes.Compare(r.Lo, key) > 0 || bytes.Compare(r.Hi, key) <= 0 {
								t.Errorf("key %v in range %v", key, r)
							}
							g.Release()
						}
					case 3:
						for r := range m.All() {
							if len(r.Lo) != 1 || len(r.Hi) != 1 {
								t.Errorf("All yields %v", r)
							}
						}
					}
					if n%16 == 0 {
						runtime.Gosched()
					}
				}
			})
		}
		for n := range steps {
			k := n * 11 % keys
			r := rangelock.Span([]byte{byte(k)}, []byte{byte(k + 1)})
			v := n + 1
			values[v] = k
			w := m.Lock()
			switch n % 5 {
			case 0, 1, 2:
				w.Swap(r, v)
			case 3:
				w.Retire(r)
			case 4:
				w.Remove(r)
			}
			w.Unlock()
		}
		stop.Store(true)
		wg.Wait()
		if err := m.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestHappensLoad: what load does happens before the return of each call that gets a guard on the
// loaded range, from the caller that began the load or one that joined it. That happens before
// OnRetire, even for a range that a writer retires immediately.
func TestHappensLoad(t *testing.T) {
	r := rangelock.Span(0, 10)
	for range happens {
		m := rangelock.New(&rangelock.Options[int, *[4]int]{
			OnRetire: func(_ rangelock.Range[int], p *[4]int) { *p = [4]int{-1, -1, -1, -1} },
		})
		var done sync.WaitGroup
		for i := range 4 {
			done.Go(func() {
				g, err := m.AcquireOrLoad(t.Context(), i, func(context.Context, int) (rangelock.Range[int], *[4]int, error) {
					done.Go(func() { m.Retire(t.Context(), r) })
					return r, &[4]int{1, 1, 1, 1}, nil
				})
				if err != nil {
					t.Error(err)
					return
				}
				if g.Value()[i]++; g.Value()[i] != 2 {
					t.Errorf("sees %d", g.Value()[i])
				}
				g.Release()
			})
		}
		done.Wait()
		if err := m.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
