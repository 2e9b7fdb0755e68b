package inspect_test

import (
	"context"
	"encoding/json"
	"html"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/inspect"
	"github.com/spanlock/spanlock/rangelock"
)

// TestAlarms: each alarm appears when its bound is reached and not before, on the page, in the
// text and in JSON, and disappears again. A bound in Options is used, and a negative bound
// switches the alarm off.
//
// It kills 244_alarm_bound_ignored.
func TestAlarms(t *testing.T) {
	type world struct {
		m     *rangelock.Map[int, string]
		calls []func() // functions that end the alarm
	}
	hold := func(w *world, key int) {
		if g, ok := w.m.Acquire(key); ok {
			w.calls = append(w.calls, g.Release)
		}
	}
	for _, tt := range []struct {
		about  string
		bound  time.Duration                  // the default
		set    func(*inspect.Alarms, float64) // sets the bound to that many seconds
		begin  func(t *testing.T, w *world)
		text   string // text of the alarm at the bound
		atOnce bool   // the alarm needs no time
	}{
		{"wait", time.Second, func(a *inspect.Alarms, s float64) { a.Wait = time.Duration(s * 1e9) }, func(t *testing.T, w *world) {
			hold(w, 15)
			go w.m.Remove(context.Background(), rangelock.Span(10, 20))
		}, "a writer has waited for %v for the 1 guard on 10-20", false},
		{"wait", time.Second, func(a *inspect.Alarms, s float64) { a.Wait = time.Duration(s * 1e9) }, func(t *testing.T, w *world) {
			g, _ := w.m.AcquireExclusive(5)
			w.calls = append(w.calls, g.Release)
			for range 2 {
				go w.m.View(7, func(rangelock.Range[int], string) {})
			}
		}, "2 callers wait for their turn at 0-10, the first for %v", false},
		{"wait", time.Second, func(a *inspect.Alarms, s float64) { a.Wait = time.Duration(s * 1e9) }, func(t *testing.T, w *world) {
			x := w.m.Lock()
			w.calls = append(w.calls, x.Unlock)
			go func() { w.m.RLock().Unlock() }()
			go w.m.Insert(context.Background(), rangelock.Span(100, 101), "x")
		}, "wait for the lock, the first for %v", false},
		{"writer", 5 * time.Second, func(a *inspect.Alarms, s float64) { a.Writer = time.Duration(s * 1e9) }, func(t *testing.T, w *world) {
			x := w.m.Lock()
			w.calls = append(w.calls, x.Unlock)
		}, "a writer has had the lock for %v or more", false},
		{"left", time.Minute, func(a *inspect.Alarms, s float64) { a.Left = time.Duration(s * 1e9) }, func(t *testing.T, w *world) {
			hold(w, 5)
			hold(w, 15)
			if _, err := w.m.Retire(t.Context(), rangelock.Span(0, 20)); err != nil {
				t.Error(err)
			}
		}, "has left %v ago and still has 1 guard; 2 ranges have left and been held for more than %v", false},
		{"pending", 0, func(a *inspect.Alarms, s float64) { a.Pending = s / 10 }, func(t *testing.T, w *world) {
			for i := range 9 {
				hold(w, 10*i)
			}
			if _, err := w.m.Retire(t.Context(), rangelock.Span(0, 90)); err != nil {
				t.Error(err)
			}
		}, "the backlog is 90 % of MaxPending: 9 of 10", true},
	} {
		for _, mine := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				w := &world{m: rangelock.New(&rangelock.Options[int, string]{MaxPending: 10, OnRetire: func(rangelock.Range[int], string) {}})}
				for i := range 10 {
					insert(t, w.m, rangelock.Span(10*i, 10*i+10), "x")
				}
				o, off := &inspect.Options[int, string]{}, &inspect.Options[int, string]{}
				bound := tt.bound
				if mine {
					if bound = 8 * time.Second; tt.atOnce {
						bound = 0
					}
					tt.set(&o.Alarms, 8)
				}
				tt.set(&off.Alarms, -1)
				h := inspect.Handler(inspect.Named("", w.m, o))
				silent := inspect.Handler(inspect.Named("", w.m, off))
				about := func(h asker) bool {
					for _, a := range h.get() {
						if a.About == tt.about {
							return true
						}
					}
					return false
				}
				ask := asker{t, h}
				if about(ask) {
					t.Errorf("%s: an alarm before anything happens", tt.about)
				}
				tt.begin(t, w)
				synctest.Wait()
				if about(ask) != tt.atOnce {
					t.Errorf("%s: at once there is an alarm: %t", tt.about, !tt.atOnce)
				}
				about(asker{t, silent})
				time.Sleep(bound - time.Millisecond)
				if !tt.atOnce && about(ask) {
					t.Errorf("%s: an alarm before %v", tt.about, bound)
				}
				time.Sleep(time.Millisecond)
				want := strings.ReplaceAll(tt.text, "%v", bound.String())
				if got := get(t, h, "format=text"); !strings.Contains(got, "# alarm: ") || !strings.Contains(got, want) {
					t.Errorf("%s: no %q in the text:\n%s", tt.about, want, got)
				}
				if page := html.UnescapeString(get(t, h, "")); !strings.Contains(page, `class="alarms"`) || !strings.Contains(page, want) {
					t.Errorf("%s: no %q on the page", tt.about, want)
				}
				if !about(ask) {
					t.Errorf("%s: not in JSON: %v", tt.about, ask.get())
				}
				time.Sleep(time.Hour)
				if about(asker{t, silent}) {
					t.Errorf("%s: an alarm that is switched off", tt.about)
				}
				for _, end := range w.calls {
					end()
				}
				synctest.Wait()
				if err := w.m.Drain(t.Context()); err != nil {
					t.Error(err)
				}
				if all := ask.get(); len(all) > 0 {
					t.Errorf("%s: at the end: %v", tt.about, all)
				}
			})
		}
	}
}

type alarm struct{ About, Text string }

// asker requests the alarms from a handler.
type asker struct {
	t *testing.T
	h http.Handler
}

func (a asker) get() []alarm {
	var d struct{ Maps []struct{ Alarms []alarm } }
	if err := json.Unmarshal([]byte(get(a.t, a.h, "format=json")), &d); err != nil {
		a.t.Fatal(err)
	}
	return d.Maps[0].Alarms
}
