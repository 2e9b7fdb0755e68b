// Package rangelocktest helps to test programs that use maps of package rangelock.
//
// [Check] fails a test that leaves guards behind. Call it right after making the map:
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

// A Map is a *rangelock.Map or a rangealloc.Map with any types of keys and values. K is the type
// of the keys; the compiler infers it in a call of [Check].
type Map[K any] interface {
	Stats() rangelock.Stats
	Survey() iter.Seq2[rangelock.Range[K], rangelock.RangeState]
}

// patience is how long Check waits for guards that are about to be released.
const patience = time.Second

// Check inspects m when the test ends, and fails the test with tb.Errorf if something is still
// held: a guard on a range of the map, a guard on a range that has left the map, a transaction
// that has not ended, or a Reader. The error names the ranges with the kinds and numbers of their
// guards. Under -tags spanlockdebug it also says where each guard was taken, if m has a method
// Leaks as a *rangelock.Map has.
//
// Check runs as a cleanup of [testing.TB.Cleanup]. Cleanups that are registered after the call of
// Check run before it, so call Check right after making the map. If all tests of a package share
// a map, such as [rangelock.Default], the tests must not run in parallel.
//
// Guards that are about to be released get some time: while something is held, Check looks again
// for up to a second. In a bubble of testing/synctest that is a second of the bubble's time,
// which passes when all other goroutines of the bubble are blocked. A test in which nothing is
// held does not wait.
//
// Check sees at most 1024 of the ranges that have left the map, as [rangelock.Map.Survey] does.
// It needs no build tag, and costs the map nothing before the end of the test. It panics if m is
// nil, or is a map that was not made by its constructor.
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

// settled returns what is still held of m after some time for releases.
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

// mustBeMap panics if m is nil, holds a nil map, or holds one that cannot be used. It calls a
// method of m, which panics for such a map: better here than at the end of the test.
func mustBeMap[K any](m Map[K]) {
	defer func() {
		if x := recover(); x != nil {
			panic(fmt.Sprintf("rangelocktest: Check of a nil map, or of one that was not made: %v", x))
		}
	}()
	m.Stats()
}
