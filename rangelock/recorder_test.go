package rangelock_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

type (
	intRange  = rangelock.Range[int]
	intMap    = rangelock.Map[int, string]
	intWriter = rangelock.Writer[int, string]
	intGuard  = rangelock.Guard[int, string]
)

var bg = context.Background()

// spare is a range that no test uses but usable.
var spare = rangelock.Span(1<<20, 1<<20+1)

func rg(lo, hi int) intRange { return rangelock.Span(lo, hi) }

// endedContext returns a context that has ended.
func endedContext() context.Context {
	ctx, cancel := context.WithCancel(bg)
	cancel()
	return ctx
}

// recorder notes the values that went through OnRetire, in order.
type recorder struct {
	mu   sync.Mutex
	list []string
}

func (rec *recorder) add(v string) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if v != "spare" {
		rec.list = append(rec.list, v)
	}
}

func (rec *recorder) String() string {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return strings.Join(rec.list, " ")
}

// sorted is String for where the order is not promised.
func (rec *recorder) sorted() string {
	f := strings.Fields(rec.String())
	slices.Sort(f)
	return strings.Join(f, " ")
}

// tens returns a map with the ranges [0, 10), [10, 20), … that have the values
// given, "" for a gap, and the record of what was retired.
func tens(values ...string) (*intMap, *recorder) {
	rec := &recorder{}
	m := rangelock.New(&rangelock.Options[int, string]{OnRetire: func(_ intRange, v string) { rec.add(v) }})
	fillTens(m, values...)
	return m, rec
}

func fillTens(m *intMap, values ...string) {
	w := m.Lock()
	defer w.Unlock()
	for i, v := range values {
		if v == "" {
			continue
		}
		if err := w.Insert(rg(10*i, 10*i+10), v); err != nil {
			panic(err)
		}
	}
}

// text writes ranges with their values in one line.
func text[K, V any](s iter.Seq2[rangelock.Range[K], V]) string {
	var out []string
	for r, v := range s {
		out = append(out, fmt.Sprintf("%v=%v", r, v))
	}
	return strings.Join(out, " ")
}

func wantContents(t *testing.T, m *intMap, want string) {
	t.Helper()
	if err := m.Verify(); err != nil {
		t.Fatal(err)
	}
	if got := text(m.All()); got != want {
		t.Fatalf("the map holds %q, want %q", got, want)
	}
}

// usable checks that nothing is left behind in m: no lock, no guard, no pin, and
// the tree in order.
func usable(t *testing.T, m *intMap) {
	t.Helper()
	ctx, cancel := context.WithTimeout(bg, time.Minute)
	defer cancel()
	before := text(m.All())
	w, err := m.LockContext(ctx)
	if err != nil {
		t.Fatalf("the map cannot be locked: %v", err)
	}
	if err := w.Exclude(rangelock.From(-1 << 30)); err != nil {
		t.Fatalf("somebody is left in a range: %v", err)
	}
	if err := w.Insert(spare, "spare"); err != nil {
		t.Fatal(err)
	}
	if n, err := w.Remove(spare); n != 1 || err != nil {
		t.Fatalf("Remove = %d, %v", n, err)
	}
	w.Unlock()
	if err := m.Drain(ctx); err != nil {
		t.Fatalf("a pin or a range is left behind: %v", err)
	}
	wantContents(t, m, before)
	for r, v := range m.All() {
		g, err := m.TryAcquire(r.Lo)
		if err != nil || g.Value() != v {
			t.Fatalf("TryAcquire(%d) = %q, %v, want %q", r.Lo, g.Value(), err, v)
		}
		g.Release()
	}
}

// wantTry checks the answer of TryAcquire: a value, ErrBusy or ErrNotFound.
func wantTry(t *testing.T, m *intMap, key int, want any) {
	t.Helper()
	g, err := m.TryAcquire(key)
	if err != nil {
		if err != want {
			t.Fatalf("TryAcquire(%d) = %v, want %v", key, err, want)
		}
		return
	}
	v := g.Value()
	g.Release()
	if v != want {
		t.Fatalf("TryAcquire(%d) is %q, want %v", key, v, want)
	}
}

// hold acquires a guard that must be there.
func hold(t *testing.T, m *intMap, key int) intGuard {
	t.Helper()
	g, err := m.TryAcquire(key)
	if err != nil {
		t.Fatalf("TryAcquire(%d) = %v", key, err)
	}
	return g
}

// wantPanic checks that f panics with a sentence of the package.
func wantPanic(t *testing.T, name string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		switch x := recover().(type) {
		case nil:
			t.Errorf("%s does not panic", name)
		case string:
			if !strings.HasPrefix(x, "rangelock: ") {
				t.Errorf("%s panics with %q", name, x)
			}
		case error:
			if !strings.HasPrefix(x.Error(), "rangelock: ") {
				t.Errorf("%s panics with %v", name, x)
			}
		default:
			t.Errorf("%s panics with %T %v", name, x, x)
		}
	}()
	f()
}

// call is a call that may wait, in a bubble.
type call struct {
	name string
	done chan struct{}
}

func start(name string, f func()) *call {
	c := &call{name, make(chan struct{})}
	go func() {
		defer close(c.done)
		f()
	}()
	return c
}

func (c *call) returned() bool {
	synctest.Wait()
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// waits checks that the call is waiting.
func (c *call) waits(t *testing.T) {
	t.Helper()
	if c.returned() {
		t.Fatalf("%s did not wait", c.name)
	}
}

// returns checks that the call comes back without anybody's doing anything more.
func (c *call) returns(t *testing.T) {
	t.Helper()
	if !c.returned() {
		t.Fatalf("%s waits", c.name)
	}
}
