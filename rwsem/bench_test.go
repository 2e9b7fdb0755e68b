package rwsem_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/spanlock/spanlock/rwsem"
)

// BenchmarkPair compares Sem with sync.RWMutex: lock and unlock, by g= goroutines, where
// one pair in write= is a write pair (0: none, 1: all). Only cells of one run can be
// compared; -count makes the rounds, with the two locks in turn.
func BenchmarkPair(b *testing.B) {
	for _, w := range []int{0, 1, 10, 100} {
		for _, g := range []int{1, 2} {
			b.Run(fmt.Sprintf("write=%d/g=%d/lock=rwmutex", w, g), func(b *testing.B) {
				var l struct {
					sync.RWMutex
					n int
					_ [128]byte
				}
				inParallel(b, g, func(n int) {
					for i := range n {
						if writes(w, i) {
							l.Lock()
							l.n++
							l.Unlock()
						} else {
							l.RLock()
							_ = l.n
							l.RUnlock()
						}
					}
				})
			})
			b.Run(fmt.Sprintf("write=%d/g=%d/lock=rwsem", w, g), func(b *testing.B) {
				var l struct {
					rwsem.Sem
					n int
					_ [128]byte
				}
				inParallel(b, g, func(n int) {
					for i := range n {
						if writes(w, i) {
							l.Lock()
							l.n++
							l.Unlock()
						} else {
							l.RLock()
							_ = l.n
							l.RUnlock()
						}
					}
				})
			})
		}
	}
}

// writes reports whether turn i is a write when one turn in w is.
func writes(w, i int) bool { return w == 1 || w > 1 && i%w == 0 }

// inParallel divides b.N turns among g goroutines. The bodies are in the callers, once for
// each type: behind an interface or a type parameter nothing would be inlined.
func inParallel(b *testing.B, g int, f func(n int)) {
	var wg sync.WaitGroup
	b.ResetTimer()
	for i := range g {
		n := (b.N + i) / g
		wg.Go(func() { f(n) })
	}
	wg.Wait()
}
