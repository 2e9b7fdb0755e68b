// Arena keeps texts in memory outside of the heap, which the garbage collector does
// not look at: one anonymous mapping, whose bytes package rangealloc gives out.
//
//	go run ./examples/arena
//
// The texts are lines of real files, by default of Go's own source tree. Owners put
// texts of one to eight lines into slots, and free those that were there, while
// readers hold guards on them: FreeLater waits for no reader, and OnRetire poisons the
// bytes when the last one has left. Every byte is compared when it is read, twice under
// one guard, when it is poisoned, and when it is given out again.
//
// The exit status is 1 if a byte was not what its owner had left, or if the texts
// allocated, freed and retired are not the same number.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spanlock/spanlock/examples/internal/sourcetree"
	"github.com/spanlock/spanlock/rangealloc"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "arena:", err)
		os.Exit(1)
	}
}

// options are the command line's.
type options struct {
	dir                                 string
	duration                            time.Duration
	owners, readers, lines, slots, size int
	seed                                uint64
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	fs := flag.NewFlagSet("arena", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.dir, "dir", "", "take lines from the files under this `directory` (default: the source tree of the installed Go)")
	fs.DurationVar(&o.duration, "duration", 3*time.Second, "how long to run")
	fs.IntVar(&o.owners, "owners", 2, "how many goroutines allocate and free")
	fs.IntVar(&o.readers, "readers", 6, "how many goroutines read")
	fs.IntVar(&o.lines, "lines", 50_000, "how many lines to take")
	fs.IntVar(&o.slots, "slots", 8_000, "how many texts there are at most")
	fs.IntVar(&o.size, "size", 1<<20, "`bytes` of the arena")
	fs.Uint64Var(&o.seed, "seed", 1, "of the random choices")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	switch {
	case fs.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q: a directory is given with -dir", fs.Arg(0))
	case o.duration <= 0:
		return o, fmt.Errorf("-duration is %v: it must be above 0", o.duration)
	case o.owners < 1 || o.readers < 1 || o.slots < 1:
		return o, fmt.Errorf("-owners is %d, -readers %d and -slots %d: each must be above 0", o.owners, o.readers, o.slots)
	case o.lines < most || o.size < 1 || o.size > 1<<30:
		return o, fmt.Errorf("-lines is %d and -size %d: want %d at least, and from 1 to 1 GiB", o.lines, o.size, most)
	}
	if o.dir == "" {
		o.dir, err = sourcetree.Dir()
	}
	return o, err
}

// run is the program, without the process around it.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	o, err := parse(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	lines, err := sourcetree.Lines(ctx, o.dir, o.lines)
	if err != nil {
		return err
	}
	a, err := newArena(o.size)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%d lines of %s; %d bytes for %d texts\n", len(lines), o.dir, o.size, o.slots)
	finish := context.WithoutCancel(ctx) // an interrupt does not stop the closing
	reads, err := a.serve(ctx, o, lines)
	if err := errors.Join(err, a.alloc.Map().Drain(finish)); err != nil {
		return err
	}
	left := a.alloc.Map().Len()
	free, pieces, largest := a.gaps()
	if err := a.close(finish); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "reads          %10d   (%.0f/s)\n", reads, float64(reads)/o.duration.Seconds())
	fmt.Fprintf(stdout, "allocs         %10d   (%.0f/s)\n", a.allocs.Load(), float64(a.allocs.Load())/o.duration.Seconds())
	fmt.Fprintf(stdout, "frees          %10d   and %d at the end\n", a.frees.Load(), left)
	fmt.Fprintf(stdout, "no space       %10d   times\n", a.full.Load())
	fmt.Fprintf(stdout, "peak           %10d   bytes in use\n", a.peak.Load())
	fmt.Fprintf(stdout, "fragmentation  %9.1f%%   of %d free bytes are not in the largest of %d gaps\n",
		100*(1-float64(largest)/float64(max(free, 1))), free, pieces)
	fmt.Fprintf(stdout, "spoiled        %10d\n", a.spoiled.Load())
	switch {
	case a.spoiled.Load() != 0:
		return fmt.Errorf("%d texts were not as their owners had left them", a.spoiled.Load())
	case a.allocs.Load() != a.retired.Load() || a.frees.Load()+int64(left) != a.retired.Load() || a.used.Load() != 0:
		return fmt.Errorf("%d texts were allocated, %d freed, %d left at the end and %d retired; %d bytes are in use",
			a.allocs.Load(), a.frees.Load(), left, a.retired.Load(), a.used.Load())
	}
	fmt.Fprintln(stdout, "Every text that was allocated was retired, and no byte was wrong.")
	return nil
}

// most is how many lines a text has at most.
const most = 8

// serve lets owners and readers work until the time is over, or ctx ends, and returns
// how many texts were read.
func (a *arena) serve(ctx context.Context, o options, lines [][]byte) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, o.duration)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	slots := make([]atomic.Int64, o.slots) // the offset of a text, plus one; 0 if there is none
	var reads atomic.Int64
	for i := range o.owners {
		rng := rand.New(rand.NewPCG(o.seed, uint64(i)))
		group.Go(func() error {
			for ctx.Err() == nil {
				if err := a.own(ctx, rng, slots, lines); err != nil && ctx.Err() == nil {
					return err
				}
			}
			return nil
		})
	}
	for i := range o.readers {
		rng := rand.New(rand.NewPCG(o.seed, 1<<32+uint64(i)))
		group.Go(func() error {
			n := int64(0)
			for ctx.Err() == nil {
				if at := slots[rng.IntN(len(slots))].Load(); at == 0 {
					runtime.Gosched()
				} else if a.read(int(at-1), runtime.Gosched) {
					n++
				}
			}
			reads.Add(n)
			return nil
		})
	}
	err := group.Wait()
	return reads.Load(), err
}

// own puts a text into a slot, and frees the one that was there. Where there is no
// room it frees only.
func (a *arena) own(ctx context.Context, rng *rand.Rand, slots []atomic.Int64, lines [][]byte) error {
	from := rng.IntN(len(lines) - most + 1)
	b := bytes.Join(lines[from:from+1+rng.IntN(most)], nil)
	at, err := a.put(ctx, b, 1<<rng.IntN(7))
	switch {
	case errors.Is(err, rangealloc.ErrNoSpace):
		a.full.Add(1)
		at = -1
	case err != nil:
		return err
	}
	// Who swaps an offset out of a slot owns the text, and frees it once.
	if old := slots[rng.IntN(len(slots))].Swap(int64(at) + 1); old != 0 {
		// It is ours to free, whatever the time.
		return a.free(context.WithoutCancel(ctx), int(old-1))
	}
	return nil
}
