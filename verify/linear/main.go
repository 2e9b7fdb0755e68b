// Command linear records what goroutines do concurrently to a map and to a semaphore. For
// each history porcupine decides whether it is linearizable: whether a single goroutine that
// did all the operations in some order could have got the same results.
//
// There are many histories. Each is short, about 100 operations by 3 to 6 goroutines, so
// that the question can be decided. The times at which an operation began and ended are
// read from a shared counter. state.go says what an operation of the map may return, and
// sem.go what one of the semaphore may return.
//
//	go run ./linear -duration 10s
//	go run -tags invariants ./linear -duration 10s    # with yields in the races' windows
//
// It exits with status 1 if a history is refuted or cannot be decided, if a guard was
// not stable, if a value was retired twice, or if an episode does not end.
package main

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"time"

	"github.com/spanlock/spanlock/internal/invariants"
)

// options are the command's flags.
type options struct {
	duration time.Duration
	seed     uint64
	only     string // "map", "sem" or both
	html     string // where the picture of a refuted history goes
}

func main() {
	var o options
	flag.DurationVar(&o.duration, "duration", 10*time.Second, "how long to record and judge")
	flag.Uint64Var(&o.seed, "seed", rand.Uint64(), "seed of the episodes' random choices; it does not fix the scheduling")
	flag.StringVar(&o.only, "only", "", "map or sem; both if empty")
	flag.StringVar(&o.html, "html", "", "write the picture of a refuted history to `file`")
	flag.Parse()
	if flag.NArg() > 0 || o.only != "" && o.only != "map" && o.only != "sem" {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "linear:", err)
		os.Exit(1)
	}
}

// patience is how long an episode may take. An episode needs a few milliseconds; it takes
// this long only if a goroutine waits forever.
const patience = 30 * time.Second

// run plays episodes until the duration is over, and returns what is wrong with the
// first bad one.
func run(o options, w io.Writer) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	fmt.Fprintf(w, "seed %d, %s, yields in the windows: %v\n", o.seed, runtime.Version(), invariants.Enabled)
	var maps, sems tally
	start := time.Now()
	var err error
	for n := uint64(0); err == nil && time.Since(start) < o.duration; n++ {
		if n%64 == 0 {
			runtime.GOMAXPROCS([]int{2, 4, 8, 1}[n/64%4])
		}
		rng := rand.New(rand.NewPCG(o.seed, n))
		if o.only != "sem" {
			err = timed(func() error { return mapEpisode(rng, &maps, o.html) })
		}
		if err == nil && o.only != "map" {
			err = timed(func() error { return semEpisode(rng, &sems, o.html) })
		}
		if err != nil {
			err = fmt.Errorf("seed %d, episode %d, after %v: %w", o.seed, n, time.Since(start).Round(time.Millisecond), err)
		}
	}
	took := time.Since(start)
	maps.print(w, "map", took)
	sems.print(w, "sem", took)
	return err
}

// timed runs one episode. If the episode does not end, it reports that with all stacks.
func timed(episode func() error) error {
	done := make(chan error, 1)
	go func() { done <- episode() }()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		buf := make([]byte, 1<<20)
		return fmt.Errorf("the episode does not end\n%s", buf[:runtime.Stack(buf, true)])
	}
}
