package rangelock_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/epoch"
	"github.com/spanlock/spanlock/rangelock"
	"github.com/spanlock/spanlock/rwsem"
)

// TestMapString checks the text of a map for each verb of package fmt.
func TestMapString(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := rangelock.New[uint64, int](nil)
		want := func(want string) {
			t.Helper()
			synctest.Wait()
			want = "rangelock.Map[uint64]: " + want
			for _, verb := range []string{"%v", "%+v", "%s", "%#v"} {
				if got := fmt.Sprintf(verb, m); got != want {
					t.Errorf("%s of the map is %q, want %q", verb, got, want)
				}
			}
		}
		want("0 ranges")
		must(t, m.Insert(bg, rangelock.Span[uint64](0, 10), 1), m.Insert(bg, rangelock.Span[uint64](10, 20), 2))
		g, _ := m.Acquire(5)
		if _, err := m.Retire(bg, rangelock.Span[uint64](0, 10)); err != nil {
			t.Fatal(err)
		}
		want("1 range, 1 pending")
		w := m.Lock()
		want("1 range, 1 pending, a transaction under way")
		locking := start("RLock", func() { m.RLock().Unlock() })
		locking.waits(t)
		want("1 range, 1 pending, a transaction under way, others wait")
		w.Unlock()
		locking.returns(t)
		g.Release()
		must(t, m.Close(bg))
		want("0 ranges, closed")
		if got := fmt.Sprint((*intMap)(nil)); got != "<nil>" {
			t.Errorf("a nil map prints %q", got)
		}
	})
	m := rangelock.NewFunc[place, int](comparePlaces, nil)
	if got := m.String(); got != "rangelock.Map[rangelock_test.place]: 0 ranges" {
		t.Errorf("a map of another key is %q", got)
	}
}

// TestMapStringAtAnyTime prints a map while locks of the map are held: in a transaction, in the
// callbacks, in a comparison, and under the mutex of the pending table.
func TestMapStringAtAnyTime(t *testing.T) {
	var m *rangelock.Map[int, string]
	seen := make(map[string]int)
	var mu sync.Mutex
	look := func(where string) {
		if s := m.String(); !strings.HasPrefix(s, "rangelock.Map[int]: ") {
			t.Errorf("in %s it is %q", where, s)
		}
		mu.Lock()
		defer mu.Unlock()
		seen[where]++
	}
	m = rangelock.NewFunc(func(a, b int) int { look("compare"); return a - b }, &rangelock.Options[int, string]{
		OnRetire: func(intRange, string) { look("OnRetire") },
		Cost:     func(intRange, string) int64 { look("Cost"); return 1 },
		LoadRange: func(k int) intRange {
			look("LoadRange")
			return rg(k, k+1)
		},
		MergeValue: func(_, _ intRange, l, _ string) (string, bool) { look("MergeValue"); return l, true },
	})
	w := m.Lock()
	look("a transaction")
	must(t, w.Insert(rg(0, 10), "a"), w.Insert(rg(10, 20), "b"), w.Merge(10))
	w.Unlock()
	g, err := m.AcquireOrLoad(bg, 30, func(_ context.Context, k int) (intRange, string, error) {
		look("a load")
		return rg(k, k+1), "x", nil
	})
	must(t, err)
	g.Release()
	if _, err := m.Retire(bg, rg(0, 20)); err != nil {
		t.Fatal(err)
	}
	must(t, m.Drain(bg))
	release := m.HoldPending()
	look("a count")
	release()
	for _, where := range []string{"compare", "OnRetire", "Cost", "LoadRange", "MergeValue", "a load", "a count"} {
		if seen[where] == 0 {
			t.Errorf("not called in %s", where)
		}
	}
}

// TestPrintBeside prints a map, its guards, transactions and Readers, and its statistics while other
// goroutines use it. The race detector finds it if package fmt looks into a map.
func TestPrintBeside(t *testing.T) {
	m := numbered(50)
	ctx, stop := context.WithCancel(bg)
	var wg sync.WaitGroup
	for k := range 2 {
		wg.Go(func() {
			for i := k; ctx.Err() == nil; i++ {
				if err := m.Swap(bg, rg(10*(i%50), 10*(i%50)+10), "x"); err != nil {
					t.Error(err)
				}
				if g, ok := m.Acquire(5); ok {
					g.Release()
				}
			}
		})
	}
	look := func(verb string, xs ...any) {
		for _, x := range xs {
			if s := fmt.Sprintf(verb, x); strings.Contains(s, "PANIC") {
				t.Errorf("%s: %s", verb, s)
			}
		}
	}
	for range 100 {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			g, _ := m.Acquire(255)
			look(verb, m, m.Stats(), g, &g)
			g.Release()
			w := m.Lock()
			look(verb, w)
			r := w.Downgrade()
			look(verb, r)
			r.Unlock()
		}
	}
	stop()
	wg.Wait()
	usable(t, m)
}

// TestHandlesString checks the texts of guards, transactions and Readers.
func TestHandlesString(t *testing.T) {
	m, _ := tens("a", "b")
	want := func(x any, want string) {
		t.Helper()
		if got := fmt.Sprint(x); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	g := hold(t, m, 15)
	want(g, "[10, 20)")
	want(&g, "[10, 20)")
	g.Release()
	want(g, "no guard")
	want(intGuard{}, "no guard")
	w := m.Lock()
	want(w, "a transaction of rangelock.Map[int]: 2 ranges, a transaction under way")
	r := w.Downgrade()
	want(w, "a transaction that has ended")
	want(r, "a Reader of rangelock.Map[int]: 2 ranges")
	r.Unlock()
	want(r, "a Reader that has ended")
	want(intWriter{}, "a transaction that has ended")
	want(rangelock.Reader[int, string]{}, "a Reader that has ended")
}

// TestStatsSub checks for each number in Stats that Sub makes a difference of it, or that it is
// listed here as a number that describes a state. A new field must be one or the other.
func TestStatsSub(t *testing.T) {
	stand := []string{
		"Ranges", "Announced", "Levels", "Bytes", "Pending", "PendingCost", "MaxPending", "Stalled", "Waiting", "OldestWait",
		"Sem.Readers", "Sem.WaitingWriters", "Sem.WaitingReaders", "Sem.OldestWait",
		"Domain.Epoch", "Domain.Pins", "Domain.Pending", "Domain.PendingCost", "Domain.Peak",
		"Domain.OldestPending", "Domain.StalledFor",
	}
	var now, earlier rangelock.Stats
	n := 0
	numbers(reflect.ValueOf(&now).Elem(), "", func(_ string, v reflect.Value) {
		n++
		v.Set(reflect.ValueOf(int64(100 * n)).Convert(v.Type()))
	})
	n = 0
	numbers(reflect.ValueOf(&earlier).Elem(), "", func(_ string, v reflect.Value) {
		n++
		v.Set(reflect.ValueOf(int64(n)).Convert(v.Type()))
	})
	if n < 30 {
		t.Errorf("%d numbers", n)
	}
	now.Sem.Writer, now.Domain.OldestPin = true, "here"
	d := now.Sub(earlier)
	n = 0
	numbers(reflect.ValueOf(&d).Elem(), "", func(name string, v reflect.Value) {
		n++
		want := int64(99 * n)
		if slices.Contains(stand, name) {
			want = int64(100 * n)
		}
		if got := v.Convert(reflect.TypeFor[int64]()).Int(); got != want {
			t.Errorf("%s is %d, want %d", name, got, want)
		}
	})
	if !d.Sem.Writer || d.Domain.OldestPin != "here" {
		t.Errorf("Sub loses %v, %q", d.Sem.Writer, d.Domain.OldestPin)
	}
}

// numbers calls f with each number in a struct and in the structs in it.
func numbers(v reflect.Value, prefix string, f func(name string, v reflect.Value)) {
	for i := range v.NumField() {
		name, x := prefix+v.Type().Field(i).Name, v.Field(i)
		switch {
		case x.Kind() == reflect.Struct:
			numbers(x, name+".", f)
		case x.CanInt() || x.CanUint():
			f(name, x)
		}
	}
}

// someStats has values in most fields.
var someStats = rangelock.Stats{
	Ranges: 12, Announced: 1, Levels: 2, Bytes: 4096, FellBackBusy: 5, FellBackGone: 2,
	LockWaits: 3, LockWaited: 2 * time.Second, TurnWaits: 1, TurnWaited: time.Millisecond,
	Retired: 40, Pending: 3, PendingCost: 15, MaxPending: 99, Transactions: 44, Stalled: time.Minute,
	Sem:    rwsem.Stats{Writer: true, WaitingReaders: 1, OldestWait: time.Second},
	Domain: epoch.Stats{Epoch: 77},
}

// TestStatsString checks the text of Stats.
func TestStatsString(t *testing.T) {
	for _, x := range []struct {
		s    rangelock.Stats
		want string
	}{
		{rangelock.Stats{}, "0 ranges, 0 pending, 0 retired"},
		{someStats, "12 ranges, 1 guard announced, 3 pending, cost 15, 40 retired, 44 transactions, MaxPending 99; 2 levels, 4096 bytes; fell back: 5 busy, 2 gone; " +
			"waits: 3 for the lock (2s), 1 for a turn (1ms); " +
			"a writer has the lock, 1 reader waits for it, the first for 1s; nothing reclaimed for 1m0s"},
		{rangelock.Stats{Ranges: 1, Pending: 2, PendingCost: 2, Sem: rwsem.Stats{Readers: 2}}, "1 range, 2 pending, 0 retired; 2 readers have the lock"},
	} {
		if got := x.s.String(); got != x.want {
			t.Errorf("%s\nwant\n%s", got, x.want)
		}
	}
}

// TestStatsLogValue checks what a handler of log/slog writes, and that JSON and expvar still have the
// fields.
func TestStatsLogValue(t *testing.T) {
	line := func(s rangelock.Stats) string {
		var b strings.Builder
		slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: noTime})).Info("m", "s", s)
		return strings.TrimSpace(strings.TrimPrefix(b.String(), "level=INFO msg=m "))
	}
	if got, want := line(rangelock.Stats{}), "s.ranges=0 s.pending=0 s.retired=0"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	want := "s.ranges=12 s.pending=3 s.retired=40 s.announced=1 s.pendingCost=15 s.maxPending=99 s.transactions=44 s.levels=2 s.bytes=4096 s.fellBackBusy=5 s.fellBackGone=2 " +
		"s.lockWaits=3 s.lockWaited=2s s.turnWaits=1 s.turnWaited=1ms s.stalled=1m0s s.sem.writer=true s.sem.waitingReaders=1 s.sem.oldestWait=1s"
	if got := line(someStats); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	var back rangelock.Stats
	text, err := json.Marshal(someStats)
	must(t, err, json.Unmarshal(text, &back))
	if !reflect.DeepEqual(back, someStats) {
		t.Errorf("JSON makes %+v of %+v", back, someStats)
	}
}

// noTime removes the time of a record.
func noTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

func ExampleRange_String() {
	fmt.Println(rangelock.Span(10, 20))
	fmt.Println(rangelock.From(0.5))
	fmt.Println(rangelock.Span([]byte("a"), []byte("b\x00")))
	// Output:
	// [10, 20)
	// [0.5, ∞)
	// ["a", "b\x00")
}

func ExampleMap_String() {
	m := rangelock.New[int, string](nil)
	w := m.Lock()
	if err := w.Insert(rangelock.Span(0, 10), "a"); err != nil {
		fmt.Println(err)
	}
	fmt.Println(m)
	w.Unlock()
	fmt.Println(m)
	// Output:
	// rangelock.Map[int]: 1 range, a transaction under way
	// rangelock.Map[int]: 1 range
}

// A program logs from time to time what its map has done since the last time.
func ExampleStats_Sub() {
	ctx := context.Background()
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: noTime}))
	m := rangelock.New[int, string](nil)
	var last rangelock.Stats
	report := func() {
		now := m.Stats()
		d := now.Sub(last)
		last = now
		d.Bytes = 0 // differs from one build to the next
		log.Info("segments", "stats", d)
	}
	for i := range 3 {
		if err := m.Insert(ctx, rangelock.Span(i, i+1), "x"); err != nil {
			fmt.Println(err)
		}
	}
	report()
	if _, err := m.Remove(ctx, rangelock.Span(0, 2)); err != nil {
		fmt.Println(err)
	}
	report()
	// Output:
	// level=INFO msg=segments stats.ranges=3 stats.pending=0 stats.retired=0 stats.transactions=3 stats.levels=2
	// level=INFO msg=segments stats.ranges=1 stats.pending=0 stats.retired=2 stats.transactions=1 stats.levels=2
}
