package rangelock_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// scene is a map in some state, and the arguments of an operation on it. Its context ends when an
// operation has waited for a second.
type scene struct {
	m    *intMap
	ctx  context.Context
	key  int
	r    intRange
	cost int64
	load func(context.Context, int) (intRange, string, error)

	locked  bool   // another transaction is under way, so the operation cannot begin one
	cleanUp func() // releases what keeps operations waiting
}

// scenes is the states in which operations fail. Each begins with the map
// "[0, 10)=a [10, 20)=b [20, 30)=c".
var scenes = map[string]func(t *testing.T, s *scene){
	"bad range": func(t *testing.T, s *scene) { s.key, s.r = 100, rg(33, 33) },
	"missing":   func(t *testing.T, s *scene) { s.key, s.r = 100, rg(100, 110) },
	"cut":       func(t *testing.T, s *scene) { s.key, s.r = 20, rg(5, 15) },
	"below all": func(t *testing.T, s *scene) { s.key = -5 },
	"closed":    func(t *testing.T, s *scene) { s.m.Close(bg) },
	"guard":     func(t *testing.T, s *scene) { s.guard(t, 15) },
	"guard at the end": func(t *testing.T, s *scene) {
		s.key = 20
		s.guard(t, 15)
	},
	"exclusive guard": func(t *testing.T, s *scene) {
		g, err := s.m.TryAcquireExclusive(15)
		if err != nil {
			t.Fatal(err)
		}
		s.cleanUp = func() { g.Release() }
	},
	"transaction": func(t *testing.T, s *scene) {
		w := s.m.Lock()
		if err := w.Exclude(s.r); err != nil {
			t.Fatal(err)
		}
		s.locked, s.cleanUp = true, w.Unlock
	},
	"full": func(t *testing.T, s *scene) {
		s.guard(t, 5)
		if _, err := s.m.Retire(s.ctx, rg(0, 10)); err != nil {
			t.Fatal(err)
		}
	},
	"left under a guard": func(t *testing.T, s *scene) {
		s.guard(t, 15)
		if _, err := s.m.Retire(s.ctx, rg(10, 20)); err != nil {
			t.Fatal(err)
		}
	},
	"no room": func(t *testing.T, s *scene) {
		s.key, s.r = 100, rg(100, 110)
		fillTens(s.m, "", "", "", "d", "e", "f")
	},
	"guard beside": func(t *testing.T, s *scene) {
		s.r = rg(12, 18)
		s.guard(t, 15)
	},
	"no room to split": func(t *testing.T, s *scene) { fillTens(s.m, "", "", "", "d", "e", "f") },
	"too much":         func(t *testing.T, s *scene) { s.r, s.cost = rg(0, 30), 2 },
	"load into a range": func(t *testing.T, s *scene) {
		s.key = 100
		s.load = func(context.Context, int) (intRange, string, error) {
			return rg(100, 110), "l", s.m.Insert(bg, rg(105, 115), "i")
		}
	},
	"stale loads": func(t *testing.T, s *scene) {
		s.key = 100
		s.load = func(context.Context, int) (intRange, string, error) {
			_, err := s.m.Retire(bg, rg(100, 110))
			return rg(100, 110), "l", err
		}
	},
}

// guard takes a guard that operations have to wait for.
func (s *scene) guard(t *testing.T, key int) {
	g := hold(t, s.m, key)
	s.cleanUp = func() { g.Release() }
}

// refusable is the operations that return an error, by their names in the lists of
// errors.go, apart from those of the default map.
var refusable = map[string]func(s *scene) error{
	"Map.AcquireContext":          func(s *scene) error { return released(s.m.AcquireContext(s.ctx, s.key)) },
	"Map.AcquireExclusiveContext": func(s *scene) error { return released(s.m.AcquireExclusiveContext(s.ctx, s.key)) },
	"Map.AcquireNextContext":      func(s *scene) error { return released(s.m.AcquireNextContext(s.ctx, s.key)) },
	"Map.AcquireOrLoad":           func(s *scene) error { return released(s.m.AcquireOrLoad(s.ctx, s.key, s.load)) },
	"Map.AcquirePrevContext":      func(s *scene) error { return released(s.m.AcquirePrevContext(s.ctx, s.key)) },
	"Map.TryAcquire":              func(s *scene) error { return released(s.m.TryAcquire(s.key)) },
	"Map.TryAcquireExclusive":     func(s *scene) error { return released(s.m.TryAcquireExclusive(s.key)) },
	"Map.GuardsContext": func(s *scene) error {
		for _, err := range s.m.GuardsContext(s.ctx, s.r) {
			if err != nil {
				return err
			}
		}
		return nil
	},
	"Map.Drain":      func(s *scene) error { return s.m.Drain(s.ctx) },
	"Map.DrainRange": func(s *scene) error { return s.m.DrainRange(s.ctx, s.r) },
	"Map.Close":      func(s *scene) error { return s.m.Close(s.ctx) },
	"Map.Room":       func(s *scene) error { return s.m.Room(s.ctx, s.cost) },
	"Map.Do":         func(s *scene) error { return s.m.Do(s.ctx, func(intWriter) error { return nil }) },
	"Map.LockContext": func(s *scene) error {
		w, err := s.m.LockContext(s.ctx)
		if err == nil {
			w.Unlock()
		}
		return err
	},
	"Map.RLockContext": func(s *scene) error {
		r, err := s.m.RLockContext(s.ctx)
		if err == nil {
			r.Unlock()
		}
		return err
	},
	"Reader.AcquireContext": func(s *scene) error {
		if s.locked {
			return nil
		}
		r := s.m.RLock()
		defer r.Unlock()
		return released(r.AcquireContext(s.ctx, s.key))
	},
	"Map.Insert":     func(s *scene) error { return s.m.Insert(s.ctx, s.r, "x") },
	"Map.Remove":     func(s *scene) error { return second(s.m.Remove(s.ctx, s.r)) },
	"Map.Retire":     func(s *scene) error { return second(s.m.Retire(s.ctx, s.r)) },
	"Map.Swap":       func(s *scene) error { return s.m.Swap(s.ctx, s.r, "x") },
	"Writer.Insert":  inside(func(s *scene, w intWriter) error { return w.Insert(s.r, "x") }),
	"Writer.Exclude": inside(func(s *scene, w intWriter) error { return w.Exclude(s.r) }),
	"Writer.Remove":  inside(func(s *scene, w intWriter) error { return second(w.Remove(s.r)) }),
	"Writer.Retire":  inside(func(s *scene, w intWriter) error { return second(w.Retire(s.r)) }),
	"Writer.Swap":    inside(func(s *scene, w intWriter) error { return w.Swap(s.r, "x") }),
	"Writer.Replace": inside(func(s *scene, w intWriter) error { return w.Replace(s.r, "x") }),
	"Writer.Evict": inside(func(s *scene, w intWriter) error {
		_, err := w.Evict(s.r)
		return err
	}),
	"Writer.Extract": inside(func(s *scene, w intWriter) error {
		_, _, err := w.Extract(s.key)
		return err
	}),
	"Writer.Put": inside(func(s *scene, w intWriter) error {
		if s.r == rg(5, 15) { // with an OnRetire this would have to split a value
			m, _ := tens("a", "b", "c")
			return m.Do(bg, func(w intWriter) error { return w.Put(s.r, "x") })
		}
		return w.Put(s.r, "x")
	}),
	"Writer.Update": inside(func(s *scene, w intWriter) error { return w.Update(s.key, "x") }),
	"Writer.Clear":  inside(func(s *scene, w intWriter) error { return second(w.Clear()) }),
	"Writer.Split":  inside(func(s *scene, w intWriter) error { return w.Split(s.key) }),
	"Writer.Merge":  inside(func(s *scene, w intWriter) error { return w.Merge(s.key) }),
	"Writer.Resize": inside(func(s *scene, w intWriter) error { return w.Resize(s.key, s.r) }),
	"Writer.Load": inside(func(s *scene, w intWriter) error {
		return second(w.Load(func(yield func(intRange, string) bool) { yield(s.r, "x") }))
	}),
}

// released releases a guard, if there is one, and returns the error.
func released(g intGuard, err error) error {
	if err == nil {
		g.Release()
	}
	return err
}

// inside runs f in a transaction, whose context is s.ctx unless the map is closed.
func inside(do func(s *scene, w intWriter) error) func(s *scene) error {
	return func(s *scene) error {
		if s.locked {
			return nil
		}
		w, err := s.m.LockContext(s.ctx)
		if err != nil {
			w = s.m.Lock()
		}
		defer w.Unlock()
		return do(s, w)
	}
}

// TestErrorsSeen runs each operation in each scene and compares the errors that it returns with
// the lists in the comments of the errors: no operation returns another error, and each error
// that is listed is returned at least once.
func TestErrorsSeen(t *testing.T) {
	seen := map[string]bool{} // as "Map.Drain WaitError"
	for name, prepare := range scenes {
		for op, do := range refusable {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(bg, time.Second)
				defer cancel()
				o := &rangelock.Options[int, string]{MaxPending: 1, MaxRanges: 6}
				if name != "cut" {
					o.MergeValue = func(_, _ intRange, a, b string) (string, bool) { return a + b, true }
				}
				s := &scene{m: rangelock.New(o), ctx: ctx, key: 15, r: rg(10, 20), cost: 1, cleanUp: func() {}}
				s.load = func(context.Context, int) (intRange, string, error) { return s.r, "l", nil }
				fillTens(s.m, "a", "b", "c")
				prepared := make(chan struct{})
				go func() { // its guards then belong to another goroutine than the operation's
					defer close(prepared)
					prepare(t, s)
				}()
				<-prepared
				err := do(s)
				s.cleanUp()
				note(t, seen, op, err)
				if err := s.m.Close(bg); err != nil {
					t.Errorf("Close after %s of %s: %v", op, name, err)
				}
			})
		}
	}
	seeDefault(t, seen)
	// The default map is not closed here: it would stay closed for the whole process.
	for _, op := range []string{"AcquireContext", "TryAcquire"} {
		seen[op+" ErrClosed"] = seen["Map."+op+" ErrClosed"]
	}
	listed := map[string]bool{}
	for name, text := range readSource(t, "rangelock").errors {
		if list := returnedBy.FindStringSubmatch(text); list != nil {
			for op := range strings.SplitSeq(list[1], ", ") {
				listed[op+" "+strings.TrimPrefix(name, "rangelock.")] = true
			}
		}
	}
	for _, pair := range slices.Sorted(maps.Keys(seen)) {
		if !listed[pair] {
			t.Errorf("seen and not in the list: %s", pair)
		}
	}
	for _, pair := range slices.Sorted(maps.Keys(listed)) {
		if !seen[pair] {
			t.Errorf("in the list and not seen: %s", pair)
		}
	}
}

// seeDefault makes the functions of the default map return their errors.
func seeDefault(t *testing.T, seen map[string]bool) {
	const lo = uintptr(0x5ee0_0000)
	both := func(ctx context.Context) {
		g, err := rangelock.AcquireContext(ctx, lo)
		if err == nil {
			g.Release()
		}
		note(t, seen, "AcquireContext", err)
		if g, err = rangelock.TryAcquire(lo); err == nil {
			g.Release()
		}
		note(t, seen, "TryAcquire", err)
	}
	both(bg)
	w := rangelock.Default().Lock()
	defer w.Unlock()
	r := rangelock.Span(lo, lo+1)
	if err := w.Insert(r, nil); err != nil {
		t.Fatal(err)
	}
	both(endedContext())
	if _, err := w.Remove(r); err != nil {
		t.Fatal(err)
	}
}

// note records which of the listed errors err is.
func note(t *testing.T, seen map[string]bool, op string, err error) {
	if err == nil {
		return
	}
	known := false
	for name, sentinel := range map[string]error{
		"ErrNotFound": rangelock.ErrNotFound, "ErrBusy": rangelock.ErrBusy, "ErrOverlap": rangelock.ErrOverlap,
		"ErrBadRange": rangelock.ErrBadRange, "ErrPartial": rangelock.ErrPartial, "ErrBacklog": rangelock.ErrBacklog,
		"ErrStale": rangelock.ErrStale, "ErrClosed": rangelock.ErrClosed, "ErrFull": rangelock.ErrFull,
	} {
		if errors.Is(err, sentinel) {
			seen[op+" "+name], known = true, true
		}
	}
	var ofInt *rangelock.WaitError[int]
	var ofPointer *rangelock.WaitError[uintptr]
	if errors.As(err, &ofInt) || errors.As(err, &ofPointer) {
		seen[op+" WaitError"], known = true, true
	}
	if !known {
		t.Errorf("%s returns %v, which is none of the errors", op, err)
	}
}
