// Command models checks the models of the protocols, exhaustively, with spin.
//
// Each file NAME.pml beside this program is a model of one package's protocol, or a
// part NAME_PART.pml of one; CONFORMANCE.md says which line of code each step stands for.
// The runs in runs.go check a model in several sizes, which must be verified, and with one
// step broken on purpose, which must be refuted: a checker that accepts such a broken twin
// proves nothing. A search that was cut off, by its depth or by memory, is a failure, also
// for a broken twin. With -long the command makes the longer runs instead.
//
// It needs spin and a C compiler, and at most 1.5 GB for each run, two at a time, with
// -long 3 GB. Run it in the directory verify:
//
//	go run ./models
//	go run ./models -run ranges
//	go run ./models -long
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

func main() {
	pattern := flag.String("run", "", "run only what matches `regexp` in \"model variant\"")
	long := flag.Bool("long", false, "make the larger runs, which take about ten minutes, instead")
	dir := flag.String("dir", "models", "the `directory` of the models")
	flag.Parse()
	only, err := regexp.Compile(*pattern)
	if err != nil || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	all, memory := runs, 1500
	if *long {
		all, memory = longer, 3000
	}
	if err := checkAll(ctx, *dir, all, memory, only); err != nil {
		fmt.Fprintln(os.Stderr, "models:", err)
		os.Exit(1)
	}
}

// parallel is how many runs are made at a time.
const parallel = 2

// checkAll makes those of all runs that match, each with at most that many megabytes, and
// prints a line for each. Its error says how many of them did not end as they must.
func checkAll(ctx context.Context, dir string, all []run, memory int, only *regexp.Regexp) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	began, wrong, made := time.Now(), 0, 0
	fmt.Printf("%-10s %-24s %10s %8s %7s  %s\n", "model", "variant", "states", "depth", "seconds", "verdict")
	type result struct {
		out     string
		err     error
		seconds float64
	}
	var chosen []run
	var results []chan result
	slots := make(chan bool, parallel)
	for _, r := range all {
		if !only.MatchString(r.model + " " + r.variant) {
			continue
		}
		c := make(chan result, 1)
		chosen, results = append(chosen, r), append(results, c)
		go func() {
			slots <- true
			start := time.Now()
			out, err := r.check(ctx, dir, memory)
			<-slots
			c <- result{out, err, time.Since(start).Seconds()}
		}()
	}
	for i, r := range chosen {
		made++
		done := <-results[i]
		if done.err != nil {
			return fmt.Errorf("%s %s: %w", r.model, r.variant, done.err)
		}
		f := parse(done.out)
		verdict, ok := f.verdict(r.refuted)
		if !ok {
			wrong++
		}
		fmt.Printf("%-10s %-24s %10d %8d %7.1f  %s\n", r.model, r.variant, f.states, f.depth, done.seconds, verdict)
	}
	fmt.Printf("%d runs in %.0f s\n", made, time.Since(began).Seconds())
	if made == 0 {
		return fmt.Errorf("no run matches %q", only)
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d runs did not end as they must", wrong, made)
	}
	return nil
}

// check generates, compiles and runs the checker, and returns what it printed.
func (r run) check(ctx context.Context, dir string, memory int) (string, error) {
	tmp, err := os.MkdirTemp("", "models")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	command := func(name string, args ...string) ([]byte, error) {
		c := exec.CommandContext(ctx, name, args...)
		c.Dir = tmp
		out, err := c.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%s: %w\n%s", name, err, out)
		}
		return out, err
	}
	args := append([]string{"-a"}, r.flags()...)
	if _, err := command("spin", append(args, filepath.Join(dir, r.model+".pml"))...); err != nil {
		return "", err
	}
	level := "-Og" // -O2 takes longer to compile than it saves
	if r.refuted {
		level = "-O0" // most take longer to compile than to run
	}
	build := []string{level, "-w", "-DCOLLAPSE", "-DMEMLIM=" + strconv.Itoa(memory), "-o", "pan", "pan.c"}
	search := []string{"-m4000000"}
	if r.live() {
		search = append(search, "-a", "-f") // acceptance cycles, under weak fairness
	} else {
		build = append(build, "-DSAFETY")
	}
	if _, err := command("cc", build...); err != nil {
		return "", err
	}
	out, err := command("./pan", search...)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil && len(out) == 0 {
		return "", err
	}
	return string(out), nil
}

// live reports whether the run checks liveness: that no label accept_ is passed infinitely
// often.
func (r run) live() bool { return r.model == "starve" }

// flags are spin's, one -D for each define.
func (r run) flags() (f []string) {
	for _, d := range strings.Fields(r.defines) {
		f = append(f, "-D"+d)
	}
	return f
}

// findings is what a checker printed.
type findings struct {
	states, depth int
	errors        int    // -1 if it did not print its summary
	truncated     bool   // not everything was searched
	what          string // the first error
}

var (
	summary = regexp.MustCompile(`depth reached (\d+), errors: (\d+)`)
	stored  = regexp.MustCompile(`(?m)^\s*(\d+) states, stored`)
	failure = regexp.MustCompile(`(?m)^pan:1: (.*?)( \(at depth \d+\))?$`)
	cut     = regexp.MustCompile(`max search depth too small|out of memory|reached -DMEMLIM|Search not completed`)
)

// parse reads the output of a checker.
func parse(out string) findings {
	f := findings{errors: -1}
	if m := summary.FindStringSubmatch(out); m != nil {
		f.depth, _ = strconv.Atoi(m[1])
		f.errors, _ = strconv.Atoi(m[2])
	}
	if m := stored.FindStringSubmatch(out); m != nil {
		f.states, _ = strconv.Atoi(m[1])
	}
	if m := failure.FindStringSubmatch(out); m != nil {
		f.what = m[1]
	}
	f.truncated = cut.MatchString(out)
	return f
}

// arrayIndex is an error in the model itself and refutes nothing.
const arrayIndex = "assertion violated - invalid array index"

// verdict says how the run ended, and whether it had to end like that. A refutation stops
// the search, so a refuted run need not be complete.
func (f findings) verdict(refuted bool) (string, bool) {
	broken := strings.HasPrefix(f.what, "assertion violated") && f.what != arrayIndex ||
		strings.HasPrefix(f.what, "invalid end state") || f.what == "acceptance cycle"
	switch {
	case f.errors < 0:
		return "FAILED: the checker did not end", false
	case f.errors > 0 && broken && refuted:
		return "refuted, as it must be: " + f.what, true
	case f.errors > 0:
		return "FAILED: " + f.what, false
	case refuted:
		return "FAILED: the broken twin was not refuted", false
	case f.truncated:
		return "FAILED: the search was truncated", false
	case f.states == 0:
		return "FAILED: nothing was searched", false
	}
	return "verified", true
}
