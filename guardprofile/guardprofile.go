// Package guardprofile is a profile of package [runtime/pprof] that shows where the guards
// were taken that are held now, or were forgotten: those of all maps of package rangelock in
// the program. It is named "spanlock.guards", and is off until it gets a rate:
//
//	guardprofile.SetRate(100)
//
// It is a package of its own because runtime/pprof comes with compression and tables of text,
// which a program that does not ask for it should not carry.
package guardprofile

import (
	"runtime/pprof"

	"github.com/spanlock/spanlock/internal/samples"
)

// SetRate sets how many guards are taken for each that is sampled, on average, and returns
// what it was. 1 samples all, 0 turns sampling off, as it is at first, and a negative rate
// changes nothing. It is [runtime.SetMutexProfileFraction] for guards.
//
// A sampled guard is listed in the profile "spanlock.guards" from its acquire to its Release,
// with the stack of its acquire. The profile is there from the first rate above 0 on:
// net/http/pprof serves it then as /debug/pprof/spanlock.guards, and
//
//	pprof.Lookup("spanlock.guards").WriteTo(os.Stderr, 1)
//
// prints it. About rate times as many guards are held as it shows.
//
// All kinds of guards are sampled: shared ones, whether they are counted in the range or
// announced, exclusive ones, those of a Reader, of Guards and of AcquireOrLoad. A Clone is a
// guard of its own. Guards that are held when the rate is set are not sampled later, and
// samples stay, whatever the rate becomes, until their guard is released. At most 262143 are
// kept at a time; guards beyond are not sampled. A second release of a copy of a sampled guard
// panics.
//
// While the rate is 0 it costs nothing where an acquire that neither waits nor is exclusive
// meets its range, nor in a Release: these load and compare what they would without it. An acquire
// that waits, is exclusive, clones or looks for the next range loads one more word of its map.
// With another rate each acquire draws a random number, about 15 ns, and each guard that is
// sampled costs about 5 µs and half a kilobyte: at a rate of 100 an Acquire with its Release
// takes about twice as long, at 1 a hundred times.
//
// It synchronizes nothing: acquires under way may go by either rate.
func SetRate(rate int) (previous int) {
	return samples.SetRate(rate, func() samples.Profile { return pprof.NewProfile("spanlock.guards") })
}
