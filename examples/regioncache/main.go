// Regioncache routes requests as the client of a distributed database does. The keys are cut into
// regions, each led by a server. The client keeps the regions that it knows in a rangelock.Map
// with strings as keys; the last region is unbounded.
//
//	go run ./examples/regioncache
//
// The servers, which are in this process, split, merge and move regions all the time, and do not
// tell the client. The client finds out when a request is refused. Then it asks for the current
// regions, and replaces the old ones by them in one transaction. Regions that it has evicted are
// loaded with AcquireOrLoad. The keys are the identifiers in Go's own source tree.
//
// The exit status is 1 if a request was answered by a region that did not cover its key between
// request and reply, if a lookup found a gap among the regions that are never evicted, or if
// routes were lost: cached, but never retired.
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
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spanlock/spanlock/examples/internal/sourcetree"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "regioncache:", err)
		os.Exit(1)
	}
}

// options are the options of the command line.
type options struct {
	dir                            string
	duration                       time.Duration
	readers, words, regions, every int
	seed                           uint64
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	fs := flag.NewFlagSet("regioncache", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.dir, "dir", "", "take identifiers from the Go files under this `directory` (default: the source tree of the installed Go)")
	fs.DurationVar(&o.duration, "duration", 3*time.Second, "how long to send requests")
	fs.IntVar(&o.every, "every", 100, "after how many requests of a goroutine a region is split, merged or moved")
	fs.IntVar(&o.readers, "readers", 8, "how many goroutines send requests")
	fs.IntVar(&o.words, "words", 20_000, "how many keys there are")
	fs.IntVar(&o.regions, "regions", 500, "how many regions there are, about")
	fs.Uint64Var(&o.seed, "seed", 1, "of the random keys")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	switch {
	case fs.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q: a directory is given with -dir", fs.Arg(0))
	case o.duration <= 0 || o.every < 1:
		return o, fmt.Errorf("-duration is %v and -every %d: both must be above 0", o.duration, o.every)
	case o.readers < 1 || o.words < 2 || o.regions < 1:
		return o, fmt.Errorf("-readers is %d, -words %d and -regions %d: want at least 1, 2 and 1", o.readers, o.words, o.regions)
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
	words, err := sourcetree.Words(ctx, o.dir, o.words)
	if err != nil {
		return err
	}
	servers := newAuthority()
	rng := rand.New(rand.NewPCG(o.seed, 0))
	for range 8 * o.regions {
		servers.change(rng, words, o.regions)
	}
	servers.splits, servers.merges, servers.transfers = 0, 0, 0
	c, err := newClient(ctx, servers, words[len(words)/2])
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%d identifiers of %s in %d regions, one of which changes every %d requests\n", len(words), o.dir, c.m.Len(), o.every)
	lookups, err := c.serve(ctx, o, words)
	left := int64(c.m.Len())
	before := c.retired.Load()
	if err := errors.Join(err, c.m.Close(context.WithoutCancel(ctx))); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "lookups      %10d   (%.0f/s)\n", lookups, float64(lookups)/o.duration.Seconds())
	fmt.Fprintf(stdout, "splits       %10d\nmerges       %10d\nmoves        %10d\n", servers.splits, servers.merges, servers.transfers)
	fmt.Fprintf(stdout, "stale routes %10d   refused since the region was split or merged\n", c.stale.Load())
	fmt.Fprintf(stdout, "moved        %10d   refused since another server led\n", c.moved.Load())
	fmt.Fprintf(stdout, "reloads      %10d   transactions that replaced old regions by new ones\n", c.reloads.Load())
	fmt.Fprintf(stdout, "loads        %10d   of regions that had been evicted, %d of them\n", c.loads.Load(), c.evicted.Load())
	fmt.Fprintf(stdout, "wrong routes %10d\nfalse gaps   %10d\n", c.wrongRoutes.Load(), c.falseGaps.Load())
	switch {
	case c.wrongRoutes.Load() != 0 || c.falseGaps.Load() != 0:
		return fmt.Errorf("%d wrong routes, %d false gaps", c.wrongRoutes.Load(), c.falseGaps.Load())
	case c.retired.Load()-before < left:
		return fmt.Errorf("%d regions were cached at the end, and %d retired", left, c.retired.Load()-before)
	}
	fmt.Fprintln(stdout, "Every request reached the region that had its key, and no gap was seen that was not there.")
	return nil
}

// serve sends requests until the time is over, while the servers change the regions and the
// client evicts some of them. It returns how many requests were answered.
func (c *client) serve(ctx context.Context, o options, words []string) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, o.duration)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	var lookups atomic.Int64
	word := func(rng *rand.Rand) string { return words[rng.IntN(len(words))] }
	for i := range o.readers {
		group.Go(func() error {
			rng := rand.New(rand.NewPCG(o.seed, uint64(i)+1))
			n := int64(0)
			defer func() { lookups.Add(n) }()
			for ctx.Err() == nil {
				err := c.get(ctx, word(rng))
				if n++; err == nil && n%int64(o.every) == 0 {
					c.servers.change(rng, words, o.regions)
					err = c.evict(ctx, word(rng))
				}
				if err != nil {
					if ctx.Err() != nil {
						break // the time is over
					}
					return err
				}
			}
			return nil
		})
	}
	err := group.Wait()
	return lookups.Load(), err
}
