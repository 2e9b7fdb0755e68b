package rangelock_test

import (
	"errors"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

var errSource = errors.New("no such block")

// loadFailures is the ways in which a load of 15 can fail, in a map with [0, 10) and [20, 30).
var loadFailures = []struct {
	name string
	load func() (intRange, string, error)
	want error // what the caller for 15 gets; nil for a panic or a Goexit
}{
	{"error", func() (intRange, string, error) { return intRange{}, "", errSource }, errSource},
	{"panic", func() (intRange, string, error) { panic(errSource) }, nil},
	{"goexit", func() (intRange, string, error) { runtime.Goexit(); return intRange{}, "", nil }, nil},
	{"upside down", loaded(20, 10, "bad"), rangelock.ErrBadRange},
	{"not covering", loaded(17, 19, "bad"), rangelock.ErrBadRange},
	{"overlap", loaded(5, 20, "bad"), rangelock.ErrOverlap},
}

// TestLoadFailureOfAnotherKey: a caller that waits for a load only because its key lies in the
// same gap is not told the failure of that load. It searches again, and loads.
//
// Kills 41_outcome_of_another.
func TestLoadFailureOfAnotherKey(t *testing.T) {
	for _, x := range loadFailures {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, rec := tens("a", "", "c")
				h, other := newGatedLoad(), newGatedLoad()
				a := ask(bg, m, 15, h.load)
				a.waits(t)
				b, c := ask(bg, m, 18, other.load), ask(bg, m, 15, noLoad(t))
				b.waits(t)
				c.waits(t)
				if other.calls.Load() != 0 {
					t.Fatal("two loads in one gap")
				}
				h.send <- x.load
				for _, own := range []*asker{a, c} {
					if x.want != nil {
						own.fails(t, x.want)
					} else if own.returns(t); own.err == nil && own.panicked == nil {
						t.Errorf("%s succeeds", own.name)
					}
				}
				b.waits(t)
				if other.calls.Load() != 1 {
					t.Fatal("the caller for 18 does not load for itself")
				}
				other.send <- loaded(16, 20, "b")
				b.gets(t, "b")
				want := ""
				if x.want == rangelock.ErrBadRange || x.want == rangelock.ErrOverlap {
					want = "bad"
				}
				if rec.String() != want {
					t.Errorf("retired are %q, want %q", rec, want)
				}
				wantContents(t, m, "[0, 10)=a [16, 20)=b [20, 30)=c")
				usable(t, m)
			})
		})
	}
}

// TestLoadFailureOfRange: with Options.LoadRange the keys of a range are loaded by one load, so
// its failure is told to the callers of all of them. Callers of the next range are not told.
func TestLoadFailureOfRange(t *testing.T) {
	for _, x := range loadFailures {
		if x.name == "overlap" {
			x.load = loaded(10, 20, "bad") // with the range that is inserted below
		}
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := rangelock.New(&rangelock.Options[int, string]{LoadRange: tenOf})
				h, other := newGatedLoad(), newGatedLoad()
				a := ask(bg, m, 15, h.load)
				a.waits(t)
				b, c := ask(bg, m, 18, noLoad(t)), ask(bg, m, 25, other.load)
				b.waits(t)
				c.waits(t)
				if x.name == "overlap" {
					if err := m.Insert(bg, rg(10, 11), "in the way"); err != nil {
						t.Fatal(err)
					}
				}
				h.send <- x.load
				for _, own := range []*asker{a, b} {
					if x.want != nil {
						own.fails(t, x.want)
					} else if own.returns(t); own.err == nil && own.panicked == nil {
						t.Errorf("%s succeeds", own.name)
					}
				}
				c.waits(t)
				other.send <- loaded(20, 30, "c")
				c.gets(t, "c")
				usable(t, m)
			})
		})
	}
}

// tenOf is a LoadRange. It returns the block of ten keys that key lies in.
func tenOf(key int) intRange { return rg(key/10*10, key/10*10+10) }

// TestLoadNotTheRange: a load that returns another range than Options.LoadRange has said fails,
// because other callers rely on that range. The value is retired.
func TestLoadNotTheRange(t *testing.T) {
	for _, r := range []intRange{rg(10, 19), rg(11, 20), rg(10, 21), rg(0, 20), rangelock.From(10), rg(15, 16)} {
		synctest.Test(t, func(t *testing.T) {
			rec := &recorder{}
			m := rangelock.New(&rangelock.Options[int, string]{
				LoadRange: tenOf,
				OnRetire:  func(_ intRange, v string) { rec.add(v) },
			})
			h := newGatedLoad()
			a := ask(bg, m, 15, h.load)
			a.waits(t)
			h.send <- func() (intRange, string, error) { return r, "v", nil }
			a.fails(t, rangelock.ErrBadRange, r.String(), "[10, 20)")
			if synctest.Wait(); rec.String() != "v" {
				t.Errorf("%v: retired are %q", r, rec)
			}
			wantContents(t, m, "")
			usable(t, m)
		})
	}
}
