package spanlockprom

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
	"github.com/spanlock/spanlock/rwsem"
)

// filled returns a map with n ranges of ten keys each.
func filled(t testing.TB, n int, o *rangelock.Options[int, int]) *rangelock.Map[int, int] {
	t.Helper()
	m := rangelock.New(o)
	w := m.Lock()
	defer w.Unlock()
	_, err := w.Load(func(yield func(rangelock.Range[int], int) bool) {
		for i := 0; i < n && yield(rangelock.Span(10*i, 10*i+10), i); i++ {
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// full returns a Collector that has a thing of each kind.
func full(t testing.TB) *Collector {
	t.Helper()
	c := new(Collector)
	c.Add("segments", filled(t, 3, nil))
	a := rangealloc.New[int, int](rangelock.Span(0, 100), nil)
	if _, err := a.Alloc(context.Background(), 40, 1, 0); err != nil {
		t.Fatal(err)
	}
	c.AddAllocator("arena", a)
	c.Add("arena's map", a.Map())
	c.AddSem("index", new(rwsem.Sem))
	return c
}

// TestCollect: each number is in the metric of its name, with the name of the thing.
//
// It kills 255_seconds_as_nanoseconds.
func TestCollect(t *testing.T) {
	now := rangelock.Stats{
		Ranges: 1, Bytes: 2, Announced: 3, FellBackBusy: 4, FellBackMiss: 5, FellBackGone: 6,
		LockWaits: 7, ExcludeWaits: 8, TurnWaits: 9,
		LockWaited: 1500 * time.Millisecond, ExcludeWaited: 2 * time.Second, TurnWaited: 3 * time.Second,
		Waiting: 10, OldestWait: 250 * time.Millisecond, Retired: 11, Pending: 12, PendingCost: 13, Stalled: 4 * time.Second,
		Transactions: 18, MaxPending: 19,
	}
	now.Sem = rwsem.Stats{Writer: true, Readers: 14, WaitingReaders: 15, WaitingWriters: 16, OldestWait: 5 * time.Second}
	now.Domain.Pins = 17
	var c Collector
	c.Add("a", fixed[rangelock.Stats]{now})
	c.AddSem("b", fixed[rwsem.Stats]{rwsem.Stats{Readers: 1, WaitingReaders: 2, WaitingWriters: 3, Waits: 4, Waited: time.Minute, OldestWait: time.Second}})
	c.AddAllocator("c", fixed[rangealloc.Stats]{rangealloc.Stats{Keys: 1, Free: 2, Largest: 3, Gaps: 4, Ranges: 5, Fragmentation: 0.5}})
	want := `
spanlock_allocator_fragmentation_ratio{allocator="c"} 0.5
spanlock_allocator_free_keys{allocator="c"} 2
spanlock_allocator_gaps{allocator="c"} 4
spanlock_allocator_keys{allocator="c"} 1
spanlock_allocator_largest_gap_keys{allocator="c"} 3
spanlock_allocator_ranges{allocator="c"} 5
spanlock_announced_guards{map="a"} 3
spanlock_fallbacks_total{map="a",reason="busy"} 4
spanlock_fallbacks_total{map="a",reason="gone"} 6
spanlock_fallbacks_total{map="a",reason="miss"} 5
spanlock_lock_oldest_wait_seconds{map="a"} 5
spanlock_lock_readers{map="a"} 14
spanlock_lock_waiting{map="a",mode="read"} 15
spanlock_lock_waiting{map="a",mode="write"} 16
spanlock_lock_writer_held{map="a"} 1
spanlock_memory_bytes{map="a"} 2
spanlock_oldest_wait_seconds{map="a"} 0.25
spanlock_pending_cost{map="a"} 13
spanlock_pending_cost_limit{map="a"} 19
spanlock_pending_ranges{map="a"} 12
spanlock_pins{map="a"} 17
spanlock_ranges{map="a"} 1
spanlock_retired_total{map="a"} 11
spanlock_sem_oldest_wait_seconds{sem="b"} 1
spanlock_sem_readers{sem="b"} 1
spanlock_sem_wait_seconds_total{sem="b"} 60
spanlock_sem_waiting{mode="read",sem="b"} 2
spanlock_sem_waiting{mode="write",sem="b"} 3
spanlock_sem_waits_total{sem="b"} 4
spanlock_sem_writer_held{sem="b"} 0
spanlock_stalled_seconds{map="a"} 4
spanlock_transactions_total{map="a"} 18
spanlock_wait_seconds_total{for="exclude",map="a"} 2
spanlock_wait_seconds_total{for="lock",map="a"} 1.5
spanlock_wait_seconds_total{for="turn",map="a"} 3
spanlock_waiting{map="a"} 10
spanlock_waits_total{for="exclude",map="a"} 8
spanlock_waits_total{for="lock",map="a"} 7
spanlock_waits_total{for="turn",map="a"} 9
`
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(&c)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text, got strings.Builder
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			t.Fatal(err)
		}
	}
	got.WriteByte('\n')
	for line := range strings.Lines(text.String()) {
		if !strings.HasPrefix(line, "#") {
			got.WriteString(line)
		}
	}
	if got.String() != want {
		t.Errorf("collected is%s\nwant%s", &got, want)
	}
}

// fixed is a thing whose Stats never change.
type fixed[S any] struct{ s S }

func (f fixed[S]) Stats() S { return f.s }

// TestLint: Prometheus's own checks of names, units and texts report nothing.
func TestLint(t *testing.T) {
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(full(t))
	problems, err := testutil.GatherAndLint(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	if n, err := testutil.GatherAndCount(r); n < 60 || err != nil {
		t.Errorf("%d series, %v", n, err)
	}
}

// TestAddRemove: a name can be taken only once, and is free again after Remove.
//
// It kills 256_name_taken_twice.
func TestAddRemove(t *testing.T) {
	c := full(t)
	before := testutil.CollectAndCount(c)
	m := filled(t, 1, nil)
	for _, tt := range []struct {
		what string
		add  func()
		want string
	}{
		{"a map's name", func() { c.Add("segments", m) }, `by the name of "segments"`},
		{"a semaphore's name", func() { c.Add("index", m) }, `by the name of "index"`},
		{"for an allocator", func() { c.AddAllocator("segments", fixed[rangealloc.Stats]{}) }, `by the name of "segments"`},
		{"for a semaphore", func() { c.AddSem("arena", new(rwsem.Sem)) }, `by the name of "arena"`},
		{"no name", func() { c.Add("", m) }, "empty"},
		{"no text", func() { c.Add("\xff", m) }, "UTF-8"},
		{"not made", func() { c.Add("new", new(rangelock.Map[int, int])) }, "New"},
	} {
		func() {
			defer func() {
				if p := fmt.Sprint(recover()); !strings.Contains(p, tt.want) {
					t.Errorf("%s: panic %q, want one with %q", tt.what, p, tt.want)
				}
			}()
			tt.add()
		}()
	}
	if n := testutil.CollectAndCount(c); n != before {
		t.Errorf("%d series after the refused calls, want %d", n, before)
	}
	c.Remove("segments")
	c.Remove("segments") // there is no such name
	if n := testutil.CollectAndCount(c, "spanlock_ranges"); n != 1 {
		t.Errorf("%d maps, want that of the allocator", n)
	}
	c.Add("segments", m)
	if n := testutil.CollectAndCount(c); n != before {
		t.Errorf("%d series, want %d", n, before)
	}
}

const (
	held = `# HELP spanlock_lock_writer_held 1 while a writer holds the map's semaphore, otherwise 0.
# TYPE spanlock_lock_writer_held gauge
`
	waiting = `# HELP spanlock_waiting Current waits, except those in the queue of the semaphore.
# TYPE spanlock_waiting gauge
`
)

// TestNobodyWaits: a scrape waits neither for a transaction that has the map nor for a guard, and
// shows both.
//
// It kills 257_scrape_takes_the_lock.
func TestNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := filled(t, 3, nil)
		var c Collector
		c.Add("a", m)
		g, _ := m.Acquire(5)
		w := m.Lock()
		waits := make(chan error, 1)
		go func() {
			waits <- w.Exclude(rangelock.Span(0, 10)) // waits for the guard
			w.Unlock()
		}()
		synctest.Wait() // until the writer waits
		scraped := make(chan error, 1)
		go func() {
			scraped <- errors.Join(
				testutil.CollectAndCompare(&c, strings.NewReader(waiting+"spanlock_waiting{map=\"a\"} 1\n"), "spanlock_waiting"),
				testutil.CollectAndCompare(&c, strings.NewReader(held+"spanlock_lock_writer_held{map=\"a\"} 1\n"), "spanlock_lock_writer_held"))
		}()
		select {
		case err := <-scraped:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Error("the scrape waits for the transaction")
		}
		g.Release()
		if err := <-waits; err != nil {
			t.Error(err)
		}
	})
}

// TestTogether: scrapes, Add, Remove and a busy map at the same time. It is for the race detector.
func TestTogether(t *testing.T) {
	m := filled(t, 100, &rangelock.Options[int, int]{OnRetire: func(rangelock.Range[int], int) {}})
	c := full(t)
	var wg sync.WaitGroup
	for n := range 3 {
		wg.Go(func() {
			name := fmt.Sprint(n)
			for i := range 100 {
				c.Add(name, m)
				if err := m.Swap(context.Background(), rangelock.Span(10*i, 10*i+10), n); err != nil {
					t.Error(err)
				}
				testutil.CollectAndCount(c)
				c.Remove(name)
			}
		})
	}
	wg.Wait()
}
