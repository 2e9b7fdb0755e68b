package rangelock_test

import (
	"context"
	"encoding/json"
	"expvar"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// journal is a trace that records what the hooks are told.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

// take returns what was recorded since the last call.
func (j *journal) take() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := strings.Join(j.lines, ", ")
	j.lines = nil
	return s
}

func (j *journal) trace() *rangelock.Trace[int] {
	return &rangelock.Trace[int]{
		FellBack:  func(f rangelock.FellBackInfo[int]) { j.add("fell back: %v", f.Reason) },
		WaitStart: func(w rangelock.WaitInfo[int]) { j.add("wait for %v", w.For) },
		WaitDone:  func(w rangelock.WaitInfo[int]) { j.add("waited for %v %v %v", w.For, w.Waited, w.Err) },
		Unlocked:  func(u rangelock.UnlockedInfo[int]) { j.add("unlocked %v", u.Held) },
		Retired:   func(r rangelock.RetiredInfo[int]) { j.add("retired %v", r.Range) },
	}
}

// TestTraceAndStats drives a map through each slow path and checks what the trace is told and
// what Stats counts, with the clock of a bubble. Calls that do not have to wait leave nothing.
func TestTraceAndStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		m := rangelock.New(&rangelock.Options[int, string]{
			OnRetire: func(intRange, string) {},
			Cost:     func(intRange, string) int64 { return 5 },
			Trace:    j.trace(),
		})
		fillTens(m, "a", "b")
		want := func(what, told string) {
			t.Helper()
			synctest.Wait()
			if got := j.take(); got != told {
				t.Errorf("%s: told %q, want %q", what, got, told)
			}
		}
		j.take()
		g := hold(t, m, 5)
		m.Acquire(99)
		m.Get(5)
		m.TryAcquire(99)
		want("fast paths", "")

		w := m.Lock()
		excluding := start("Exclude", func() {
			if err := w.Exclude(rg(0, 10)); err != nil {
				t.Error(err)
			}
		})
		excluding.waits(t)
		time.Sleep(3 * time.Second)
		g.Release()
		excluding.returns(t)
		want("Exclude", "wait for the guards, waited for the guards 3s <nil>")

		waiting := start("Acquire", func() { m.Acquire(5) })
		waiting.waits(t)
		time.Sleep(2 * time.Second)
		want("busy", "fell back: busy, wait for the lock")
		ctx, cancel := context.WithCancel(bg)
		locking := start("LockContext", func() {
			if _, err := m.LockContext(ctx); err == nil {
				t.Error("locked twice")
			}
		})
		locking.waits(t)
		cancel()
		locking.returns(t)
		want("a cancelled writer", "wait for the lock, waited for the lock 0s rangelock: Lock: gave up waiting for the lock: context canceled")
		if err := w.Insert(rg(50, 60), "f"); err != nil {
			t.Fatal(err)
		}
		missing := start("Acquire of a gap", func() { m.Acquire(30) })
		missing.waits(t)
		want("miss", "fell back: miss, wait for the lock")
		w.Unlock()
		waiting.returns(t)
		missing.returns(t)
		synctest.Wait()
		if told := j.take(); !strings.Contains(told, "unlocked 5s") ||
			!strings.Contains(told, "waited for the lock 2s <nil>") || !strings.Contains(told, "waited for the lock 0s <nil>") {
			t.Errorf("Unlock: told %q", told)
		}

		if n, err := m.Retire(bg, rg(0, 20)); n != 2 || err != nil { // a is held
			t.Fatal(n, err)
		}
		synctest.Wait()
		// OnRetire may come before the end of the transaction.
		if told := j.take(); told != "unlocked 0s, retired [10, 20)" && told != "retired [10, 20), unlocked 0s" {
			t.Errorf("Retire: told %q", told)
		}
		s := m.Stats()
		got := fmt.Sprintf("%d ranges, fell back %d %d %d, locks %d %v, excludes %d %v, retired %d, pending %d %d",
			s.Ranges, s.FellBackBusy, s.FellBackMiss, s.FellBackGone, s.LockWaits, s.LockWaited,
			s.ExcludeWaits, s.ExcludeWaited, s.Retired, s.Pending, s.PendingCost)
		if want := "1 ranges, fell back 1 1 0, locks 3 2s, excludes 1 3s, retired 1, pending 1 5"; got != want {
			t.Errorf("Stats: %s, want %s", got, want)
		}
		if s.Bytes < 64 || s.Bytes > 1<<20 {
			t.Errorf("Stats: %d bytes", s.Bytes)
		}
	})
}

// TestStatsExpvar runs the call of expvar in the documentation of Stats, and reads what it publishes
// of the map, of its semaphore and of its domain.
func TestStatsExpvar(t *testing.T) {
	m, _ := tens("a", "b")
	g := hold(t, m, 5)
	defer g.Release()
	if err := m.Swap(bg, rg(0, 20), "ab"); err != nil {
		t.Fatal(err)
	}
	r := m.RLock()
	defer r.Unlock()
	name := fmt.Sprintf("segments-%d", time.Now().UnixNano()) // a name cannot be published twice, and -count runs the test again
	expvar.Publish(name, expvar.Func(func() any { return m.Stats() }))
	var got map[string]any
	if err := json.Unmarshal([]byte(expvar.Get(name).String()), &got); err != nil {
		t.Fatal(err)
	}
	sem, _ := got["Sem"].(map[string]any)
	domain, _ := got["Domain"].(map[string]any)
	if got["Ranges"] != 1. || got["Pending"] == 0. || sem["Readers"] != 1. || domain["Epoch"] == nil {
		t.Errorf("published is %v", got)
	}
}

// TestWaitForText: in JSON a WaitFor is the words of its String, also in Stats and in a WaitError,
// and can be read back.
func TestWaitForText(t *testing.T) {
	for f := rangelock.ForLock; f <= rangelock.ForRoom; f++ {
		for _, x := range []any{
			f,
			rangelock.Stats{Waits: []rangelock.Wait{{For: f}}},
			rangelock.WaitError[int]{For: f},
		} {
			text, err := json.Marshal(x)
			if err != nil || !strings.Contains(string(text), `"`+f.String()+`"`) {
				t.Errorf("the JSON of %T is %s, %v; want %q in it", x, text, err, f)
			}
		}
		var back rangelock.Stats
		text, err := json.Marshal(rangelock.Stats{Waits: []rangelock.Wait{{For: f}}})
		must(t, err, json.Unmarshal(text, &back))
		if back.Waits[0].For != f {
			t.Errorf("%s is read as %v, want %v", text, back.Waits[0].For, f)
		}
	}
	var f rangelock.WaitFor
	if err := f.UnmarshalText([]byte("the bus")); err == nil || f != 0 {
		t.Errorf("the bus is read as %v, %v", f, err)
	}
	if text, err := rangelock.WaitFor(99).MarshalText(); string(text) != "unknown" || err != nil {
		t.Errorf("the text of 99 is %q, %v", text, err)
	}
}

// TestStatsBytes checks the estimate of memory, and the number of levels.
func TestStatsBytes(t *testing.T) {
	m := rangelock.New[uint64, int](nil)
	w := m.Lock()
	const n = 10000
	for i := range uint64(n) {
		if err := w.Insert(rangelock.Span(i, i+1), 0); err != nil {
			t.Fatal(err)
		}
	}
	w.Unlock()
	if s := m.Stats(); s.Levels < 3 || s.Levels > 16 {
		t.Errorf("%d levels for %d ranges", s.Levels, n)
	}
	if s := rangelock.New[int, int](nil).Stats(); s.Levels != 2 {
		t.Errorf("%d levels for no range", s.Levels)
	}
	if s := m.Stats(); s.Bytes < 64*n || rangelock.LeafCap >= 32 && s.Bytes > 128*n {
		t.Errorf("%d bytes for %d ranges", s.Bytes, n)
	}
}

// TestStatsTransactions: each transaction is counted once, when it begins. A Reader is not counted.
//
// It kills 243_transaction_counted_late.
func TestStatsTransactions(t *testing.T) {
	m := rangelock.New(&rangelock.Options[int, string]{MaxPending: 7})
	want := func(when string, n int64) {
		t.Helper()
		if s := m.Stats(); s.Transactions != n || s.MaxPending != 7 {
			t.Errorf("%s: %d transactions, MaxPending %d; want %d and 7", when, s.Transactions, s.MaxPending, n)
		}
	}
	want("new", 0)
	must(t, m.Insert(bg, rg(0, 10), "a"))
	want("an Insert", 1)
	w := m.Lock()
	want("a transaction under way", 2)
	r := w.Downgrade()
	want("its Reader", 2)
	r.Unlock()
	m.RLock().Unlock()
	must(t, m.Do(bg, func(w intWriter) error { return nil }))
	want("at the end", 3)
}
