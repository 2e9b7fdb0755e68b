package rangelock_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// exclusively starts an AcquireExclusive of the range at key and returns the call and
// where its guard comes.
func exclusively(t *testing.T, m *intMap, key int) (*call, *intGuard) {
	g := new(intGuard)
	return start("AcquireExclusive", func() {
		var ok bool
		if *g, ok = m.AcquireExclusive(key); !ok {
			t.Errorf("AcquireExclusive(%d) finds no range", key)
		}
	}), g
}

// shared is exclusively for Acquire.
func shared(t *testing.T, m *intMap, key int) (*call, *intGuard) {
	g := new(intGuard)
	return start("Acquire", func() {
		var ok bool
		if *g, ok = m.Acquire(key); !ok {
			t.Errorf("Acquire(%d) finds no range", key)
		}
	}), g
}

// tidy is usable, and checks that no line is left.
func tidy(t *testing.T, m *intMap) {
	t.Helper()
	usable(t, m)
	if n := m.Lines(); n != 0 {
		t.Errorf("%d lines are left", n)
	}
}

// TestExclusive checks the three forms against what can be on a range.
func TestExclusive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "", "c")
		if _, err := m.TryAcquireExclusive(15); err != rangelock.ErrNotFound {
			t.Errorf("TryAcquireExclusive of a gap: %v", err)
		}
		if _, ok := m.AcquireExclusive(15); ok {
			t.Error("AcquireExclusive of a gap is true")
		}
		if _, err := m.AcquireExclusiveContext(endedContext(), 15); err != rangelock.ErrNotFound {
			t.Errorf("AcquireExclusiveContext of a gap: %v", err)
		}
		e, err := m.AcquireExclusiveContext(endedContext(), 5)
		if err != nil || e.Value() != "a" || e.Range() != rg(0, 10) {
			t.Fatal(err, e)
		}
		wantTry(t, m, 5, rangelock.ErrBusy)
		wantTry(t, m, 25, "c")
		if _, err := m.TryAcquireExclusive(5); err != rangelock.ErrBusy {
			t.Errorf("TryAcquireExclusive beside an exclusive guard: %v", err)
		}
		if v, ok := m.Get(5); v != "a" || !ok {
			t.Errorf("Get beside an exclusive guard: %q, %t", v, ok)
		}
		ctx, cancel := context.WithCancel(bg)
		first := start("AcquireExclusiveContext", func() {
			if g, err := m.AcquireExclusiveContext(ctx, 5); !errors.Is(err, context.Canceled) || g != (intGuard{}) {
				t.Errorf("%v, %v", g, err)
			}
		})
		first.waits(t)
		reading, g := shared(t, m, 5)
		reading.waits(t)
		if n := m.InLine(5); n != 2 {
			t.Errorf("%d in line, want 2", n)
		}
		cancel()
		first.returns(t)
		reading.waits(t)
		e.Release()
		reading.returns(t)
		if _, err := m.TryAcquireExclusive(5); err != rangelock.ErrBusy {
			t.Errorf("TryAcquireExclusive beside a shared guard: %v", err)
		}
		g.Release()
		tidy(t, m)
	})
}

// TestExclusiveOrder plays orders of arrival behind a first guard: who is granted with
// whom, when the guards before them are released. A capital letter is an exclusive one.
func TestExclusiveOrder(t *testing.T) {
	for _, order := range []struct{ first, arrive, turns string }{
		{"s", "E", "E"}, {"E", "E", "E"}, {"E", "s", "s"}, {"E", "sss", "sss"},
		{"s", "EsEs", "E s E s"}, {"s", "EssE", "E ss E"}, {"E", "ssEEs", "ss E E s"}, {"s", "EEss", "E E ss"},
	} {
		t.Run(order.first+"-"+order.arrive, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, _ := tens("a", "b")
				take := func(kind rune) (*call, *intGuard) {
					if kind == 'E' {
						return exclusively(t, m, 5)
					}
					return shared(t, m, 5)
				}
				opening, now := take(rune(order.first[0]))
				opening.returns(t)
				held := []*intGuard{now}
				var calls []*call
				var guards []*intGuard
				for i, kind := range order.arrive {
					c, g := take(kind)
					c.waits(t)
					if n := m.InLine(5); n != i+1 {
						t.Fatalf("%d in line, want %d", n, i+1)
					}
					calls, guards = append(calls, c), append(guards, g)
				}
				wantTry(t, m, 5, rangelock.ErrBusy)
				wantTry(t, m, 15, "b")
				i := 0
				for n, turn := 0, ""; n <= len(order.turns); n++ {
					if n < len(order.turns) && order.turns[n] != ' ' {
						turn += string(order.turns[n])
						continue
					}
					for _, g := range held[1:] {
						g.Release()
					}
					for _, c := range calls[i:] {
						c.waits(t) // for the first guard of the batch before
					}
					held[0].Release()
					held = nil
					for range turn {
						calls[i].returns(t)
						held = append(held, guards[i])
						i++
					}
					for _, c := range calls[i:] {
						c.waits(t)
					}
					turn = ""
				}
				for _, g := range held {
					g.Release()
				}
				tidy(t, m)
			})
		})
	}
}

// TestExclusiveElsewhere: exclusive guards of different ranges know nothing of each
// other, nor of a transaction that has changed the map elsewhere and waits for a guard:
// it delays no acquire, no waiting in line and no grant.
func TestExclusiveElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "b", "c", "d")
		blocker := hold(t, m, 25)
		w := m.Lock()
		must(t, w.Swap(rg(30, 40), "new"))
		excluding := start("Exclude", func() { must(t, w.Exclude(rg(20, 30))) })
		excluding.waits(t)
		first, e := exclusively(t, m, 5)
		first.returns(t)
		other, e2 := exclusively(t, m, 15)
		other.returns(t)
		second, next := exclusively(t, m, 5)
		second.waits(t)
		reading, g := shared(t, m, 5)
		reading.waits(t)
		e.Release()
		second.returns(t)
		next.Release()
		reading.returns(t)
		g.Release()
		e2.Release()
		excluding.waits(t)
		blocker.Release()
		excluding.returns(t)
		w.Unlock()
		tidy(t, m)
	})
}

// TestExclusiveCancel ends the context of one who waits, in each place of the line
// behind a shared guard that stays. Nobody behind him is any worse off: the shared ones
// that waited for him alone come in at once.
func TestExclusiveCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		stays := hold(t, m, 5)
		ctx, cancel := context.WithCancel(bg)
		cancelled := func() *call {
			return start("AcquireExclusiveContext", func() {
				if g, err := m.AcquireExclusiveContext(ctx, 5); !errors.Is(err, context.Canceled) {
					t.Errorf("%v, %v", g, err)
				}
			})
		}
		head := cancelled()
		head.waits(t)
		r1, g1 := shared(t, m, 5)
		r1.waits(t)
		middle := cancelled()
		middle.waits(t)
		r2, g2 := shared(t, m, 5)
		r2.waits(t)
		last, e := exclusively(t, m, 5)
		last.waits(t)
		tail := cancelled()
		tail.waits(t)
		cancel()
		for _, c := range []*call{head, middle, tail, r1, r2} {
			c.returns(t)
		}
		last.waits(t)
		g1.Release()
		g2.Release()
		stays.Release()
		last.returns(t)
		e.Release()
		tidy(t, m)
	})
}

// TestExclusiveCancelElsewhere ends waits that are not in the line: for the semaphore,
// and in the line while the range is excluded; the line is empty then when the writer
// lets the range in again.
func TestExclusiveCancelElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a")
		acquire := func(d time.Duration) *call {
			return start("AcquireExclusiveContext", func() {
				ctx, stop := context.WithTimeout(bg, d)
				defer stop()
				if g, err := m.AcquireExclusiveContext(ctx, 5); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v, %v", g, err)
				}
			})
		}
		g := hold(t, m, 5)
		inLine := acquire(2 * time.Second)
		inLine.waits(t)
		w := m.Lock()
		excluding := start("Exclude", func() { must(t, w.Exclude(rg(0, 10))) })
		excluding.waits(t)
		atSemaphore := acquire(time.Second)
		atSemaphore.waits(t)
		time.Sleep(time.Second)
		atSemaphore.returns(t)
		time.Sleep(time.Second)
		inLine.returns(t)
		g.Release()
		excluding.returns(t)
		w.Unlock()
		tidy(t, m)
	})
}

// TestExclusiveCancelRace ends contexts while the grants come. Either the guard is held,
// or the error is the context's; nobody behind is forgotten.
func TestExclusiveCancelRace(t *testing.T) {
	m, _ := tens("a")
	for range byBuild(2000, 400) {
		e := alone(t, m, 5)
		ctx, cancel := context.WithCancel(bg)
		done := make(chan error, 3)
		use := func(g intGuard, err error) {
			if err == nil {
				g.Release()
			}
			done <- err
		}
		go func() { use(m.AcquireExclusiveContext(ctx, 5)) }()
		go func() { use(m.AcquireContext(ctx, 5)) }()
		go func() { use(m.AcquireExclusiveContext(bg, 5)) }()
		go cancel()
		e.Release()
		inTime(t, "three in line", func() {
			for range 3 {
				if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}
		})
	}
	tidy(t, m)
}

// TestExclusiveAndWriters: what excludes a range waits for its exclusive guard. The line
// keeps its order over an Exclude; it is sent back when the range leaves, and then finds
// what is there.
func TestExclusiveAndWriters(t *testing.T) {
	options := &rangelock.Options[int, string]{
		MergeValue: func(_, _ intRange, l, r string) (string, bool) { return l + r, true },
	}
	for name, operate := range map[string]func(w intWriter) error{
		"Exclude": func(w intWriter) error { return w.Exclude(rg(0, 10)) },
		"Remove":  func(w intWriter) error { _, err := w.Remove(rg(0, 10)); return err },
		"Replace": func(w intWriter) error { return w.Replace(rg(0, 10), "x") },
		"Split":   func(w intWriter) error { return w.Split(5) },
		"Merge":   func(w intWriter) error { return w.Merge(10) },
		"Resize":  func(w intWriter) error { return w.Resize(5, rg(2, 9)) },
		"Update":  func(w intWriter) error { return w.Update(5, "x") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := rangelock.New(options)
				fillTens(m, "a", "b")
				e := alone(t, m, 5)
				w := m.Lock()
				if w.TryExclude(rg(0, 20)) {
					t.Error("TryExclude beside an exclusive guard")
				}
				order := &recorder{}
				wait := func(who string, acquire func(key int) (intGuard, bool)) *call {
					c := start(who, func() {
						g, ok := acquire(5)
						if !ok {
							order.add("nothing")
							return
						}
						order.add(who)
						g.Release()
					})
					c.waits(t)
					return c
				}
				first := wait("exclusive", m.AcquireExclusive)
				second := wait("shared", m.Acquire)
				operating := start(name, func() {
					if err := operate(w); err != nil {
						t.Error(err)
					}
				})
				operating.waits(t)
				e.Release()
				operating.returns(t)
				first.waits(t)
				second.waits(t)
				w.Unlock()
				first.returns(t)
				second.returns(t)
				want := "exclusive shared"
				if name == "Remove" {
					want = "nothing nothing"
				}
				// Only an Exclude leaves the line as it was; else they search again, in any order.
				if got := order.String(); got != want && (name == "Exclude" || order.sorted() != want) {
					t.Errorf("granted are %q, want %q", got, want)
				}
				tidy(t, m)
			})
		})
	}
}

// TestExclusiveLeaves: Retire, Swap and Close do not wait for an exclusive guard, which
// keeps the old value. Those in line find what has come in its place.
func TestExclusiveLeaves(t *testing.T) {
	for name, leave := range map[string]func(m *intMap) error{
		"Retire": func(m *intMap) error { _, err := m.Retire(bg, rg(0, 10)); return err },
		"Swap":   func(m *intMap) error { return m.Swap(bg, rg(0, 10), "x") },
		"Close": func(m *intMap) error {
			if err := m.Close(endedContext()); err == nil {
				return errors.New("Close with an ended context")
			}
			ctx, stop := context.WithTimeout(bg, time.Second)
			defer stop()
			if err := m.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
			return nil
		},
	} {
		for _, marked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/announced=%t", name, marked), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m, rec := tens("a")
					if marked && !m.Announcing(5) {
						t.Fatal("the readers of the range do not announce themselves")
					}
					e := alone(t, m, 5)
					var found [3]string
					var calls []*call
					for i, acquire := range []func(int) (intGuard, bool){m.AcquireExclusive, m.Acquire, m.AcquireNext} {
						calls = append(calls, start("acquire", func() {
							if g, ok := acquire(5); ok {
								found[i] = g.Value()
								g.Release()
							}
						}))
						calls[i].waits(t)
					}
					start(name, func() {
						if err := leave(m); err != nil {
							t.Error(err)
						}
					}).returnsIn(t, time.Minute)
					want := ""
					if name == "Swap" {
						want = "x"
					}
					for i, c := range calls {
						if c.returns(t); found[i] != want {
							t.Errorf("acquire %d finds %q, want %q", i, found[i], want)
						}
					}
					if e.Value() != "a" || rec.String() != "" || m.Lines() != 0 {
						t.Errorf("the guard has %q, retired are %q, %d lines", e.Value(), rec, m.Lines())
					}
					e.Release()
					if must(t, m.Drain(bg)); rec.String() != "a" {
						t.Errorf("retired are %q, want a", rec)
					}
				})
			})
		}
	}
}

// returnsIn is returns for a call that sleeps by the clock.
func (c *call) returnsIn(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-c.done:
	case <-time.After(d):
		t.Fatalf("%s waits", c.name)
	}
}

// TestExclusiveDelaysReaders: each way to a shared guard waits for an exclusive one.
func TestExclusiveDelaysReaders(t *testing.T) {
	for name, read := range map[string]func(m *intMap) string{
		"View": func(m *intMap) (v string) {
			m.View(5, func(_ intRange, x string) { v = x })
			return v
		},
		"AcquireNext": func(m *intMap) string {
			g, _ := m.AcquireNext(-5)
			defer g.Release()
			return g.Value()
		},
		"Guards": func(m *intMap) (v string) {
			for g := range m.Guards(rg(-5, 50)) {
				v += g.Value()
			}
			return v[:1]
		},
		"Reader": func(m *intMap) string {
			r := m.RLock()
			defer r.Unlock()
			g, _ := r.Acquire(5)
			defer g.Release()
			return g.Value()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, _ := tens("a", "b")
				e := alone(t, m, 5)
				reading := start(name, func() {
					if v := read(m); v != "a" {
						t.Errorf("%s finds %q", name, v)
					}
				})
				reading.waits(t)
				e.Release()
				reading.returns(t)
				tidy(t, m)
			})
		})
	}
}

// TestExclusiveKeys takes exclusive guards by other kinds of keys, on a range without an
// end, and behind a comparison that panics, which leaves nothing.
func TestExclusiveKeys(t *testing.T) {
	b := rangelock.NewFunc[[]byte, int](bytes.Compare, nil)
	must(t, b.Insert(bg, rangelock.From([]byte("m")), 1))
	e, ok := b.AcquireExclusive([]byte("zz"))
	if !ok || !e.Range().Unbounded {
		t.Fatal(e, ok)
	}
	if _, err := b.TryAcquire([]byte("n")); err != rangelock.ErrBusy {
		t.Error(err)
	}
	e.Release()
	broken := false
	m := rangelock.NewFunc(func(a, b int) int {
		if broken {
			panic("broken")
		}
		return a - b
	}, &rangelock.Options[int, string]{})
	fillTens(m, "a", "b")
	g := hold(t, m, 5)
	broken = true
	for name, f := range map[string]func(){
		"TryAcquireExclusive": func() { m.TryAcquireExclusive(5) },
		"AcquireExclusive":    func() { m.AcquireExclusive(5) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", name)
				}
			}()
			f()
		}()
	}
	broken = false
	g.Release()
	tidy(t, m)
}

// TestExclusiveWraps takes and leaves exclusive guards in the last life that a header's
// generation can count.
func TestExclusiveWraps(t *testing.T) {
	m, rec := tens("a")
	m.SetGeneration(5, 1<<29-1)
	e := alone(t, m, 5)
	wantTry(t, m, 5, rangelock.ErrBusy)
	e.Release()
	hold := hold(t, m, 5)
	hold.Release()
	e = alone(t, m, 5)
	must(t, m.Swap(bg, rg(0, 10), "b"))
	e.Release()
	if must(t, m.Drain(bg)); rec.String() != "a" {
		t.Errorf("retired are %q", rec)
	}
	tidy(t, m)
}

// TestHappensExclusive: what was done under an exclusive guard is before the return of
// each later acquire, and what shared holders have read is before that of an exclusive
// one. With an exclusive grant that does not look at the count -race finds it.
func TestHappensExclusive(t *testing.T) {
	m := rangelock.New[int, *[4]int](nil)
	must(t, m.Insert(bg, rg(0, 10), new([4]int)))
	for _, marked := range []bool{false, true} {
		if marked && !m.Announcing(5) {
			t.Fatal("the readers of the range do not announce themselves")
		}
		done := make(chan bool)
		for i := range 4 {
			go func() {
				defer func() { done <- true }()
				for n := range byBuild(4*happens, happens) {
					if (n+i)%3 == 0 {
						g, _ := m.AcquireExclusive(5)
						g.Value()[0]++
						g.Value()[1]--
						g.Release()
						continue
					}
					g, _ := m.Acquire(5)
					if v := g.Value(); v[0] != -v[1] {
						t.Errorf("values %v", *v)
					}
					g.Release()
				}
			}()
		}
		for range 4 {
			<-done
		}
	}
	if m.Lines() != 0 {
		t.Errorf("%d lines are left", m.Lines())
	}
}

// TestExclusiveStats counts and traces waits for a turn.
func TestExclusiveStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log []string
		m := rangelock.New(&rangelock.Options[int, string]{Trace: &rangelock.Trace[int]{
			WaitStart: func(w rangelock.WaitInfo[int]) { log = append(log, fmt.Sprint("wait ", w.Exclusive)) },
			WaitDone: func(w rangelock.WaitInfo[int]) {
				log = append(log, fmt.Sprint("got ", w.Exclusive, w.Waited, w.Err))
			},
		}})
		fillTens(m, "a")
		e := alone(t, m, 5)
		reading, g := shared(t, m, 5)
		reading.waits(t)
		time.Sleep(time.Second)
		e.Release()
		reading.returns(t)
		ctx, stop := context.WithTimeout(bg, 2*time.Second)
		defer stop()
		if _, err := m.AcquireExclusiveContext(ctx, 5); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		g.Release()
		want := "[wait false got false 1s <nil> wait true got true 2s rangelock: gave up waiting for a turn at [0, 10), which has 1 guard after 2s: context deadline exceeded]"
		if got := fmt.Sprint(log); got != want {
			t.Errorf("trace is %s, want %s", got, want)
		}
		if s := m.Stats(); s.TurnWaits != 2 || s.TurnWaited != 3*time.Second || s.LockWaits != 0 {
			t.Errorf("stats are %+v", s)
		}
		tidy(t, m)
	})
}
