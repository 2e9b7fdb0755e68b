package schedule_test

import (
	"testing"

	. "github.com/spanlock/spanlock/internal/schedule"
)

// BenchmarkSchedule is the price of a schedule of two tasks with ten steps each, and
// with it of a step and a switch.
func BenchmarkSchedule(b *testing.B) {
	b.ReportAllocs()
	Explore(steps(11, 11), Options{Walks: b.N})
}
