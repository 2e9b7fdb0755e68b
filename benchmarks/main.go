// Command benchmarks measures the packages of spanlock in comparison with what people write
// by hand and with other locks and trees, and says which targets they meet.
// It is a module of its own, so that users of spanlock do not inherit the rivals:
//
//	cd benchmarks
//	go run .                       # all rows, in a few minutes
//	go run . -row '1|hot range'    # some, by number or name
//	go run . -full -json full.json -svg .
//	go run . -from full.json       # the table again
//
// See README.md for what is measured and how.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spanlock/spanlock/benchmarks/internal/stat"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "benchmarks:", err)
		}
		os.Exit(1)
	}
}

// options are the command's flags.
type options struct {
	quick, full, smoke bool
	rounds             int
	row                string
	json, svg, from    string
	markdown           string
	commit             string
	machine            bool
	verbose            bool
}

func run(args []string, stdout, stderr io.Writer) error {
	var o options
	f := flag.NewFlagSet("benchmarks", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.BoolVar(&o.quick, "quick", false, "measure in a few minutes; the default")
	f.BoolVar(&o.full, "full", false, "measure longer, and maps of ten million ranges")
	f.BoolVar(&o.smoke, "smoke", false, "run everything once for a very short time: the figures mean nothing")
	f.IntVar(&o.rounds, "rounds", 0, "how many rounds, instead of the mode's number")
	f.StringVar(&o.row, "row", "", "the rows to measure: a regular expression for the number or the name")
	f.StringVar(&o.json, "json", "", "write everything that was measured to this `file`")
	f.StringVar(&o.svg, "svg", "", "draw the pictures in this `directory`")
	f.StringVar(&o.markdown, "markdown", "", "write the table of targets to this `file`, for docs/performance.md")
	f.StringVar(&o.from, "from", "", "measure nothing, read this `file`, which -json has written, or several with commas between them")
	f.StringVar(&o.commit, "commit", "", "the commit to name in the report, instead of git's")
	f.BoolVar(&o.machine, "machine", false, "measure nothing, print what this runs on")
	f.BoolVar(&o.verbose, "v", false, "print on the standard error what is being measured")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unknown argument %q", f.Arg(0))
	}
	if (o.quick && o.full) || (o.quick && o.smoke) || (o.full && o.smoke) {
		return errors.New("-quick, -full and -smoke exclude each other")
	}
	if o.machine {
		_, err := io.WriteString(stdout, newReport(o.commit, o.scale()).machine())
		return err
	}
	chosen, err := choose(o.row)
	if err != nil {
		return err
	}
	if len(chosen) == 0 {
		return fmt.Errorf("-row %q matches no row", o.row)
	}

	var r *report
	if o.from != "" {
		if r, err = loadAll(strings.Split(o.from, ",")); err != nil {
			return err
		}
	} else {
		progress := io.Discard
		if o.verbose {
			progress = stderr
		}
		r = measure(chosen, o.scale(), o.commit, progress)
	}
	out := bufio.NewWriter(stdout)
	table(out, r)
	if err := out.Flush(); err != nil {
		return err
	}
	if o.json != "" {
		if err := create(o.json, r.write); err != nil {
			return err
		}
	}
	if o.markdown != "" {
		if err := create(o.markdown, func(w io.Writer) error { return markdown(w, r) }); err != nil {
			return err
		}
	}
	if o.svg != "" {
		for _, p := range pictures(r) {
			if err := create(filepath.Join(o.svg, p.file), p.write); err != nil {
				return err
			}
		}
	}
	return nil
}

// scale returns what the flags ask for.
func (o *options) scale() scale {
	sc := quick
	switch {
	case o.smoke:
		sc = smoke
	case o.full:
		sc = full
	}
	if o.rounds > 0 {
		sc.rounds = o.rounds
	}
	return sc
}

// measure measures the rows.
func measure(chosen []row, sc scale, commit string, progress io.Writer) *report {
	r := newReport(commit, sc)
	start := time.Now()
	r.Parallel = parallel(sc)
	for _, row := range chosen {
		b := &bench{scale: sc, row: row.number, progress: progress}
		row.measure(b)
		r.Cells = append(r.Cells, b.cells...)
		runtime.GC() // so that the next row does not begin with this one's heap
	}
	r.Parallel = min(r.Parallel, parallel(sc))
	r.Took = time.Since(start).Round(100 * time.Millisecond).String()
	return r
}

// parallel returns how many times as fast two goroutines are as one.
func parallel(sc scale) float64 {
	b := &bench{scale: sc}
	one, two := rmw2(), rmw2()
	one.name, one.g = "one", 1
	two.name, two.g = "two", 2
	return 2 * stat.Summarize(b.duel(1, one, two).ratios("one", "two")).Median
}

// loadAll reads the reports of one or several runs as one.
func loadAll(names []string) (*report, error) {
	r, err := load(names[0])
	if err != nil {
		return nil, err
	}
	for _, name := range names[1:] {
		other, err := load(name)
		if err != nil {
			return nil, err
		}
		if err := r.merge(other); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func load(name string) (*report, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readReport(bufio.NewReader(f))
}

// create writes a file.
func create(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
