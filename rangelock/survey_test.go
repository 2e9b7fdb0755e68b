package rangelock_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// states returns what a survey yields, one word for each range. Ranges that have left the map come
// first, in the order of their bounds.
func states(m *intMap) string {
	var left, attached []string
	for r, s := range m.Survey() {
		hi := fmt.Sprint(r.Hi)
		if r.Unbounded {
			hi = "inf"
		}
		x := fmt.Sprintf("%d-%s:%d", r.Lo, hi, s.Guards)
		if s.Excluded {
			x += "x"
		}
		if s.Detached {
			left = append(left, fmt.Sprintf("%s:left %v ago", x, time.Since(s.Left)))
		} else {
			attached = append(attached, x)
		}
	}
	slices.Sort(left)
	return strings.Join(append(left, attached...), " ")
}

// TestSurvey checks what a survey yields for ranges that are free, held, excluded and new, and for
// ranges that have left the map: in a transaction, while the writer waits for guards, and after
// it.
func TestSurvey(t *testing.T) {
	for _, onRetire := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var o rangelock.Options[int, string]
			if onRetire {
				o.OnRetire = func(intRange, string) {}
			}
			m := rangelock.New(&o)
			want := func(when, w string) {
				t.Helper()
				synctest.Wait()
				if got := states(m); got != w {
					t.Errorf("%s:\n%s, want\n%s", when, got, w)
				}
			}
			want("empty", "")
			fillTens(m, "a", "b", "c", "d")
			want("free", "0-10:0 10-20:0 20-30:0 30-40:0")
			a, a2, b, c := hold(t, m, 5), hold(t, m, 6), hold(t, m, 15), hold(t, m, 25)
			want("held", "0-10:2 10-20:1 20-30:1 30-40:0")
			w := m.Lock()
			if err := w.Exclude(rg(30, 31)); err != nil {
				t.Fatal(err)
			}
			if err := w.Insert(rangelock.From(50), "e"); err != nil {
				t.Fatal(err)
			}
			if err := w.Swap(rg(0, 20), "ab"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			want("a transaction", "0-10:2x:left 1s ago 10-20:1x:left 1s ago 0-20:0x 20-30:1 30-40:0x 50-inf:0x")
			excluding := start("Exclude", func() {
				if err := w.Exclude(rg(20, 30)); err != nil {
					t.Error(err)
				}
			})
			excluding.waits(t)
			want("a writer waits", "0-10:2x:left 1s ago 10-20:1x:left 1s ago 0-20:0x 20-30:1x 30-40:0x 50-inf:0x")
			c.Release()
			excluding.returns(t)
			a.Release()
			b.Release()
			want("released", "0-10:1x:left 1s ago 0-20:0x 20-30:0x 30-40:0x 50-inf:0x")
			w.Unlock()
			a2.Release()
			want("unlocked", "0-20:0 20-30:0 30-40:0 50-inf:0")
			if n := m.Lingering(); n != 0 {
				t.Errorf("%d ranges linger", n)
			}
		})
	}
}

// TestSurveyManyLeft: a survey is bounded when very many ranges have left the map. When they are
// released, their table is freed.
func TestSurveyManyLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := numbered(3000)
		var held []intGuard
		for i := range 3000 {
			held = append(held, hold(t, m, 10*i))
		}
		if n, err := m.Retire(bg, rg(0, 30000)); n != 3000 || err != nil {
			t.Fatal(n, err)
		}
		n := 0
		for _, s := range m.Survey() {
			if !s.Detached || s.Guards != 1 {
				t.Fatalf("%+v", s)
			}
			n++
		}
		if n != 1024 || m.Lingering() != 3000 {
			t.Errorf("%d yielded, %d linger", n, m.Lingering())
		}
		for i := range held {
			held[i].Release()
		}
		start("Drain", func() { m.Drain(bg) }).returns(t)
		if n := m.Lingering(); n != 0 {
			t.Errorf("%d linger", n)
		}
		usable(t, m)
	})
}

// TestSurveyAllocs: a survey of a map whose keys are words allocates nothing, however many ranges
// there are.
func TestSurveyAllocs(t *testing.T) {
	if rangelock.Debug {
		t.Skip("each pin allocates in a debug build")
	}
	m := numbered(1000 * rangelock.LeafCap)
	for name, survey := range map[string]func(){
		"Survey": func() {
			for range m.Survey() {
			}
		},
		"SurveyIn": func() {
			for range m.SurveyIn(rangelock.From(5)) {
			}
		},
	} {
		if n := testing.AllocsPerRun(10, survey); n > 0 {
			t.Errorf("%s: %v allocations for %d ranges", name, n, m.Len())
		}
	}
}

// TestSurveyStops: the body of the loop can end a survey after any range.
func TestSurveyStops(t *testing.T) {
	m := numbered(3 * rangelock.LeafCap)
	g := hold(t, m, 5)
	defer g.Release()
	if err := m.Swap(bg, rg(0, 10), "x"); err != nil {
		t.Fatal(err)
	}
	for stop := 1; stop < 3*rangelock.LeafCap+1; stop++ {
		n := 0
		for range m.Survey() {
			if n++; n == stop {
				break
			}
		}
		if n != stop {
			t.Fatalf("%d before %d", n, stop)
		}
	}
}

// TestSurveyBeside surveys while writers change every other range, and readers acquire and release
// these. Each range that does not change must be yielded once and in order, and everything that is
// yielded must be well-formed.
func TestSurveyBeside(t *testing.T) {
	const n = 200
	m := numbered(n)
	var stop atomic.Bool
	var wg sync.WaitGroup
	for k := range 2 {
		wg.Go(func() {
			for i := 0; !stop.Load(); i++ {
				r := rg(20*(i%(n/2)), 20*(i%(n/2))+10)
				if k == 0 {
					if _, err := m.Retire(bg, r); err != nil {
						t.Error(err)
					}
					m.Insert(bg, r, "new")
				} else if g, err := m.TryAcquire(r.Lo); err == nil {
					g.Release()
				}
			}
		})
	}
	for range 50 {
		odd, last := 0, -1
		for r, s := range m.Survey() {
			lo, hi := r.Lo, r.Hi
			if hi != lo+10 || r.Unbounded || s.Guards < 0 || s.Guards > 2 {
				t.Errorf("[%d, %d) with %d guards", lo, hi, s.Guards)
			}
			if s.Detached {
				continue
			}
			if lo <= last {
				t.Errorf("%d after %d", lo, last)
			}
			last = lo
			odd += lo / 10 % 2
		}
		if odd != n/2 {
			t.Errorf("%d ranges that nobody changes, want %d", odd, n/2)
		}
	}
	stop.Store(true)
	wg.Wait()
	if err := m.Drain(bg); err != nil || m.Lingering() != 0 {
		t.Errorf("%v, %d linger", err, m.Lingering())
	}
}

// TestSurveyUserKeys: keys of any type are yielded unchanged.
func TestSurveyUserKeys(t *testing.T) {
	lo, hi := place{file: "a", off: 2}, place{file: "b", off: 1}
	m := rangelock.NewFunc[place, int](comparePlaces, nil)
	if err := m.Insert(bg, rangelock.Span(lo, hi), 1); err != nil {
		t.Fatal(err)
	}
	for r := range m.Survey() {
		if comparePlaces(r.Lo, lo) != 0 || comparePlaces(r.Hi, hi) != 0 {
			t.Errorf("%v", r)
		}
	}
}

// TestSurveyKept: what a survey has yielded does not change when it yields more.
func TestSurveyKept(t *testing.T) {
	m := numbered(3 * rangelock.LeafCap)
	for i := range 3 * rangelock.LeafCap {
		for range i % 3 {
			g := hold(t, m, 10*i)
			defer g.Release()
		}
	}
	type seen struct {
		r intRange
		s rangelock.RangeState
	}
	var all []seen
	for r, s := range m.Survey() {
		all = append(all, seen{r, s})
	}
	for i, x := range all {
		if x.r != rg(10*i, 10*i+10) || x.s.Guards != i%3 {
			t.Errorf("the range %d is %v with %d guards, want %d", i, x.r, x.s.Guards, i%3)
		}
	}
}

// TestSurveyIn: SurveyIn yields those ranges of Survey that overlap its argument, also of the ranges
// that have left the map.
//
// It kills 240_survey_in_all_that_left and 241_survey_in_cut.
func TestSurveyIn(t *testing.T) {
	m := numbered(max(45, 3*rangelock.LeafCap)) // a leaf is smaller with the build tag invariants
	must(t, m.Insert(bg, rangelock.From(10_000), "end"))
	for _, at := range []int{0, 40, 150, 155, 300, 10_001} {
		g := hold(t, m, at)
		defer g.Release()
	}
	must(t, m.Swap(bg, rg(0, 10), "new"), m.Swap(bg, rg(100, 200), "new"), m.Swap(bg, rangelock.From(10_000), "new"))
	_, err := m.Retire(bg, rg(300, 310))
	must(t, err)
	line := func(r intRange, s rangelock.RangeState) string {
		return fmt.Sprintf("%v:%d,%t", r, s.Guards, s.Detached)
	}
	for _, in := range []intRange{rg(0, 1), rg(0, 10), rg(9, 11), rg(10, 20), rg(95, 100), rg(99, 101), rg(199, 200), rg(200, 201), rg(300, 301), rg(309, 320),
		rg(-5, 0), rg(1000, 9999), rg(5000, 10_001), rangelock.From(305), rangelock.From(9999), rangelock.From(20_000), rg(0, 20_000), rg(5, 5), rg(9, 3)} {
		var want, got []string
		for r, s := range m.Survey() {
			if rangelock.Overlap(r, in) {
				want = append(want, line(r, s))
			}
		}
		for r, s := range m.SurveyIn(in) {
			got = append(got, line(r, s))
		}
		// Ranges that have left the map come in no order.
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("in %v:\n%v, want\n%v", in, got, want)
		}
	}
}
