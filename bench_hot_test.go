package spanlock_test

import (
	"fmt"
	"sync/atomic"
	"testing"
)

// wordStore is a plain counter: what a guard costs if nothing is searched for and
// nothing is checked.
type wordStore struct {
	_ [128]byte
	n atomic.Uint64
	_ [120]byte
	v int
}

func (s *wordStore) read(uint64) int {
	s.n.Add(1)
	v := s.v
	s.n.Add(^uint64(0))
	return v
}

// BenchmarkHot is row 4: all goroutines on one range. Under it lies a map of a
// thousand; the others are not touched. x-word is beside a plain counter that all
// share: below 1 where the counter's line travels more than a search costs.
func BenchmarkHot(b *testing.B) {
	f := uint64Fixture(1000)
	clear(f.keys)
	for _, g := range []int{1, 2} {
		b.Run(fmt.Sprintf("g=%d", g), func(b *testing.B) {
			duel(b, g,
				reading("ours", f.keys, &spanStore[uint64]{f.ours}),
				reading("rwmutex", f.keys, f.rw),
				reading("snapshot", f.keys, f.snap),
				reading("word", f.keys, &wordStore{v: 1}),
				rmw2())
		})
	}
}
