// Segcache is a cache of file segments that are mapped on demand, with package rangelock:
// AcquireOrLoad maps a segment once on the first miss, however many goroutines ask for it. Retire
// evicts a segment, and OnRetire unmaps it when its last guard is released.
//
//	go run ./examples/segcache
//
// It lays real files, by default of Go's own source tree, end to end in one space of keys.
// Readers read random segments, some far more often than others, and check every byte against a
// checksum that was taken at the start from os.ReadFile. Meanwhile one goroutine evicts the
// segments that were not used for longest whenever the cache is over its budget. It does not wait
// for readers. A reader waits only if its segment has to be mapped.
//
// There is no safety net: a segment that is unmapped under a reader crashes the program, and a
// segment that is never unmapped is missing in the counts at the end. The exit status is 1 if a
// byte was wrong, or if the numbers of mapped and unmapped segments differ. The mappings are
// those of package mapfile.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spanlock/spanlock/examples/internal/sourcetree"
	"github.com/spanlock/spanlock/mapfile"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "segcache:", err)
		os.Exit(1)
	}
}

// options are the options of the command line.
type options struct {
	dir                     string
	duration                time.Duration
	readers                 int
	segment, budget, corpus uint64 // bytes
	seed                    uint64
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	fs := flag.NewFlagSet("segcache", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.dir, "dir", "", "map files under this `directory` (default: the source tree of the installed Go)")
	fs.DurationVar(&o.duration, "duration", 3*time.Second, "how long to read")
	fs.IntVar(&o.readers, "readers", 8, "how many goroutines read")
	fs.Uint64Var(&o.segment, "segment", 64<<10, "`bytes` of a segment, a multiple of what can be mapped, which is a page almost everywhere")
	fs.Uint64Var(&o.budget, "budget", 4<<20, "`bytes` that may be mapped before segments are evicted")
	fs.Uint64Var(&o.corpus, "corpus", 32<<20, "`bytes` of files to use at most")
	fs.Uint64Var(&o.seed, "seed", 1, "of the random keys")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	switch page := uint64(mapfile.Granularity()); {
	case fs.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q: a directory is given with -dir", fs.Arg(0))
	case o.duration <= 0 || o.readers < 1:
		return o, fmt.Errorf("-duration is %v and -readers %d: both must be above 0", o.duration, o.readers)
	case o.segment == 0 || o.segment%page != 0 || o.segment > 1<<30:
		return o, fmt.Errorf("-segment is %d: it must be a multiple of %d, up to 1 GiB", o.segment, page)
	case o.budget > 1<<40 || o.corpus > 1<<40:
		return o, fmt.Errorf("-budget is %d and -corpus %d: neither may be above 1 TiB", o.budget, o.corpus)
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
	c, err := readCorpus(ctx, o.dir, o.segment, o.corpus)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: %d files, %d bytes, %d segments of %d bytes; %d readers, budget %d bytes\n",
		c.dir, len(c.files), c.bytes, len(c.sums), c.segment, o.readers, o.budget)
	k := newCache(c, int64(o.budget))
	reads, wrong, err := k.serve(ctx, o)
	live := k.loads.Load() - k.unmaps.Load()
	if err := errors.Join(err, k.m.Close(context.WithoutCancel(ctx))); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "reads        %10d   (%.0f/s)\n", reads, float64(reads)/o.duration.Seconds())
	fmt.Fprintf(stdout, "hits         %10d   (%.1f%%)\n", reads-k.misses.Load(), 100*float64(reads-k.misses.Load())/float64(max(reads, 1)))
	fmt.Fprintf(stdout, "misses       %10d   (waits for a writer included)\n", k.misses.Load())
	fmt.Fprintf(stdout, "loads        %10d\n", k.loads.Load())
	fmt.Fprintf(stdout, "evictions    %10d\n", k.evictions.Load())
	fmt.Fprintf(stdout, "most mapped  %10d   bytes at once\n", k.peak.Load())
	fmt.Fprintf(stdout, "mapped       %10d   = %d unmapped + %d live when the readers stopped\n", k.loads.Load(), k.loads.Load()-live, live)
	fmt.Fprintf(stdout, "wrong bytes  %10d\n", wrong)
	switch {
	case wrong != 0:
		return fmt.Errorf("%d wrong bytes were read", wrong)
	case k.loads.Load() != k.unmaps.Load() || k.mapped.Load() != 0:
		return fmt.Errorf("%d segments were mapped, %d unmapped, and %d bytes are left", k.loads.Load(), k.unmaps.Load(), k.mapped.Load())
	}
	fmt.Fprintln(stdout, "Every segment that was mapped was unmapped, and no byte was wrong.")
	return nil
}

// serve runs the readers until the time is over or ctx ends. It returns the number of reads and
// the number of wrong bytes.
func (k *cache) serve(ctx context.Context, o options) (reads, wrong int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, o.duration)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return k.evict(ctx) })
	type count struct{ reads, wrong int64 }
	counts := make([]count, o.readers)
	// Popularity does not depend on the position of a segment.
	popular := rand.New(rand.NewPCG(o.seed, 0)).Perm(len(k.corpus.sums))
	for i := range counts {
		rng := rand.New(rand.NewPCG(o.seed, uint64(i)+1))
		zipf := rand.NewZipf(rng, 1.2, 8, uint64(len(popular)-1))
		group.Go(func() error {
			n := &counts[i]
			for ctx.Err() == nil {
				wrong, err := k.read(ctx, uint64(popular[zipf.Uint64()])*k.corpus.segment)
				if err != nil {
					if ctx.Err() != nil {
						break // the time is over
					}
					return err
				}
				n.reads++
				n.wrong += int64(wrong)
			}
			return nil
		})
	}
	err = group.Wait()
	for _, n := range counts {
		reads += n.reads
		wrong += n.wrong
	}
	return reads, wrong, err
}
