package rangelock_test

import (
	"cmp"
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// fuse is a comparison that panics after a given number of calls.
type fuse struct {
	left int // calls until it blows; negative: never
}

func (f *fuse) compare(a, b int) int {
	if f.left == 0 {
		panic("rangelock: not really, this is the test's")
	}
	if f.left > 0 {
		f.left--
	}
	return cmp.Compare(a, b)
}

// blown calls do repeatedly until it does not panic. Each time the fuse is one comparison longer.
// After each panic it calls after. It returns how many comparisons do makes.
func (f *fuse) blown(do func(), after func(calls int)) int {
	for calls := 0; ; calls++ {
		if done := func() (done bool) {
			defer func() {
				f.left = -1
				if x := recover(); x != nil && x != "rangelock: not really, this is the test's" {
					panic(x)
				}
			}()
			f.left = calls
			do()
			return true
		}(); done {
			return calls
		}
		after(calls)
	}
}

// TestComparePanics makes each of the comparisons of each operation panic, and checks that nothing
// has changed and no pin, guard or lock is left behind.
func TestComparePanics(t *testing.T) {
	n := 2*rangelock.LeafCap + 3
	ctx := bg
	reads := map[string]func(m *intMap){
		"Acquire": func(m *intMap) {
			if g, ok := m.Acquire(15); ok {
				g.Release()
			}
		},
		"Acquire misses": func(m *intMap) { m.Acquire(-5) },
		"AcquireContext": func(m *intMap) {
			if g, err := m.AcquireContext(ctx, 25); err == nil {
				g.Release()
			}
		},
		"TryAcquire": func(m *intMap) {
			if g, err := m.TryAcquire(25); err == nil {
				g.Release()
			}
		},
		"AcquireNext": func(m *intMap) {
			if g, ok := m.AcquireNext(15); ok {
				g.Release()
			}
		},
		"Guards": func(m *intMap) {
			for range m.Guards(rg(15, 95)) {
			}
		},
		"AcquireNext of a gap": func(m *intMap) {
			if g, err := m.AcquireNextContext(ctx, -15); err == nil {
				g.Release()
			}
		},
		"AcquireExclusive": func(m *intMap) {
			if g, ok := m.AcquireExclusive(15); ok {
				g.Release()
			}
		},
		"Get":  func(m *intMap) { m.Get(15) },
		"View": func(m *intMap) { m.View(15, func(intRange, string) {}) },
		"All":  func(m *intMap) { text(m.All()) },
		"Reader": func(m *intMap) {
			r := m.RLock()
			defer r.Unlock()
			r.Find(15)
			if g, ok := r.Acquire(35); ok {
				g.Release()
			}
			text(r.Overlapping(rg(15, 95)))
		},
	}
	changes := map[string]func(m *intMap){
		"Insert":          func(m *intMap) { m.Insert(ctx, rg(10*n+5, 10*n+10), "x") },
		"Insert over":     func(m *intMap) { m.Insert(ctx, rg(15, 25), "x") },
		"Insert From":     func(m *intMap) { m.Insert(ctx, rangelock.From(3<<19), "x") },
		"Remove":          func(m *intMap) { m.Remove(ctx, rg(10, 10*n-10)) },
		"Remove cuts":     func(m *intMap) { m.Remove(ctx, rg(10, 25)) },
		"Retire":          func(m *intMap) { m.Retire(ctx, rg(10, 30)) },
		"Swap":            func(m *intMap) { m.Swap(ctx, rg(10, 10*n-10), "x") },
		"Swap over a gap": func(m *intMap) { m.Swap(ctx, rg(-50, -10), "x") },
	}
	writers := map[string]func(w intWriter){
		"Writer.Insert":      func(w intWriter) { w.Insert(rg(-10, 0), "x") },
		"Writer.Exclude":     func(w intWriter) { w.Exclude(rg(15, 10*n-15)) },
		"Writer.TryExclude":  func(w intWriter) { w.TryExclude(rg(15, 35)) },
		"Writer.Update":      func(w intWriter) { w.Update(15, "x") },
		"Writer.Remove":      func(w intWriter) { w.Remove(rg(10, 30)) },
		"Writer.Extract":     func(w intWriter) { w.Extract(15) },
		"Writer.Retire":      func(w intWriter) { w.Retire(rg(10, 30)) },
		"Writer.Swap":        func(w intWriter) { w.Swap(rg(10, 30), "x") },
		"Writer.Replace":     func(w intWriter) { w.Replace(rg(10, 30), "x") },
		"Writer.Split":       func(w intWriter) { w.Split(15) },
		"Writer.Merge":       func(w intWriter) { w.Merge(20) },
		"Writer.Resize":      func(w intWriter) { w.Resize(15, rg(12, 18)) },
		"Writer.Resize up":   func(w intWriter) { w.Resize(15, rg(10*n+100, 10*n+105)) },
		"Writer.Resize down": func(w intWriter) { w.Resize(10*n-5, rg(-100, -95)) },
		"Writer.Clear":       func(w intWriter) { w.Clear() },
		"Writer.Find":        func(w intWriter) { w.Find(15) },
		"Writer.Overlapping": func(w intWriter) { text(w.Overlapping(rg(15, 95))) },
		"Writer.Load": func(w intWriter) {
			w.Load(func(yield func(intRange, string) bool) { yield(rg(-10, 0), "x") })
		},
	}
	forms := map[string]func(m *intMap){}
	for name, f := range reads {
		forms[name] = f
	}
	for name, f := range changes {
		forms[name] = f
	}
	for name, f := range writers {
		forms[name] = func(m *intMap) {
			w := m.Lock()
			defer w.Unlock()
			defer func() {
				if recover() == nil {
					return
				}
				if m.Publication()%2 == 1 {
					t.Errorf("%s has published and panicked", name)
				}
				for key := 5; key < 100; key += 10 {
					g, err := m.TryAcquire(key)
					if err != nil {
						t.Errorf("%s panicked and left %d: %v", name, key, err)
						continue
					}
					g.Release()
				}
				panic("rangelock: not really, this is the test's")
			}()
			f(w)
		}
	}
	for name, do := range forms {
		t.Run(name, func(t *testing.T) {
			f := &fuse{left: -1}
			rec := &recorder{}
			m := rangelock.NewFunc(f.compare, &rangelock.Options[int, string]{
				OnRetire:   func(_ intRange, v string) { rec.add(v) },
				SplitValue: func(_ intRange, _ int, v string) (string, string, error) { return v, v, nil },
				MergeValue: func(_, _ intRange, l, r string) (string, bool) { return l + r, true },
			})
			w := m.Lock()
			for i := range n {
				if err := w.Insert(rg(10*i, 10*i+10), fmt.Sprint(i)); err != nil {
					t.Fatal(err)
				}
			}
			w.Unlock()
			before := text(m.All())
			calls := f.blown(func() { do(m) }, func(calls int) {
				if calls > 10000 {
					t.Fatal("does not end")
				}
				f.left = -1
				wantContents(t, m, before)
				usable(t, m)
				if rec.String() != "" {
					t.Fatalf("retired are %q", rec)
				}
			})
			if calls == 0 && name != "All" && name != "Writer.Clear" {
				t.Error("compares nothing")
			}
			f.left = -1
			usable(t, m)
		})
	}
}

// TestComparePanicsInWait checks a comparison that panics after the wait for a writer: the
// semaphore must be released.
func TestComparePanicsInWait(t *testing.T) {
	for name, do := range map[string]func(m *intMap){
		"Acquire":        func(m *intMap) { m.Acquire(15) },
		"AcquireContext": func(m *intMap) { m.AcquireContext(bg, 15) },
		"Get":            func(m *intMap) { m.Get(15) },
		"View":           func(m *intMap) { m.View(15, func(intRange, string) {}) },
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &fuse{left: -1}
			m := rangelock.NewFunc(f.compare, &rangelock.Options[int, string]{OnRetire: func(intRange, string) {}})
			fillTens(m, "a", "b")
			w := m.Lock()
			if err := w.Exclude(rg(10, 20)); err != nil {
				t.Fatal(err)
			}
			var panicked any
			c := start(name, func() {
				defer func() { panicked = recover() }()
				do(m)
			})
			c.waits(t)
			f.left = 0
			w.Unlock()
			c.returns(t)
			if panicked == nil {
				t.Errorf("%s does not panic", name)
			}
			f.left = -1
			usable(t, m)
		})
	}
}

// TestCompareNoOrder checks a comparison that contradicts itself: the operation panics or refuses
// the range, and the map stays in order.
func TestCompareNoOrder(t *testing.T) {
	for _, x := range []struct {
		name    string
		compare func(a, b int) int
	}{
		{"always before", func(a, b int) int { return -1 }},
		{"always after", func(a, b int) int { return 1 }},
		{"always the same", func(a, b int) int { return 0 }},
		{"never after", func(a, b int) int { return min(cmp.Compare(a, b), 0) }},
		{"not the same as itself", func(a, b int) int {
			if a == b {
				return -1
			}
			return cmp.Compare(a, b)
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			bad := false
			m := rangelock.NewFunc(func(a, b int) int {
				if bad {
					return x.compare(a, b)
				}
				return cmp.Compare(a, b)
			}, &rangelock.Options[int, string]{OnRetire: func(intRange, string) {}})
			fillTens(m, "a", "b", "", "d")
			bad = true
			refused := 0
			for _, do := range []func() error{
				func() error { return m.Insert(bg, rg(50, 60), "x") },
				func() error { return m.Insert(bg, rg(-20, -10), "x") },
				func() error { return m.Insert(bg, rg(22, 23), "x") },
			} {
				func() {
					defer func() {
						if x := recover(); x != nil {
							refused++
						}
					}()
					if err := do(); err != nil {
						refused++
					}
				}()
			}
			if refused == 0 {
				t.Error("nothing is refused")
			}
			bad = false
			ctx, cancel := context.WithTimeout(bg, time.Minute)
			defer cancel()
			w, err := m.LockContext(ctx)
			if err != nil {
				t.Fatal("the lock is still held")
			}
			w.Unlock()
			if refused == 3 {
				wantContents(t, m, "[0, 10)=a [10, 20)=b [30, 40)=d")
				usable(t, m)
			}
		})
	}
}
