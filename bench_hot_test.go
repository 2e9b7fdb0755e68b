package spanlock_test

import (
	"fmt"
	"sync/atomic"
	"testing"
)

// wordStore is a plain counter: the cost of a guard without a search and without a check.
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

// BenchmarkHot is row 4: all goroutines use one range of a map of a thousand ranges. x-word
// compares with a plain counter that all goroutines share: it is below 1 if moving the counter's
// cache line costs more than a search.
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
