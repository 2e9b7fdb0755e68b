package schedule_test

import (
	"testing"

	. "github.com/spanlock/spanlock/internal/schedule"
)

// BenchmarkSchedule measures a schedule of two tasks with ten steps each, and thereby a
// step and a switch.
func BenchmarkSchedule(b *testing.B) {
	b.ReportAllocs()
	Explore(steps(11, 11), Options{Walks: b.N})
}
