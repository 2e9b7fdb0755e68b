// Command torture runs the map, the epoch domain and the semaphore under all kinds of
// readers and writers for a given time, like the Linux kernel's rcutorture and locktorture.
// It counts events that must not happen.
//
//	go run ./torture -duration 30s
//	go run -tags invariants ./torture -duration 30s    # with stalls in the races' windows
//	go run ./torture -seed 7 -procs 2,8 -part map
//
// Each retired value is a page outside of Go's heap. It is protected at once, so that a use
// after retirement is a fault. See docs/verification-torture.md for the other checks. The
// exit status is 1 after any violation.
package main

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spanlock/spanlock/internal/invariants"
)

// options are the command's flags.
type options struct {
	duration time.Duration
	seed     uint64
	procs    []int
	parts    string
	readers  int
	writers  int
	patience time.Duration // how long a worker may make no step
}

func main() {
	var o options
	procs := flag.String("procs", "1,2,4,8", "values of GOMAXPROCS that take turns, `a,b,c`")
	flag.DurationVar(&o.duration, "duration", 30*time.Second, "how long, all parts together")
	flag.Uint64Var(&o.seed, "seed", rand.Uint64(), "seed of the workers' random choices; it does not fix the scheduling")
	flag.StringVar(&o.parts, "part", "map,epoch,sem", "which parts")
	flag.IntVar(&o.readers, "readers", 4, "goroutines that read")
	flag.IntVar(&o.writers, "writers", 2, "goroutines that write")
	flag.DurationVar(&o.patience, "patience", 10*time.Second, "how long a worker may make no step before it counts as hung")
	flag.Parse()
	for s := range strings.SplitSeq(*procs, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			fmt.Fprintf(os.Stderr, "torture: -procs %s: %q is not a number of processors\n", *procs, s)
			os.Exit(2)
		}
		o.procs = append(o.procs, n)
	}
	if flag.NArg() > 0 || o.readers < 1 || o.writers < 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		os.Exit(1)
	}
}

// A part is one thing under torture. Its methods are called in this order.
type part interface {
	begin(b *bench)    // starts the workers
	progress() string  // may be called while they run
	finish(b *bench)   // after they have ended: frees everything and checks what is left
	totals() []string  // lines for the table
	share() (int, int) // of the duration, as a fraction
}

// run tortures one part after the other and prints the table. The error says how many
// violations there were; they have been printed before.
func run(o options, w io.Writer) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	fmt.Fprintf(w, "seed %d, %s %s/%s, %d processors, stalls in the windows: %v\n",
		o.seed, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), invariants.Enabled)
	stalls := newStalls()
	defer stalls.end()
	all := []struct {
		name string
		make func() (part, error)
	}{{"map", newMapPart}, {"epoch", newEpochPart}, {"sem", newSemPart}}
	var benches []*bench
	var total int
	var weight time.Duration
	for _, p := range all {
		if strings.Contains(","+o.parts+",", ","+p.name+",") {
			total++
		}
	}
	if total == 0 {
		return fmt.Errorf("there is no part %q", o.parts)
	}
	for _, p := range all {
		if !strings.Contains(","+o.parts+",", ","+p.name+",") {
			continue
		}
		it, err := p.make()
		if err != nil {
			return err
		}
		if n, of := it.share(); total == len(all) {
			weight = o.duration * time.Duration(n) / time.Duration(of)
		} else {
			weight = o.duration / time.Duration(total)
		}
		b := newBench(p.name, o, w, it)
		benches = append(benches, b)
		if !b.run(weight) {
			break // its workers hang, and what they hold cannot be released
		}
	}
	return table(w, benches, stalls)
}

// table prints what was done and what was wrong.
func table(w io.Writer, benches []*bench, stalls *stalls) error {
	fmt.Fprintf(w, "\n%-7s%15s%12s%12s%8s  %s\n", "part", "reads", "M reads/s", "writes", "errors", "fairness: operations of a worker, least/most, and longest wait")
	var reads, writes uint64
	var errors int64
	for _, b := range benches {
		r, wr := b.sum(reader), b.sum(writer)
		reads, writes, errors = reads+r, writes+wr, errors+b.errors.Load()
		fmt.Fprintf(w, "%-7s%15d%12.1f%12d%8d  %s\n", b.name, r, float64(r)/b.took.Seconds()/1e6, wr, b.errors.Load(), b.fairness())
	}
	fmt.Fprintf(w, "%-7s%15d%12s%12d%8d\n", "all", reads, "", writes, errors)
	for _, b := range benches {
		for _, line := range b.part.totals() {
			fmt.Fprintf(w, "%s: %s\n", b.name, line)
		}
	}
	if n := stalls.points(); n > 0 {
		fmt.Fprintf(w, "stalled or yielded in %d windows, %d times\n", n, stalls.count.Load())
	}
	if errors > 0 {
		return fmt.Errorf("%d violations", errors)
	}
	return nil
}
