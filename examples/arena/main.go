// Arena is a cache of bytes in memory outside of the heap, which the garbage collector does not
// scan: one anonymous mapping, whose bytes package rangealloc allocates. Values are read in place
// under a guard. The least recently used values make room for new ones, but a value that is being
// read stays.
//
//	go run ./examples/arena
//
// The values are lines of real files, by default of Go's own source tree. Every value that is
// read is compared with the line that was put in, twice under one guard.
//
// The exit status is 1 if a byte was not what it should be.
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
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spanlock/spanlock/examples/internal/sourcetree"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "arena:", err)
		os.Exit(1)
	}
}

// options are the options of the command line.
type options struct {
	dir                  string
	duration             time.Duration
	workers, lines, size int
	seed                 uint64
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	fs := flag.NewFlagSet("arena", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.dir, "dir", "", "take lines from the files under this `directory` (default: the source tree of the installed Go)")
	fs.DurationVar(&o.duration, "duration", 3*time.Second, "how long to run")
	fs.IntVar(&o.workers, "workers", 8, "how many goroutines use the cache")
	fs.IntVar(&o.lines, "lines", 50_000, "how many lines there are")
	fs.IntVar(&o.size, "size", 1<<18, "`bytes` of the cache")
	fs.Uint64Var(&o.seed, "seed", 1, "of the random choices")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	switch {
	case fs.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q: a directory is given with -dir", fs.Arg(0))
	case o.duration <= 0:
		return o, fmt.Errorf("-duration is %v: it must be above 0", o.duration)
	case o.workers < 1 || o.lines < 1 || o.size < 1 || o.size > 1<<30:
		return o, fmt.Errorf("-workers is %d, -lines %d and -size %d: each must be above 0, and the size at most 1 GiB", o.workers, o.lines, o.size)
	}
	if o.dir == "" {
		o.dir, err = sourcetree.Dir()
	}
	return o, err
}

// run is the program without its process.
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
	c, err := newCache(o.size)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%d lines of %s in a cache of %d bytes\n", len(lines), o.dir, o.size)
	hits, misses, spoiled, err := c.serve(ctx, o, lines)
	if err != nil {
		return err
	}
	st := c.alloc.Stats()
	if err := c.Close(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "hits     %10d   %.1f %% of the reads\n", hits, 100*float64(hits)/float64(max(hits+misses, 1)))
	fmt.Fprintf(stdout, "misses   %10d\n", misses)
	fmt.Fprintf(stdout, "evicted  %10d\n", c.evicted.Load())
	fmt.Fprintf(stdout, "refused  %10d   for want of room beside what was being read\n", c.refused.Load())
	fmt.Fprintf(stdout, "at the end %d values; %d bytes free in %d gaps\n", st.Ranges, st.Free, st.Gaps)
	if spoiled > 0 {
		return fmt.Errorf("%d values were not what was put in", spoiled)
	}
	fmt.Fprintln(stdout, "No byte was wrong.")
	return nil
}

// serve runs the workers, which read lines through the cache, until the time is over or ctx ends.
// Some lines are asked for much more often than others.
func (c *cache) serve(ctx context.Context, o options, lines [][]byte) (hits, misses, spoiled int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, o.duration)
	defer cancel()
	var hit, miss, bad atomic.Int64
	group, working := errgroup.WithContext(ctx)
	for i := range o.workers {
		rng := rand.New(rand.NewPCG(o.seed, uint64(i)))
		group.Go(func() error {
			for working.Err() == nil {
				f := rng.Float64()
				n := int(f * f * f * float64(len(lines)))
				key, want := strconv.Itoa(n), lines[n]
				if len(want) == 0 {
					continue
				}
				if c.View(key, func(value []byte) {
					first := bytes.Equal(value, want)
					runtime.Gosched() // other workers evict meanwhile
					if !first || !bytes.Equal(value, want) {
						bad.Add(1)
					}
				}) {
					hit.Add(1)
					continue
				}
				miss.Add(1)
				if _, err := c.Set(context.WithoutCancel(ctx), key, want); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = group.Wait()
	return hit.Load(), miss.Load(), bad.Load(), err
}
