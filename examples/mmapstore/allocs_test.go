//go:build !spanlockdebug

package main

import "testing"

// TestReadAllocates does not run under spanlockdebug, where every guard records the stack of its
// acquire.
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
