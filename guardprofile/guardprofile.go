// Package guardprofile provides a [runtime/pprof] profile of the guards that are held, including
// forgotten ones, with the places where they were taken. It covers all maps of package rangelock
// in the program. The profile is named "spanlock.guards", and is off until it gets a rate:
//
//	guardprofile.SetRate(100)
//
// It is a separate package because runtime/pprof imports compression and text tables, which a
// program should carry only if it uses the profile.
package guardprofile

import (
	"runtime/pprof"

	"github.com/spanlock/spanlock/internal/samples"
)

// SetRate sets the sampling rate of the profile, and returns the previous one: on average one of
// every rate guards is sampled. Rate 1 samples all guards. Rate 0, which is the initial rate,
// turns sampling off. A negative rate changes nothing. SetRate is like
// [runtime.SetMutexProfileFraction], for guards.
//
// A sampled guard is listed in the profile "spanlock.guards" from its acquire to its Release,
// with the stack of the acquire. The profile exists once a rate above 0 was set. Then
// net/http/pprof serves it as /debug/pprof/spanlock.guards, and
//
//	pprof.Lookup("spanlock.guards").WriteTo(os.Stderr, 1)
//
// prints it. The number of held guards is about rate times the number of samples.
//
// All kinds of guards are sampled: shared ones, whether they are counted in the range or
// announced, exclusive ones, and those of a Reader, of Guards and of AcquireOrLoad. A Clone is a
// guard of its own. A guard that is already held when the rate is set is not sampled. A sample
// stays until its guard is released, even if the rate changes. At most 262143 samples are kept at
// a time; further guards are not sampled. A second release of a sampled guard through a copy
// panics.
//
// While the rate is 0, the profile costs nothing in an Acquire that neither waits nor is
// exclusive, nor in a Release: these load and compare the same words as without it. An acquire
// that waits, is exclusive, clones, or searches for the next range loads one more word of its
// map. With another rate, each acquire draws a random number, about 15 ns, and each sampled guard
// costs about 5 µs and half a kilobyte. At a rate of 100, an Acquire with its Release takes about
// twice as long; at 1, a hundred times as long.
//
// SetRate synchronizes nothing: acquires that are under way may use either rate.
func SetRate(rate int) (previous int) {
	return samples.SetRate(rate, func() samples.Profile { return pprof.NewProfile("spanlock.guards") })
}
