package rangelock_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// states is what a survey says, one word a range; those that have left come first, in
// the order of their bounds.
func states(m *intMap) string {
	var left, attached []string
	for s := range m.Survey() {
		hi := fmt.Sprint(s.Hi)
		if s.Unbounded {
			hi = "inf"
		}
		x := fmt.Sprintf("%v-%s:%d", s.Lo, hi, s.Guards)
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

// TestSurvey checks what a survey says of free, held, excluded, new, and left ranges,
// while a writer has the semaphore, while it waits for guards, and after it.
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

// TestSurveyManyLeft checks that a survey is bounded where very many ranges have left,
// and that their table goes with them.
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
		for s := range m.Survey() {
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

// TestSurveyAllocs: a survey allocates what it yields, and no more.
func TestSurveyAllocs(t *testing.T) {
	if rangelock.Debug {
		t.Skip("each pin allocates in a debug build")
	}
	m := numbered(1000 * rangelock.LeafCap)
	if n := testing.AllocsPerRun(10, func() {
		for range m.Survey() {
		}
	}); n > 1 {
		t.Errorf("%v allocations for %d ranges", n, m.Len())
	}
}

// TestSurveyStops checks that the body can end it anywhere.
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

// TestSurveyBeside surveys while writers change every other range and readers come and
// go. The ranges that nobody changes must all be there, once each and in order, and
// what is yielded must be well-formed.
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
		for s := range m.Survey() {
			lo, hi := int(s.Lo.Int()), int(s.Hi.Int())
			if hi != lo+10 || s.Unbounded || s.Guards < 0 || s.Guards > 2 {
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

// TestExtent checks the outermost bounds of maps of all heights.
func TestExtent(t *testing.T) {
	m := rangelock.New[int, string](nil)
	if lo, hi, unbounded := m.Extent(); lo.IsValid() || hi.IsValid() || unbounded {
		t.Error("an empty map has an extent")
	}
	for _, n := range []int{1, rangelock.LeafCap + 1, 30 * rangelock.LeafCap} {
		m := numbered(n)
		if lo, hi, unbounded := m.Extent(); lo.Int() != 0 || hi.Int() != int64(10*n) || unbounded {
			t.Errorf("%d ranges: [%v, %v), %t", n, lo, hi, unbounded)
		}
	}
	if err := m.Insert(bg, rangelock.From(-7), "x"); err != nil {
		t.Fatal(err)
	}
	if lo, hi, unbounded := m.Extent(); lo.Int() != -7 || hi.Int() != -7 || !unbounded {
		t.Errorf("[%v, %v), %t", lo, hi, unbounded)
	}
}

// TestSurveyUserKeys checks that keys of any type come as they are.
func TestSurveyUserKeys(t *testing.T) {
	lo, hi := place{file: "a", off: 2}, place{file: "b", off: 1}
	m := rangelock.NewFunc[place, int](comparePlaces, nil)
	if err := m.Insert(bg, rangelock.Span(lo, hi), 1); err != nil {
		t.Fatal(err)
	}
	for s := range m.Survey() {
		if comparePlaces(s.Lo.Interface().(place), lo) != 0 || s.Hi.Type() != reflect.TypeFor[place]() {
			t.Errorf("%v-%v", s.Lo, s.Hi)
		}
	}
}
