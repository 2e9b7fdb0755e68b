package rangelock_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// TestExclusiveAndWriters lines up an exclusive guard, two waiters behind it and each operation
// that excludes the range: the operation waits for the guard. After an Exclude the queue has kept
// its order. When the range is detached the waiters are requeued, and find what has replaced it.
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
				// Only an Exclude leaves the queue as it was. After the other operations the waiters
				// search again, in any order.
				if got := order.String(); got != want && (name == "Exclude" || order.sorted() != want) {
					t.Errorf("the grants are %q, want %q", got, want)
				}
				tidy(t, m)
			})
		})
	}
}

// TestExclusiveLeaves lines up an exclusive guard and its waiters with Retire, Swap and Close.
// They do not wait for the guard, which keeps the old value. The waiters find what has replaced
// the range.
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
						t.Errorf("the guard has %q, retired are %q, %d wait queues", e.Value(), rec, m.Lines())
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
