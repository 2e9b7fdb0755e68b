package main

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spanlock/spanlock/internal/invariants"
)

// stalls widens the windows of races: when a checking build passes a named point, it
// sometimes yields the processor, and rarely sleeps. A normal build has no such points, and
// there it does nothing.
type stalls struct {
	count atomic.Int64
	seen  sync.Map // of the points' names
}

func newStalls() *stalls {
	s := &stalls{}
	invariants.SetHook(func(point string) {
		n := rand.Uint32()
		if n&15 != 0 {
			return
		}
		if n>>4&63 == 0 {
			s.seen.Store(point, true)
		}
		s.count.Add(1)
		if n>>4&4095 == 1 {
			time.Sleep(time.Duration(n>>16&511) * time.Microsecond)
			return
		}
		runtime.Gosched()
	})
	return s
}

func (s *stalls) end() { invariants.SetHook(nil) }

// points returns how many different points were passed. It notes only some of the visits,
// so a point that is rarely passed may be missing.
func (s *stalls) points() int {
	n := 0
	s.seen.Range(func(_, _ any) bool { n++; return true })
	return n
}
