//go:build !spanlockdebug

package main

import "testing"

// TestReadAllocates is left out under spanlockdebug, where every guard notes the
// stack that acquired it.
func TestReadAllocates(t *testing.T) {
	eachStore(t, func(t *testing.T, s *side) {
		r := s.readers[1]
		n := testing.AllocsPerRun(1000, func() {
			r.off = r.rng.Uint64N(s.corpus.size)
			if !s.store.read(r.off, r.use) {
				t.Error("not found")
			}
		})
		if n != 0 {
			t.Errorf("a read allocates %v times", n)
		}
	})
}
