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

// This file has what several tests use to run episodes, to bound waits, and to look for
// what is left over.

// lastResort bounds waits that end at once unless a test fails.
const lastResort = 20 * time.Second

// byBuild returns a number of repetitions: checking in a checking build, which is slower, and
// normal in others.
func byBuild(normal, checking int) int {
	if invariants.Enabled {
		return checking
	}
	return normal
}

// atEachProcs runs a number of episodes of f with each of GOMAXPROCS 1, 2, 4 and 8. When one
// fails it logs the seed.
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

// inTime fails the test, with all stacks, if f does not return within lastResort.
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

// comesTrue lets other goroutines run until ok is true. It reports false if that takes longer
// than lastResort.
func comesTrue(ok func() bool) bool {
	for end := time.Now().Add(lastResort); !ok(); {
		if time.Now().After(end) {
			return false
		}
		time.Sleep(100 * time.Microsecond)
	}
	return true
}

// wantNoGoroutines fails the test if a goroutine in a function of the packages does not end.
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
		t.Fatalf("a goroutine does not end:\n%s", stacks)
	}
}

// crowd runs the transactions of one writer beside readers. The readers run until the writer
// is done.
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
