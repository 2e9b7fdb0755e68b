// Mmapstore serves reads from memory-mapped files while the files are being remapped, and shows
// what package rangelock is for.
//
// It lays real files, by default Go's own source tree, end to end in one space of 64-bit offsets,
// and maps each into memory. Readers read blocks at random offsets, without a copy, and check
// every block against a checksum taken from the file at the start. Meanwhile a compactor maps
// files anew and swaps the new mappings in, and the old mappings are unmapped. Every store that
// merges, moves or grows files under its readers has this job.
//
//	go run ./examples/mmapstore
//
// One reader in four is slow: it keeps its block for 1 ms (-hold), like a request that sends it
// to a slow client. Two stores run in turn, half a second each, so that both run under the same
// conditions:
//
//   - spanlock: a rangelock.Map. A reader holds a guard on its range only. The
//     compactor swaps without waiting; OnRetire unmaps the old mapping after
//     the last guard on it is released.
//   - RWMutex: a B-tree behind a sync.RWMutex. A reader holds the read lock while
//     it uses the bytes. The compactor waits for the slow reader to end, and all
//     other readers wait for the compactor.
//
// The table at the end compares both. The line "unmapped after" shows the cost of spanlock:
// memory that is retired and not yet returned. With -hold 0 no reader is slow, and the table
// shows the gain without slow readers. If there are fewer processors than readers, the longest
// times come from the scheduler; on a machine that is busy with other work, so do most of the
// figures.
//
// There is no safety net. Retired mappings are unmapped with munmap. So a read through a mapping
// that was unmapped too early crashes the program or, if another file has taken the addresses,
// fails its checksum. That is intended. The mappings are those of package mapfile. On systems
// other than Unix a mapping is a copy in memory, and unmapping it overwrites every byte.
//
// With -http a browser can watch the spanlock store's map while it runs: which files' ranges are
// held, what waits, and what is retired and still held. The address is printed on standard error,
// in a line that begins with "watch ". To make the picture interesting, visitors then hold ranges
// for about a second, hold some exclusively, and exclude some while others wait. So with -http
// the figures at the end are not those of the store.
//
//	go run ./examples/mmapstore -duration 10m -http 127.0.0.1:0
//
// The exit status is 1 if a byte was wrong, if a range was reported absent that was present, if
// the numbers of mappings made, retired and unmapped differ, or if the files changed or shrank
// meanwhile. An interrupt ends the run early and prints what was measured until then; a second
// one ends the program at once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"time"

	"github.com/spanlock/spanlock/examples/internal/sourcetree"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // the second interrupt is not caught
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "mmapstore:", err)
		os.Exit(1)
	}
}

// options are the options of the command line.
type options struct {
	dir      string
	duration time.Duration
	readers  int
	hold     time.Duration
	json     bool
	seed     uint64
	http     string
	limit    limit
}

// slow returns how many readers are slow: one in four, but at least one.
func (o options) slow() int { return (o.readers + 3) / 4 }

// maxReaders is more than a machine can run; the histograms of so many readers still fit into
// memory.
const maxReaders = 10_000

func parse(args []string, stdout io.Writer) (o options, err error) {
	o.limit = defaultLimit()
	fs := flag.NewFlagSet("mmapstore", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // main prints the error, once
	fs.StringVar(&o.dir, "dir", "", "map the files under this `directory` (default: the source tree of the installed Go)")
	fs.DurationVar(&o.duration, "duration", 10*time.Second, "how long to run, both stores together")
	fs.IntVar(&o.readers, "readers", 4, "how many readers; one in four of them, at least one, is slow")
	fs.DurationVar(&o.hold, "hold", time.Millisecond, "how long a slow reader keeps its guard; 0: no reader is slow")
	fs.BoolVar(&o.json, "json", false, "print the result as JSON, times in nanoseconds")
	fs.Uint64Var(&o.seed, "seed", 1, "of the random offsets")
	fs.StringVar(&o.http, "http", "", "show the spanlock store's map in a browser at this `address`, such as 127.0.0.1:0")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fs.SetOutput(stdout)
			fmt.Fprintln(stdout, "usage: mmapstore [flags]")
			fs.PrintDefaults()
			return o, err
		}
		return o, fmt.Errorf("%w (-h lists the flags)", err)
	}
	switch {
	case fs.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q: a directory is given with -dir", fs.Arg(0))
	case o.duration <= 0:
		return o, fmt.Errorf("-duration is %v: it must be above 0", o.duration)
	case o.hold < 0:
		return o, fmt.Errorf("-hold is %v: it must not be negative", o.hold)
	case o.readers < 1 || o.readers > maxReaders:
		return o, fmt.Errorf("-readers is %d: it must be from 1 to %d", o.readers, maxReaders)
	}
	if o.dir == "" {
		o.dir, err = sourcetree.Dir()
	}
	return o, err
}

// run is the program without its process.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	p := newProgress(stderr)
	v, err := newViewer(o.http)
	if err != nil {
		return err
	}
	defer v.close()
	c, err := prepare(ctx, o, p)
	if err != nil {
		return err
	}
	r, err := measure(ctx, c, o, p, v)
	if err != nil {
		return err
	}
	if o.json {
		err = r.printJSON(stdout)
	} else {
		err = r.printTable(stdout)
	}
	return errors.Join(err, r.verdict())
}

// prepare reads the files.
func prepare(ctx context.Context, o options, p *progress) (*corpus, error) {
	var c *corpus
	var n, of atomic.Int64
	err := p.during(time.Second, func() (float64, string) {
		return float64(n.Load()) / float64(max(of.Load(), 1)),
			fmt.Sprintf("reading %s files", formatCount(uint64(of.Load())))
	}, func() (err error) {
		c, err = readCorpus(ctx, o.dir, o.limit, func(read, all int) { n.Add(1); of.Store(int64(all)) })
		return err
	})
	if errors.Is(err, context.Canceled) {
		return nil, fmt.Errorf("interrupted while reading %s", o.dir)
	}
	if err != nil {
		return nil, err
	}
	p.say("read %s files of %s, %s, in %v", formatCount(uint64(len(c.files))), c.dir, formatBytes(c.size), c.took.Round(time.Millisecond))
	if c.unreadable > 0 {
		p.say("skipped %s files or directories that cannot be read", formatCount(uint64(c.unreadable)))
	}
	if c.beyond > 0 {
		p.say("skipped %s files: no more than %s files and %s are mapped", formatCount(uint64(c.beyond)),
			formatCount(uint64(o.limit.files)), formatBytes(o.limit.bytes))
	}
	return c, nil
}

// measure runs both stores and closes them.
func measure(ctx context.Context, c *corpus, o options, p *progress, v *viewer) (*report, error) {
	var t contest
	finish := context.WithoutCancel(ctx) // an interrupt does not stop the closing
	span := newSpanStore()
	for i, st := range []store{span, newRWStore()} {
		s, err := newSide(finish, [...]string{"spanlock", "RWMutex"}[i], st, c, o)
		if err != nil {
			return nil, errors.Join(err, t.close(finish))
		}
		t.sides[i] = s
	}
	leave := v.show(ctx, span, c.files, p)
	t.tell()
	began := now()
	err := p.during(max(time.Second, o.duration/20), func() (float64, string) {
		spent := min(now()-began, o.duration)
		return float64(spent) / float64(o.duration),
			fmt.Sprintf("%.1fs of %v  %s", spent.Seconds(), o.duration, *t.status.Load())
	}, func() error { return t.run(ctx, o.duration) })
	leave()
	if err := errors.Join(err, t.close(finish)); err != nil {
		return nil, err
	}
	r := newReport(c, o, t.sides)
	r.Interrupted = ctx.Err() != nil
	return r, nil
}
