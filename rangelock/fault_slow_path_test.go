package rangelock_test

import (
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

// readings are the ways to read one key that can wait. They return "" for a miss.
var readings = map[string]func(m *intMap, key int) string{
	"Acquire": func(m *intMap, key int) string {
		g, ok := m.Acquire(key)
		if !ok {
			return ""
		}
		defer g.Release()
		return g.Value()
	},
	"AcquireContext": func(m *intMap, key int) string {
		g, err := m.AcquireContext(bg, key)
		if err != nil {
			return ""
		}
		defer g.Release()
		return g.Value()
	},
	"View": func(m *intMap, key int) (out string) {
		m.View(key, func(_ intRange, v string) { out = v })
		return out
	},
	"Get": func(m *intMap, key int) string {
		v, _ := m.Get(key)
		return v
	},
}

// TestSlowPathSearchesAgain lines up a reader that has collided with a writer and waits for it
// with a writer that then changes what the reader had found or missed. The answer must be from
// after the wait.
//
// It kills 14_slow_path_stale and 58_get_stale: with the search before the wait each of the three
// cases fails each time.
func TestSlowPathSearchesAgain(t *testing.T) {
	cases := []struct {
		name          string
		before, while func(w intWriter) error
		want          string
	}{
		{
			name:   "the gap is filled",
			before: func(w intWriter) error { return w.Insert(rg(90, 99), "far") },
			while:  func(w intWriter) error { return w.Insert(rg(20, 30), "new") },
			want:   "new",
		}, {
			name:   "the range is updated",
			before: func(w intWriter) error { return w.Exclude(rg(20, 30)) },
			while:  func(w intWriter) error { return w.Update(25, "new") },
			want:   "new",
		}, {
			name:   "the range is removed",
			before: func(w intWriter) error { return w.Exclude(rg(20, 30)) },
			while:  func(w intWriter) error { _, err := w.Remove(rg(20, 30)); return err },
		},
	}
	for _, c := range cases {
		for name, read := range readings {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m, _ := tens("a", "b")
					if c.name != "the gap is filled" {
						must(t, m.Insert(bg, rg(20, 30), "old"))
					}
					w := m.Lock()
					must(t, c.before(w))
					var got string
					reader := start(name, func() { got = read(m, 25) })
					reader.waits(t)
					must(t, c.while(w))
					w.Unlock()
					reader.returns(t)
					if got != c.want {
						t.Errorf("got %q, want %q", got, c.want)
					}
					usable(t, m)
				})
			})
		}
	}
}

// TestNoPinWhileWaiting lines up a reader that waits for a writer with a grace period that must
// pass before the writer ends. If the reader were still pinned, the grace period would wait for
// the reader, and the reader for the writer.
//
// It kills 33_pinned_while_waiting.
func TestNoPinWhileWaiting(t *testing.T) {
	for _, order := range []string{"ordered", "func"} {
		for name, read := range readings {
			for _, key := range []int{5, 15} {
				t.Run(order+"/"+name+map[int]string{5: "/hit", 15: "/miss"}[key], func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						o := &rangelock.Options[int, string]{OnRetire: func(intRange, string) {}}
						m := rangelock.New(o)
						if order == "func" {
							m = rangelock.NewFunc(new(stoppableOrder).compare, o)
						}
						fillTens(m, "a", "", "c")
						w := m.Lock()
						must(t, w.Exclude(rg(0, 10)), w.Insert(rg(90, 99), "far"))
						reader := start(name, func() { read(m, key) })
						reader.waits(t)
						if n, err := w.Retire(rg(20, 30)); n != 1 || err != nil {
							t.Fatal(n, err)
						}
						start("Drain beside a reader that waits", func() { m.Drain(bg) }).returns(t)
						w.Unlock()
						reader.returns(t)
						usable(t, m)
					})
				})
			}
		}
	}
}
