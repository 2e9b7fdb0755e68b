package rangelock_test

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/rangelock"
)

// This file has what tests of several subjects use: the types, maps to start with, guards, checks,
// and what runs a test many times. harness_wait_test.go has what they use to wait.

type (
	intRange  = rangelock.Range[int]
	intMap    = rangelock.Map[int, string]
	intWriter = rangelock.Writer[int, string]
	intGuard  = rangelock.Guard[int, string]
)

var bg = context.Background()

// spare is a range that only usable uses.
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

// sorted is String for tests in which no order is promised.
func (rec *recorder) sorted() string {
	f := strings.Fields(rec.String())
	slices.Sort(f)
	return strings.Join(f, " ")
}

// tens returns a map with the ranges [0, 10), [10, 20), … and the given values, "" for a gap, and
// the record of the values that are retired.
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

// numbered returns a map of n ranges [0, 10), [10, 20), … whose values are their
// numbers.
func numbered(n int) *intMap {
	m, _ := tens()
	values := make([]string, n)
	for i := range values {
		values[i] = fmt.Sprint(i)
	}
	fillTens(m, values...)
	return m
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

// alone takes an exclusive guard on the range at key, which must be free.
func alone(t *testing.T, m *intMap, key int) intGuard {
	t.Helper()
	g, err := m.TryAcquireExclusive(key)
	if err != nil {
		t.Fatalf("TryAcquireExclusive(%d) = %v", key, err)
	}
	return g
}

func release(g intGuard, ok bool) {
	if ok {
		g.Release()
	}
}

// announcing makes the range at 5 an announced one.
func announcing(t *testing.T, m *intMap) {
	t.Helper()
	if !m.Announcing(5) {
		t.Fatal("the readers of the range do not announce themselves")
	}
}

// must fails the test with the first error that is not nil.
func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// second returns the error beside a number.
func second(_ int, err error) error { return err }

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
		t.Fatalf("a guard is left on a range: %v", err)
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

// tidy is usable, and checks that no wait queue is left.
func tidy(t *testing.T, m *intMap) {
	t.Helper()
	usable(t, m)
	if n := m.Lines(); n != 0 {
		t.Errorf("%d wait queues are left", n)
	}
}

// place is a key that only a comparator orders.
type place struct {
	file string
	off  int64
	_    func()
}

func comparePlaces(a, b place) int {
	return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.off, b.off))
}

// byBuild returns a number of repetitions: checking in a checking build, which is slower, and
// normal in others.
func byBuild(normal, checking int) int {
	if invariants.Enabled {
		return checking
	}
	return normal
}

// atEachProcs runs a number of episodes of f with each of GOMAXPROCS 1, 2, 4 and 8. When one
// fails it logs the seed.
func atEachProcs(t *testing.T, episodes int, f func(t *testing.T, rng *rand.Rand)) {
	if testing.Short() {
		episodes = (episodes + 3) / 4
	}
	seed := rand.Uint64()
	for _, procs := range []int{1, 2, 4, 8} {
		t.Run(fmt.Sprintf("procs=%d", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			for i := range episodes {
				f(t, rand.New(rand.NewPCG(seed, uint64(procs)<<32|uint64(i))))
				if t.Failed() {
					t.Fatalf("seed %d, episode %d", seed, i)
				}
			}
		})
	}
}

// crowd runs the transactions of one writer beside readers. The readers run until the writer
// is done.
func crowd(t *testing.T, rng *rand.Rand, transactions int, write func(rng *rand.Rand), readers ...func(rng *rand.Rand)) {
	t.Helper()
	var stop atomic.Bool
	var wg sync.WaitGroup
	for _, read := range readers {
		seed := rng.Uint64()
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, 3))
			for !stop.Load() && !t.Failed() {
				read(rng)
				if rng.IntN(16) == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	inTime(t, "transactions", func() {
		defer wg.Wait()
		defer stop.Store(true)
		for range transactions {
			write(rng)
			if rng.IntN(8) == 0 {
				runtime.Gosched()
			}
		}
	})
}
