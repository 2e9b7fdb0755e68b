package spanlock_test

import (
	"fmt"
	"testing"

	"github.com/spanlock/spanlock/guardprofile"
)

// BenchmarkGuardProfile measures what the profile spanlock.guards costs an Acquire with its
// Release when it is off, when it samples one guard in a hundred, and when it samples all. The
// map has a thousand ranges. x-off is the inverse of the factor.
func BenchmarkGuardProfile(b *testing.B) {
	defer guardprofile.SetRate(guardprofile.SetRate(-1))
	f := uint64Fixture(1000)
	at := func(rate int, name string) contender {
		c := reading(name, f.keys, &spanStore[uint64]{f.ours})
		run := c.run
		c.run = func(worker, n int) {
			guardprofile.SetRate(rate)
			run(worker, n)
		}
		return c
	}
	for _, g := range []int{1, 2} {
		b.Run(fmt.Sprintf("g=%d", g), func(b *testing.B) {
			duel(b, g, at(0, "off"), at(100, "rate100"), at(1, "rate1"), rmw2())
		})
	}
}
