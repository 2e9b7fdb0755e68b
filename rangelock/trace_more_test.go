package rangelock_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/trace"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// TestTraceBackground: calls without a context wait with context.Background().
func TestTraceBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l waitLog
		m := rangelock.New(&rangelock.Options[int, string]{Trace: l.trace()})
		fillTens(m, "a", "b", "c")
		leaves := aWriter(t, m)
		time.Sleep(time.Second)
		var calls []*call
		for name, f := range map[string]func(){
			"Lock":             func() { m.Lock().Unlock() },
			"RLock":            func() { m.RLock().Unlock() },
			"Acquire":          func() { g, _ := m.Acquire(5); g.Release() },
			"View":             func() { m.View(5, func(intRange, string) {}) },
			"AcquireExclusive": func() { g, _ := m.AcquireExclusive(5); g.Release() },
			"Get":              func() { m.Get(5) },
			"GetRange":         func() { m.GetRange(5) },
		} {
			calls = append(calls, start(name, f))
		}
		synctest.Wait()
		leaves()
		for _, c := range calls {
			c.returns(t)
		}
		starts, ends := l.of(bg)
		var got []string
		for _, w := range starts {
			if w.For == rangelock.ForLock {
				got = append(got, said(w))
			}
		}
		slices.Sort(got)
		want := []string{
			"Acquire for the lock, key 5, behind Lock of 1s",
			"Acquire for the lock, key 5, behind Lock of 1s",
			"AcquireExclusive for the lock, key 5, behind Lock of 1s",
			"Get for the lock, key 5, behind Lock of 1s",
			"GetRange for the lock, key 5, behind Lock of 1s",
			"Lock for the lock exclusively, behind Lock of 1s",
			"RLock for the lock, behind Lock of 1s",
		}
		if !slices.Equal(got, want) || len(ends) != len(starts) {
			t.Errorf("told of %q, want %q; %d were begun, %d ended", got, want, len(starts), len(ends))
		}
	})
}

// TestTraceLeavesNothing: no hook is called for a call that does not wait, and a holder that has
// left is not named as the holder in a later wait.
func TestTraceLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l waitLog
		m := rangelock.New(&rangelock.Options[int, string]{Trace: l.trace(), MaxPending: 5})
		fillTens(m, "a", "b", "c")
		m.Lock().Downgrade().Unlock()
		w, _ := m.TryLock()
		w.Unlock()
		g := alone(t, m, 5)
		g.Release()
		must(t, m.Room(bg, 1))
		must(t, m.Drain(bg))
		if starts, ends := l.of(bg); len(starts)+len(ends) != 0 {
			t.Errorf("told of %v %v, and nothing has waited", starts, ends)
		}
		r := m.RLock()
		locking := start("Lock", func() { m.Lock().Unlock() })
		locking.waits(t)
		r.Unlock()
		locking.returns(t)
		g = hold(t, m, 5)
		taking := start("AcquireExclusive", func() { g, _ := m.AcquireExclusive(5); g.Release() })
		taking.waits(t)
		g.Release()
		taking.returns(t)
		starts, _ := l.of(bg)
		for _, w := range starts {
			if w.Holder != "" || !w.HolderSince.IsZero() {
				t.Errorf("%v: behind %q since %v, which has left", said(w), w.Holder, w.HolderSince)
			}
		}
		if len(starts) != 2 {
			t.Errorf("%d waits, want 2", len(starts))
		}
	})
}

// TestTraceOthers checks the arguments of the hooks FellBack, Unlocked and Retired.
func TestTraceOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.WithValue(bg, t, "of the call")
		var mu sync.Mutex
		var log []string
		note := func(c context.Context, format string, args ...any) {
			mu.Lock()
			defer mu.Unlock()
			if c == ctx {
				format = "ctx " + format
			} else if c != bg {
				format = "unknown context " + format
			}
			log = append(log, fmt.Sprintf(format, args...))
		}
		m := rangelock.New(&rangelock.Options[int, string]{
			Cost:     func(r intRange, _ string) int64 { return int64(r.Lo) },
			OnRetire: func(intRange, string) { time.Sleep(time.Millisecond) },
			Trace: &rangelock.Trace[int]{
				FellBack: func(f rangelock.FellBackInfo[int]) { note(f.Context, "%s %d %v", f.Op, *f.Key, f.Reason) },
				Unlocked: func(u rangelock.UnlockedInfo[int]) { note(u.Context, "%s %v %v", u.Op, u.Range, u.Held) },
				Retired:  func(r rangelock.RetiredInfo[int]) { note(bg, "retired %v %d", r.Range, r.Cost) },
			},
		})
		want := func(what string, lines ...string) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(log, lines) {
				t.Errorf("%s: told %q, want %q", what, log, lines)
			}
			log = nil
		}
		none := fmt.Sprint(intRange{})
		fillTens(m, "a", "b", "c")
		log = nil
		w := m.Lock()
		time.Sleep(2 * time.Second)
		w.Unlock()
		want("Lock", "Lock "+none+" 2s")
		w, _ = m.LockContext(ctx)
		time.Sleep(time.Second)
		w.Downgrade().Unlock()
		want("Downgrade", "ctx Lock "+none+" 1s")
		w, _ = m.TryLock()
		w.Unlock()
		want("TryLock", "TryLock "+none+" 0s")
		must(t, m.Insert(ctx, rg(50, 60), "f"))
		want("Insert", "ctx Insert [50, 60) 0s")
		g, err := m.AcquireOrLoad(ctx, 75, func(context.Context, int) (intRange, string, error) { return rg(70, 80), "h", nil })
		must(t, err)
		g.Release()
		want("AcquireOrLoad", "AcquireOrLoad [70, 80) 0s")
		_, err = m.Retire(ctx, rg(50, 80))
		must(t, err)
		time.Sleep(time.Second)
		want("Retire", "ctx Retire [50, 80) 0s", "retired [50, 60) 50", "retired [70, 80) 70")

		leaves := aWriter(t, m)
		calls := []*call{
			start("AcquireContext", func() { g, _ := m.AcquireContext(ctx, 5); g.Release() }),
			start("AcquireOrLoad", func() { g, _ := m.AcquireOrLoad(ctx, 6, noLoad(t)); g.Release() }),
			start("AcquireExclusive", func() { m.AcquireExclusive(75) }),
			start("Get", func() { m.Get(7) }),
		}
		synctest.Wait()
		mu.Lock()
		slices.Sort(log)
		mu.Unlock()
		want("a writer", "AcquireExclusive 75 miss", "Get 7 busy", "ctx Acquire 5 busy", "ctx AcquireOrLoad 6 busy")
		leaves()
		for _, c := range calls {
			c.returns(t)
		}
	})
	m := rangelock.New(&rangelock.Options[int, string]{Trace: &rangelock.Trace[int]{
		Retired: func(r rangelock.RetiredInfo[int]) {
			if r.Range != rg(0, 10) || r.Cost != 1 {
				t.Errorf("retired %v at %d", r.Range, r.Cost)
			}
		},
	}})
	fillTens(m, "a")
	m.Remove(bg, rg(0, 10)) // freed at once, because there is no OnRetire
}

// TestWaitInfoLogs checks the group of a WaitInfo in a log.
func TestWaitInfoLogs(t *testing.T) {
	key, at := 0, time.Unix(100, 0)
	for _, x := range []struct {
		w    intWait
		want string
	}{
		{intWait{Op: "Lock"}, `wait.op=Lock wait.for="the lock"`},
		{intWait{Op: "Acquire", For: rangelock.ForTurn, Key: &key, Range: rg(0, 10), Exclusive: true, Since: at, Holder: "AcquireExclusive",
			HolderSince: at.Add(-time.Second), Guards: 1, Ahead: 2, Waited: time.Minute, Err: context.Canceled},
			`wait.op=Acquire wait.for="a turn" wait.key=0 wait.range="[0, 10)" wait.holder=AcquireExclusive wait.exclusive=true ` +
				`wait.heldFor=1s wait.guards=1 wait.ahead=2 wait.waited=1m0s wait.err="context canceled"`},
	} {
		var b bytes.Buffer
		slog.New(slog.NewTextHandler(&b, nil)).Info("", "wait", x.w)
		if got := b.String(); !strings.HasSuffix(got, ` `+x.want+"\n") {
			t.Errorf("logged %s, want %s", got, x.want)
		}
	}
}

var regionEvent = regexp.MustCompile(`G=(\d+) .*Region(Begin|End) .*Type="(rangelock\.\w+)"`)

// TestTraceRegions: each wait is a region in runtime/trace. The region ends on the goroutine that
// began it, also if a context ends the wait and if a hook panics.
func TestTraceRegions(t *testing.T) {
	goCommand, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command: ", err)
	}
	if testing.Short() {
		t.Skip("the go command builds its trace tool first")
	}
	if trace.IsEnabled() {
		t.Skip("somebody traces this test")
	}
	name := filepath.Join(t.TempDir(), "trace")
	f, err := os.Create(name)
	must(t, err)
	must(t, trace.Start(f))
	stop := sync.OnceFunc(func() { trace.Stop(); f.Close() })
	defer stop()

	waitEachWay(t)

	stop()
	cmd := exec.Command(goCommand, "tool", "trace", "-d=parsed", name)
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	began := map[string]int{}
	open := map[string][]string{} // by goroutine
	for line := range strings.Lines(string(out)) {
		e := regionEvent.FindStringSubmatch(line)
		if e == nil {
			continue
		}
		g, region := e[1], e[3]
		if e[2] == "Begin" {
			began[region]++
			open[g] = append(open[g], region)
		} else if n := len(open[g]); n == 0 || open[g][n-1] != region {
			t.Errorf("%s ends on goroutine %s, which has %v open", region, g, open[g])
		} else {
			open[g] = open[g][:n-1]
		}
	}
	for g, names := range open {
		if len(names) > 0 {
			t.Errorf("%v have not ended on goroutine %s", names, g)
		}
	}
	for region, n := range map[string]int{
		"rangelock.Lock": 3, "rangelock.RLock": 3, "rangelock.Exclude": 3, "rangelock.Turn": 3, "rangelock.Load": 3,
		"rangelock.Drain": 2, "rangelock.Room": 2,
	} {
		if began[region] < n {
			t.Errorf("%d regions %s, want at least %d", began[region], region, n)
		}
	}
	if t.Failed() {
		t.Logf("%.3000s", out)
	}
}

// waitEachWay waits in each way, and ends each wait regularly, by a context, and by a panic of a
// hook. After a panic a Drain or a Room must have left its queue, and no mutex of the map may be
// held or be unlocked twice.
func waitEachWay(t *testing.T) {
	for name, x := range map[string]struct {
		way  func(t *testing.T, m *intMap) (leaves func())
		call func(ctx context.Context, m *intMap)
	}{
		"Lock":       {aReader, func(ctx context.Context, m *intMap) { m.Insert(ctx, rg(200, 210), "") }},
		"RLock":      {aWriter, func(ctx context.Context, m *intMap) { g, _ := m.AcquireContext(ctx, 5); drop(&g) }},
		"Exclude":    {guardsAt15, func(ctx context.Context, m *intMap) { m.Remove(ctx, rg(10, 20)) }},
		"Turn":       {exclusiveAt25, func(ctx context.Context, m *intMap) { g, _ := m.AcquireContext(ctx, 25); drop(&g) }},
		"Load":       {aLoad, func(ctx context.Context, m *intMap) { g, _ := m.AcquireOrLoad(ctx, 76, noLoad(t)); drop(&g) }},
		"Drain":      {heldRetired, func(ctx context.Context, m *intMap) { m.Drain(ctx) }},
		"DrainRange": {heldRetired, func(ctx context.Context, m *intMap) { m.DrainRange(ctx, rg(0, 100)) }},
		"Close":      {aLoad, func(ctx context.Context, m *intMap) { m.Close(ctx) }},
		"Room":       {heldRetired, func(ctx context.Context, m *intMap) { m.Room(ctx, 5) }},
	} {
		for _, end := range []string{"comes to its end", "is ended by its context", "panics"} {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(bg)
				defer cancel()
				m := rangelock.New(&rangelock.Options[int, string]{MaxPending: 5, Trace: &rangelock.Trace[int]{
					WaitStart: func(w intWait) {
						if w.Context == ctx && end == "panics" {
							panic("in a hook")
						}
					},
				}})
				fillTens(m, "a", "b", "c", "d")
				leaves := x.way(t, m)
				c := start(name, func() {
					defer func() { recover() }()
					x.call(ctx, m)
				})
				synctest.Wait()
				if end == "is ended by its context" {
					cancel()
					c.returns(t)
				}
				if end == "panics" && (strings.HasPrefix(name, "Drain") || name == "Room") {
					c.returns(t)
					if n := m.Stats().Waiting; n != 0 {
						t.Errorf("%s has panicked, and %d wait", name, n)
					}
				}
				leaves()
				c.returns(t)
			})
		}
	}
}

// drop releases g unless it is the zero Guard.
func drop(g *intGuard) {
	if *g != (intGuard{}) {
		g.Release()
	}
}
