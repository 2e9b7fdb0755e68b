// Command ablation measures what the parts of package rangelock are worth: it takes them
// out, one at a time, and measures again.
//
// Each file NAME.patch beside this program takes one part out. It begins with lines that
// say what is taken out, what follows from that, and what to measure:
//
//	# out: the publication sequence
//	# so: a search that a transaction overtakes reports a gap that never existed
//	# cells: miss n=1000; miss n=1000 g=2
//	# on: no_lines
//
// A cell is a workload of the program in the directory probe, with the number of ranges
// and of goroutines. With "on", both sides of the comparison also lack the named part. A
// map without a part is only for measuring: some of them are wrong. A patch may also
// replace one way of doing something by another.
//
// For each patch, ablation copies the module to a temporary directory, builds the probe
// there with and without the patch, and lets the two take turns. Each round starts both
// again, so that effects of the memory layout differ from round to round. The ratio is
// taken within a round, and the table has its median and its quartiles.
//
// Run it in the directory benchmarks, on a machine that does nothing else:
//
//	go run ./ablation
//	go run ./ablation -run pinned -rounds 30
//
// -smoke only shows that everything runs, and says nothing about speed.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"time"
)

// options are the command's flags.
type options struct {
	root   string         // the module's directory; "" searches upwards
	run    *regexp.Regexp // which patches, by name; nil is all
	rounds int            // how often each pair is started
	turns  int            // how often each of the two measures in a round
	slice  time.Duration  // how long one measurement takes
}

func main() {
	o := options{rounds: 12, turns: 3, slice: 20 * time.Millisecond}
	flag.StringVar(&o.root, "root", "", "the module's `directory` (default: the nearest one upwards that has benchmarks/ablation)")
	run := flag.String("run", "", "only the patches whose names match `regexp`")
	flag.IntVar(&o.rounds, "rounds", o.rounds, "how often each pair is started and compared")
	smoke := flag.Bool("smoke", false, "one round of milliseconds, to see that everything runs")
	flag.Parse()
	if *smoke {
		o.rounds, o.turns, o.slice = 1, 1, time.Millisecond
	}
	if flag.NArg() > 0 || o.rounds < 1 {
		fmt.Fprintln(os.Stderr, "ablation: no arguments, and at least one round")
		os.Exit(2)
	}
	if *run != "" {
		re, err := regexp.Compile(*run)
		if err != nil {
			fmt.Fprintln(os.Stderr, "ablation: -run:", err)
			os.Exit(2)
		}
		o.run = re
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := ablate(ctx, o, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "ablation:", err)
		os.Exit(1)
	}
}

// ablate does what the options say, writes the table to out, and what it is doing to log.
func ablate(ctx context.Context, o options, out, log io.Writer) error {
	root, err := moduleRoot(o.root)
	if err != nil {
		return err
	}
	patches, err := readPatches(root)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ablation")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w := workshop{root: root, dir: dir, probes: make(map[string]string)}
	var rows []row
	for _, p := range patches {
		if o.run != nil && !o.run.MatchString(p.name) {
			continue
		}
		with, err := w.probe(ctx, p.on...)
		if err != nil {
			return err
		}
		without, err := w.probe(ctx, append(p.on, p)...)
		if err != nil {
			return err
		}
		for _, c := range p.cells {
			fmt.Fprintf(log, "%s: %s\n", p.name, c)
			r := row{patch: p, cell: c}
			if err := r.measure(ctx, o, with, without); err != nil {
				return fmt.Errorf("%s: %s: %w", p.name, c, err)
			}
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		return fmt.Errorf("there is no such patch")
	}
	printTable(out, conditions(ctx, root, o), rows)
	return nil
}
