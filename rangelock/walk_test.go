package rangelock_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// TestWalkSeesNoFalseGap walks over ranges whose boundaries a writer changes all the time, as
// Linux's proc-maps-race test does. The writer splits and merges, moves the boundary between two
// neighbours, replaces several ranges by one and one by several. All keys from 0 to 1000 are
// covered before and after each transaction, so a walk that sees a gap there has seen half of a
// transaction. Trusting a search that has found nothing, without the publication sequence, makes
// this fail in every run.
func TestWalkSeesNoFalseGap(t *testing.T) {
	for _, procs := range []int{1, 2, 4, 8} {
		t.Run(fmt.Sprint("procs=", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			walkEpisode(t)
		})
	}
}

func walkEpisode(t *testing.T) {
	const end = 1000
	m := rangelock.New(&rangelock.Options[int, int]{
		MergeValue: func(_, _ rangelock.Range[int], l, _ int) (int, bool) { return l, true },
	})
	w := m.Lock()
	for lo := 0; lo < end; lo += 100 {
		if err := w.Insert(rangelock.Span(lo, lo+100), lo); err != nil {
			t.Fatal(err)
		}
	}
	w.Unlock()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			changeBoundaries(t, m, i)
		}
	})
	walks := 0
	for start := time.Now(); time.Since(start) < 150*time.Millisecond && !t.Failed(); walks++ {
		from := walks % 300
		at := from
		for g := range m.Guards(rangelock.Span(from, end)) {
			r := g.Range()
			if r.Lo > at {
				t.Errorf("a gap [%d, %d)", at, r.Lo)
			}
			at = r.Hi
		}
		if at != end {
			t.Errorf("the walk ends at %d", at)
		}
	}
	close(stop)
	wg.Wait()
	if err := m.Verify(); err != nil {
		t.Error(err)
	}
}

// changeBoundaries runs one transaction that leaves all keys covered.
func changeBoundaries(t *testing.T, m *rangelock.Map[int, int], i int) {
	at := 100 + i*37%8*100
	w := m.Lock()
	defer w.Unlock()
	must := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	switch i % 3 {
	case 0: // the boundary moves up and the right range shrinks
		must(w.Resize(at, rangelock.Span(at+50, at+100)))
		must(w.Resize(at-1, rangelock.Span(at-100, at+50)))
		must(w.Resize(at-1, rangelock.Span(at-100, at)))
		must(w.Resize(at+50, rangelock.Span(at, at+100)))
	case 1:
		must(w.Split(at + 30))
		must(w.Merge(at))
		must(w.Split(at))
		must(w.Merge(at + 30))
	case 2: // a hole in between
		_, err := w.Retire(rangelock.Span(at-100, at+100))
		must(err)
		must(w.Insert(rangelock.Span(at, at+100), i))
		must(w.Insert(rangelock.Span(at-100, at), i))
	}
}

// walks are the walks over an int map that yield no guard. Each calls body with the attached
// ranges, and with a transaction that the body may use, or nil if it must begin its own.
var walks = map[string]func(m *intMap, body func(intRange, *intWriter)){
	"All": func(m *intMap, body func(intRange, *intWriter)) {
		for r := range m.All() {
			body(r, nil)
		}
	},
	"Survey": func(m *intMap, body func(intRange, *intWriter)) {
		for r, s := range m.Survey() {
			if !s.Detached {
				body(r, nil)
			}
		}
	},
	"SurveyIn": func(m *intMap, body func(intRange, *intWriter)) {
		for r, s := range m.SurveyIn(rangelock.From(0)) {
			if !s.Detached {
				body(r, nil)
			}
		}
	},
	"Writer.Overlapping": func(m *intMap, body func(intRange, *intWriter)) {
		w := m.Lock()
		defer w.Unlock()
		for r := range w.Overlapping(rangelock.From(-1 << 30)) {
			body(r, &w)
		}
	},
	"Writer.Overlapping with an end": func(m *intMap, body func(intRange, *intWriter)) {
		w := m.Lock()
		defer w.Unlock()
		for r := range w.Overlapping(rg(-1<<30, 1<<30)) {
			body(r, &w)
		}
	},
}

// TestWalksNeverOverlap changes the yielded range, in the body or in another goroutine at that
// time. Nothing is yielded that overlaps that range, and no range that stays is left out. If a walk
// seeks its next leaf by the first range that ends after the last one, and not by the first that
// starts there, each of these fails at the end of each leaf.
//
// It kills 45_walk_back.
func TestWalksNeverOverlap(t *testing.T) {
	for name, change := range map[string]func(w intWriter, r intRange) error{
		"shifted":  func(w intWriter, r intRange) error { return w.Resize(r.Lo, rg(r.Lo+1, r.Hi+1)) },
		"grown":    func(w intWriter, r intRange) error { return w.Resize(r.Lo, rg(r.Lo, r.Hi+5)) },
		"replaced": func(w intWriter, r intRange) error { return w.Swap(rg(r.Lo, r.Hi+5), "x") },
		"reaching back": func(w intWriter, r intRange) error {
			if _, err := w.Remove(r); err != nil {
				return err
			}
			return w.Insert(rg(r.Lo+5, r.Hi+5), "x")
		},
		"split and grown": func(w intWriter, r intRange) error {
			if err := w.Split(r.Lo + 5); err != nil {
				return err
			}
			return w.Resize(r.Lo+5, rg(r.Lo+5, r.Hi+5))
		},
	} {
		for walk, over := range walks {
			for _, n := range []int{1, rangelock.LeafCap, 4*rangelock.LeafCap + 1} {
				t.Run(fmt.Sprintf("%s/%s/n=%d", name, walk, n), func(t *testing.T) {
					m := rangelock.New[int, string](nil)
					for i := range n {
						must(t, m.Insert(bg, rg(20*i, 20*i+10), "old"))
					}
					i, end := 0, -1
					over(m, func(r intRange, w *intWriter) {
						if r.Lo < end {
							t.Fatalf("%v is yielded after a range that ends at %d", r, end)
						}
						if end = r.Hi; r != rg(20*i, 20*i+10) {
							t.Fatalf("%v is yielded instead of range %d", r, i)
						}
						i++
						if w != nil {
							must(t, change(*w, r))
							return
						}
						own := m.Lock()
						defer own.Unlock()
						must(t, change(own, r))
					})
					if i != n {
						t.Errorf("%d of %d ranges are yielded", i, n)
					}
					usable(t, m)
				})
			}
		}
	}
}

// TestWalksBeside walks while writers shift, replace and swap ranges. The ranges that are yielded
// must not overlap, and the ranges that no writer changes must all be among them. If the next leaf
// is sought by the first range that ends after the last one it fails in nearly every run.
func TestWalksBeside(t *testing.T) {
	const n = 30
	m, _ := tens()
	for i := range n {
		must(t, m.Insert(bg, rg(100*i, 100*i+10), "stays"))
		must(t, m.Insert(bg, rg(100*i+10, 100*i+30), "moves"))
	}
	ctx, stop := context.WithTimeout(bg, time.Duration(byBuild(200, 300))*time.Millisecond)
	defer stop()
	var wg sync.WaitGroup
	for k := range 2 {
		wg.Go(func() {
			for rnd := rand.New(rand.NewPCG(uint64(k), 1)); ctx.Err() == nil; {
				moveOne(t, m, rnd, 100*rnd.IntN(n))
			}
		})
	}
	for walk, over := range walks {
		wg.Go(func() {
			for ctx.Err() == nil && !t.Failed() {
				stays, end := 0, -1
				over(m, func(r intRange, w *intWriter) {
					if r.Lo < end {
						t.Errorf("%s: %v is yielded after a range that ends at %d", walk, r, end)
					}
					if end = r.Hi; r == rg(100*stays, 100*stays+10) {
						stays++
					}
				})
				if stays != n {
					t.Errorf("%s: %d of the ranges that stay, want %d", walk, stays, n)
				}
			}
		})
	}
	wg.Wait()
	must(t, m.Drain(bg))
	usable(t, m)
}

// moveOne changes the one range in [at+10, at+100).
func moveOne(t *testing.T, m *intMap, rnd *rand.Rand, at int) {
	w := m.Lock()
	defer w.Unlock()
	lo := at + 10 + rnd.IntN(60)
	to := rg(lo, lo+1+rnd.IntN(at+100-lo))
	switch rnd.IntN(3) {
	case 0:
		for r := range w.Overlapping(rg(at+10, at+100)) {
			must(t, w.Resize(r.Lo, to))
			return
		}
		t.Errorf("nothing in [%d, %d)", at+10, at+100)
	case 1:
		_, err := w.Retire(rg(at+10, at+100))
		must(t, err, w.Insert(to, "moves"))
	case 2:
		must(t, w.Swap(rg(at+10, at+100), "moves"))
	}
}

// TestWalkOfChangedKeys checks that a walk ends, normally or with a panic that names the ranges,
// even if its caller has changed the bytes of a key that the map has. Without the check that ends
// rise all of them loop for ever.
//
// It kills 45_walk_round.
func TestWalkOfChangedKeys(t *testing.T) {
	walks := map[string]func(m *rangelock.Map[[]byte, int], body func()){
		"All": func(m *rangelock.Map[[]byte, int], body func()) {
			for range m.All() {
				body()
			}
		},
		"Survey": func(m *rangelock.Map[[]byte, int], body func()) {
			for range m.Survey() {
				body()
			}
		},
		"Overlapping": func(m *rangelock.Map[[]byte, int], body func()) {
			r := m.RLock()
			defer r.Unlock()
			for range r.Overlapping(rangelock.From([]byte{})) {
				body()
			}
		},
	}
	const n = 100
	for name, walk := range walks {
		panics := ""
		for at := range n {
			for to := byte(0); to < n; to += 7 {
				m := rangelock.NewFunc[[]byte, int](bytes.Compare, nil)
				w := m.Lock()
				var changed []byte
				for i := range byte(n) {
					hi := []byte{i, 1}
					must(t, w.Insert(rangelock.Span([]byte{i}, hi), 0))
					if int(i) == at {
						changed = hi
					}
				}
				w.Unlock()
				changed[0] = to
				func() {
					defer func() {
						if x := recover(); x != nil {
							panics = fmt.Sprint(x)
						}
						if panics != "" && !strings.HasPrefix(panics, "rangelock: a walk has come to [\"") {
							t.Errorf("%s: the end of %d is changed to %d: panic %q", name, at, to, panics)
						}
					}()
					steps := 0
					walk(m, func() {
						if steps++; steps > 3*n {
							t.Fatalf("%s of %d ranges has yielded %d: the end of %d is changed to %d", name, n, steps, at, to)
						}
					})
				}()
				if testing.Short() || rangelock.Debug {
					break
				}
			}
		}
		if !strings.Contains(panics, "the memory of a key was changed") {
			t.Errorf("%s panics with %q", name, panics)
		}
	}
}

// BenchmarkWalk measures what each kind of walk over a whole map costs per range, and what a walk
// to one range of it costs.
func BenchmarkWalk(b *testing.B) {
	for _, n := range []int{100, 10_000, 1_000_000} {
		m := rangelock.New[int, *int](nil)
		w := m.Lock()
		v := new(int)
		for i := range n {
			if err := w.Insert(rangelock.Span(10*i, 10*i+10), v); err != nil {
				b.Fatal(err)
			}
		}
		r := w.Downgrade()
		defer r.Unlock()
		all := map[string]func(){
			"All": func() {
				for _, x := range m.All() {
					*x++
				}
			},
			"Overlapping": func() {
				for _, x := range r.Overlapping(rangelock.From(0)) {
					*x++
				}
			},
			"Survey": func() {
				for range m.Survey() {
					*v++
				}
			},
		}
		for _, name := range slices.Sorted(maps.Keys(all)) {
			b.Run(fmt.Sprintf("walk=%s/n=%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					all[name]()
				}
				b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(n), "ns/range")
			})
		}
		b.Run(fmt.Sprintf("walk=one/n=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				at := i * 7919 % n * 10
				for _, x := range r.Overlapping(rangelock.Span(at, at+10)) {
					*x++
				}
			}
		})
	}
}
