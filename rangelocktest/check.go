// Package rangelocktest helps programs to test how they use a map of package rangelock.
//
// [Check] fails a test that has left guards behind. One line behind the making of the map is
// all that it takes:
//
//	m := rangelock.New[int64, []byte](nil)
//	rangelocktest.Check(t, m)
package rangelocktest

import (
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// Map is a map that can be checked: a *rangelock.Map or a rangealloc.Map, whatever its keys
// and values are. K is its type of keys, which the compiler finds by itself in a call of
// [Check].
type Map[K any] interface {
	Stats() rangelock.Stats
	Survey() iter.Seq2[rangelock.Range[K], rangelock.RangeState]
}

// patience is how long Check waits for goroutines that are about to release.
const patience = time.Second

// Check looks at m when the test ends, and fails the test by tb.Errorf if anything of m is
// held then: a guard on a range of the map, a guard on a range that has left the map, a
// transaction that has not ended, or a Reader. The error names the ranges with the kinds and
// numbers of their guards. Under -tags spanlockdebug it also says of each guard where it was
// taken, if m has a method Leaks as a *rangelock.Map has.
//
// The end is that of [testing.TB.Cleanup]: what was registered after the call of Check, with
// tb.Cleanup, has run by then, so a test calls Check right after it has made the map. For a
// map of all tests of a package, such as [rangelock.Default], the tests must not run in
// parallel.
//
// Goroutines that are about to release get a moment: while something is held, Check looks
// again for up to a second. In a bubble of testing/synctest that is a second of the bubble's
// time, which passes when all other goroutines of the bubble are blocked. A test in which
// nothing is held does not wait.
//
// Of the ranges that have left the map Check sees 1024 at most, as [rangelock.Map.Survey]
// does. It needs no build tag, and costs the map nothing before the end of the test. It panics
// if m is nil, or is a map that nobody has made.
func Check[K any](tb testing.TB, m Map[K]) {
	tb.Helper()
	mustBeMap(m)
	tb.Cleanup(func() {
		tb.Helper()
		if left := settled(m); left.any() {
			tb.Errorf("%s", left.text(m))
		}
	})
}

// settled returns what is held of m when everybody had a moment to release.
func settled[K any](m Map[K]) remains {
	pause := 50 * time.Microsecond
	for start := time.Now(); ; {
		left := look(m)
		if !left.any() || time.Since(start) >= patience {
			return left
		}
		time.Sleep(pause)
		pause = min(2*pause, patience/20)
	}
}

// mustBeMap panics if m is nil, holds a nil map, or one that cannot be used. It asks m
// itself, which panics at the first use of such a map: better here than at the test's end.
func mustBeMap[K any](m Map[K]) {
	defer func() {
		if x := recover(); x != nil {
			panic(fmt.Sprintf("rangelocktest: Check of a nil map, or of one that was not made: %v", x))
		}
	}()
	m.Stats()
}
