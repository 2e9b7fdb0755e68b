package rangelock_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spanlock/spanlock/internal/invariants"
)

// lastResort bounds waits that end at once unless a test fails.
const lastResort = 20 * time.Second

// byBuild returns how often to do something that checking builds do slowly.
func byBuild(normal, checking int) int {
	if invariants.Enabled {
		return checking
	}
	return normal
}

// atEachProcs runs f with GOMAXPROCS 1, 2, 4 and 8, each a number of episodes, with
// a seed that is logged when one fails.
func atEachProcs(t *testing.T, episodes int, f func(t *testing.T, rng *rand.Rand)) {
	if testing.Short() {
		episodes = (episodes + 3) / 4
	}
	seed := rand.Uint64()
	for _, procs := range []int{1, 2, 4, 8} {
		t.Run(fmt.Sprintf("procs=%d", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			for i := range episodes {
				f(t, rand.New(rand.NewPCG(seed, uint64(procs)<<32|uint64(i))))
				if t.Failed() {
					t.Fatalf("seed %d, episode %d", seed, i)
				}
			}
		})
	}
}

// inTime fails the test, with all stacks, if f takes for ever.
func inTime(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	timer := time.NewTimer(lastResort)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		buf := make([]byte, 1<<20)
		t.Fatalf("%s: not done after %v\n%s", what, lastResort, buf[:runtime.Stack(buf, true)])
	}
}

// comesTrue lets others run until ok, and reports false when it took too long.
func comesTrue(ok func() bool) bool {
	for end := time.Now().Add(lastResort); !ok(); {
		if time.Now().After(end) {
			return false
		}
		time.Sleep(100 * time.Microsecond)
	}
	return true
}

// wantNoGoroutines fails the test if a goroutine of the packages stays.
func wantNoGoroutines(t *testing.T) {
	t.Helper()
	var stacks []byte
	gone := comesTrue(func() bool {
		buf := make([]byte, 1<<20)
		stacks = buf[:runtime.Stack(buf, true)]
		return !bytes.Contains(stacks, []byte("spanlock/epoch.")) &&
			!bytes.Contains(stacks, []byte("spanlock/rangelock.")) &&
			!bytes.Contains(stacks, []byte("spanlock/rwsem."))
	})
	if !gone {
		t.Fatalf("a goroutine stays:\n%s", stacks)
	}
}

// crowd runs one writer's transactions beside readers that run until it is done.
func crowd(t *testing.T, rng *rand.Rand, transactions int, write func(rng *rand.Rand), readers ...func(rng *rand.Rand)) {
	t.Helper()
	var stop atomic.Bool
	var wg sync.WaitGroup
	for _, read := range readers {
		seed := rng.Uint64()
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, 3))
			for !stop.Load() && !t.Failed() {
				read(rng)
				if rng.IntN(16) == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	inTime(t, "transactions", func() {
		defer wg.Wait()
		defer stop.Store(true)
		for range transactions {
			write(rng)
			if rng.IntN(8) == 0 {
				runtime.Gosched()
			}
		}
	})
}
