package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// The verdicts. All but killed are failures.
const (
	killed      = "killed"
	survived    = "SURVIVED"
	notApplied  = "DOES NOT APPLY"
	notCompiled = "DOES NOT COMPILE"
	badPatch    = "BAD PATCH"       // the file itself is wrong
	badBaseline = "FAILS UNPATCHED" // the command does not pass without the fault
	noTest      = "NO SUCH TEST"    // it runs no test, or skips it
	hung        = "HUNG"            // the test binary did not end at its own timeout
	unclear     = "UNCLEAR"         // go test failed, but not within the test
)

// A result is a row of the table: one command of one patch.
type result struct {
	patch   *patch
	command *command // nil when the patch is bad
	verdict string
	why     string // the evidence of the kill, or what is wrong
	tries   int
	took    time.Duration // of the last run of the command
	tail    []string      // the end of its output
	done    chan struct{} // closed when all of the above is written
}

// A runner runs commands, at most o.parallel at a time.
type runner struct {
	o         options
	root      string
	scratch   string      // the directory for all that is written
	slots     chan string // free directories for patched trees; a command runs only with one of them
	pristine  string      // an unpatched tree; nothing changes it
	mu        sync.Mutex
	baselines map[string]*baseline // by the text of the command, under mu
}

// A baseline is what a command does without a fault. A command that several patches
// share runs once.
type baseline struct {
	once    sync.Once
	verdict string // "" when the command passes
	outcome *outcome
	err     error
}

// runAll runs every command of every patch. It prints a row for each, in order, as
// soon as that command and all before it are done.
func runAll(ctx context.Context, o options, root string, patches []*patch, w io.Writer) (err error) {
	scratch, err := os.MkdirTemp("", "faults")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	r := &runner{
		o: o, root: root, scratch: scratch,
		slots:     make(chan string, o.parallel),
		pristine:  filepath.Join(scratch, "pristine"),
		baselines: make(map[string]*baseline),
	}
	for i := range o.parallel {
		r.slots <- filepath.Join(scratch, fmt.Sprint("tree", i))
	}
	if err := copyTree(r.pristine, root); err != nil {
		return err
	}

	var rows []*result
	for _, p := range patches {
		commands := p.commands
		if p.err != nil {
			commands = []*command{nil}
		}
		for _, c := range commands {
			rows = append(rows, &result{patch: p, command: c, done: make(chan struct{})})
		}
	}
	start := time.Now()
	go func() {
		for _, row := range rows { // in order, so that the table grows steadily
			tree := <-r.slots
			go func() {
				r.one(ctx, row, tree)
				close(row.done)
				r.slots <- tree
			}()
		}
	}()
	t := newTable(w, patches)
	for _, row := range rows {
		<-row.done
		t.row(row, o.verbose)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return t.end(time.Since(start))
}

// one puts one fault into a copy in the directory tree, runs one command on it, and
// writes the verdict into res. It owns res and tree until it returns.
func (r *runner) one(ctx context.Context, res *result, tree string) {
	p, c := res.patch, res.command
	if p.err != nil {
		res.verdict, res.why = badPatch, p.err.Error()
		return
	}
	// There are few patched trees, and their names are used again and again, because the
	// build cache knows a package by its directory.
	if err := errors.Join(os.RemoveAll(tree), copyTree(tree, r.pristine)); err != nil {
		res.verdict, res.why = unclear, err.Error()
		return
	}
	if err := c.prune(tree); err != nil {
		res.verdict, res.why = unclear, err.Error()
		return
	}
	b := r.baselineOf(ctx, c, tree)
	if b.err != nil {
		res.verdict, res.why = unclear, b.err.Error()
		return
	}
	if b.verdict != "" {
		res.verdict, res.why = b.verdict, "on the code as it is"
		res.took, res.tail = b.outcome.took, b.outcome.tail
		return
	}
	if err := p.apply(tree); err != nil {
		res.verdict, res.why = notApplied, err.Error()
		return
	}
	for res.tries = 1; ; res.tries++ {
		o, err := c.run(ctx, tree)
		if err != nil {
			res.verdict, res.why = unclear, err.Error()
			return
		}
		res.verdict, res.why = judge(o)
		res.took, res.tail = o.took, o.tail
		// A stress test may sometimes miss its fault; other verdicts stay the same.
		if res.verdict != survived || res.tries == r.o.tries {
			return
		}
	}
}

// baselineOf returns what c does without a fault; tree has no fault yet.
func (r *runner) baselineOf(ctx context.Context, c *command, tree string) *baseline {
	r.mu.Lock()
	b := r.baselines[c.text]
	if b == nil {
		b = new(baseline)
		r.baselines[c.text] = b
	}
	r.mu.Unlock()
	b.once.Do(func() {
		b.outcome, b.err = c.run(ctx, tree)
		if b.err == nil {
			b.verdict = judgeBaseline(b.outcome)
		}
	})
	return b
}

// judgeBaseline says what is wrong with a command on the code as it is.
func judgeBaseline(o *outcome) string {
	switch {
	case o.noBuild || !o.passed:
		return badBaseline
	case !o.ran || o.skipped:
		return noTest
	}
	return ""
}

// judge gives the verdict on a command with a fault, and the reason for it.
func judge(o *outcome) (verdict, why string) {
	switch {
	case o.noBuild:
		return notCompiled, "a fault that the compiler or vet finds needs no test"
	case o.hung:
		return hung, "the test binary outlived its -timeout"
	case o.passed:
		return survived, ""
	case o.ran && o.evidence != "":
		return killed, o.evidence
	}
	return unclear, "go test failed, but no test did"
}
