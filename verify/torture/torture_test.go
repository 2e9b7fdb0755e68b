package main

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// short tortures one part for a few seconds. verify/faults runs these tests with faults in
// the code; the command runs longer.
func short(t *testing.T, name string, make func() (part, error)) (*bench, string) {
	t.Helper()
	d := 2 * time.Second
	if testing.Short() {
		d = 500 * time.Millisecond
	}
	o := options{duration: d, seed: uint64(time.Now().UnixNano()), procs: []int{2, 4, 8, 1}, readers: 4, writers: 2, patience: 10 * time.Second}
	s := newStalls()
	defer s.end()
	p, err := make()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	b := newBench(name, o, &out, p)
	b.run(d)
	fmt.Fprintln(&out, b.fairness(), strings.Join(p.totals(), "\n"))
	return b, fmt.Sprintf("seed %d\n%s", o.seed, &out)
}

func torture(t *testing.T, name string, make func() (part, error)) {
	b, out := short(t, name, make)
	if b.errors.Load() > 0 {
		t.Error(out)
	}
	if b.sum(reader) == 0 || b.sum(writer) == 0 {
		t.Errorf("nothing was done: %s", out)
	}
}

func TestMap(t *testing.T)   { torture(t, "map", newMapPart) }
func TestEpoch(t *testing.T) { torture(t, "epoch", newEpochPart) }
func TestSem(t *testing.T)   { torture(t, "sem", newSemPart) }

// wrongPart does something that must be noticed.
type wrongPart struct{ do func(b *bench, w *worker) }

func (p *wrongPart) begin(b *bench) {
	for range 2 {
		b.add(reader, func(w *worker) int { p.do(b, w); return 1 })
	}
}
func (p *wrongPart) progress() string  { return "" }
func (p *wrongPart) finish(*bench)     {}
func (p *wrongPart) totals() []string  { return nil }
func (p *wrongPart) share() (int, int) { return 1, 1 }

// TestDetectors causes each event that must not happen, without a fault in the product, and
// checks that it is noticed.
func TestDetectors(t *testing.T) {
	pages, err := newPool(4)
	if err != nil {
		t.Fatal(err)
	}
	gone := pages.take()
	gone.drop()
	for _, c := range []struct {
		name, want string
		do         func(b *bench, w *worker)
	}{
		{"use after retirement", "use after retirement: fault", func(b *bench, _ *worker) {
			if !gone.good(0) { // the compiler would drop a load whose result is not used
				b.wrong("no fault")
			}
		}},
		{"panic", "panic: not so", func(*bench, *worker) { panic("not so") }},
		{"retired twice", "retired before", func(b *bench, w *worker) {
			(&mapPart{b: b}).lose(&object{page: gone}, "retired", new(atomic.Int64))
		}},
		{"overlap", "overlap: another goroutine", func(b *bench, w *worker) {
			o := &object{page: gone}
			o.alone.Store(1)
			(&mapPart{b: b}).own(o, "a test")
		}},
		{"hang", "made no step", func(b *bench, w *worker) {
			for w.n == 1 && !b.stop.Load() {
				time.Sleep(time.Millisecond)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			p := &wrongPart{do: c.do}
			b := newBench("test", options{procs: []int{2}, patience: 200 * time.Millisecond}, &out, p)
			b.run(600 * time.Millisecond)
			b.stop.Store(true)
			b.wg.Wait()
			if b.errors.Load() == 0 || !strings.Contains(out.String(), c.want) {
				t.Errorf("%d violations, want one with %q:\n%s", b.errors.Load(), c.want, &out)
			}
		})
	}
}
