package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// buildTime is what a command may take beyond its -timeout, for compiling.
const buildTime = 5 * time.Minute

// tailLines is how much of a command's output is kept.
const tailLines = 40

// An outcome is what one run of a command showed.
type outcome struct {
	passed   bool     // go test said so
	noBuild  bool     // the compiler, the linker or vet reported an error
	ran      bool     // a test that -run names has begun
	skipped  bool     // one of them was skipped, as a whole
	evidence string   // how the test failed, "" if it did not
	hung     bool     // go test, or this program, had to end the test binary
	tail     []string // the last lines of the output
	took     time.Duration
}

// An event is one line of go test -json; see go doc test2json.
type event struct {
	Action      string
	Test        string
	Output      string
	FailedBuild string
}

// run runs the command in the tree. The error says that the command could not be
// run, for example because there is no go.
func (c *command) run(ctx context.Context, tree string) (*outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout+buildTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", c.goArgs()...)
	cmd.Dir = filepath.Join(tree, c.dir)
	// Without vet, which would check each patched copy of a package again.
	cmd.Env = append(append(os.Environ(), "GOWORK=off", "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -vet=off")), c.env...)
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = cmd.Stdout
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	o := new(outcome)
	errRead := o.read(out)
	err = cmd.Wait()
	o.took = time.Since(start)
	o.passed = err == nil
	var exit *exec.ExitError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		o.hung = true
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errRead != nil:
		return nil, errRead
	case err != nil && !errors.As(err, &exit):
		return nil, err
	}
	return o, nil
}

// read reads the output until its end. A line that is not an event is an error message
// of go itself.
func (o *outcome) read(r io.Reader) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			e := event{Action: "output", Output: line}
			if strings.HasPrefix(line, "{") {
				if json.Unmarshal([]byte(line), &e) != nil {
					e = event{Action: "output", Output: line}
				}
			}
			o.take(e)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the output of go test: %w", err)
		}
	}
}

// take records one event. Only events between a test's beginning and its end count
// as evidence: a panic of TestMain or of an init function says nothing about the test.
func (o *outcome) take(e event) {
	switch e.Action {
	case "build-fail":
		o.noBuild = true
	case "run":
		o.ran = true
	case "skip":
		if e.Test != "" && !strings.Contains(e.Test, "/") {
			o.skipped = true
		}
	case "fail":
		if e.FailedBuild != "" {
			o.noBuild = true
		}
		if e.Test != "" && o.evidence == "" {
			o.evidence = "--- FAIL: " + e.Test
		}
	case "output", "build-output":
		o.keep(e.Output)
		// Go's tool writes this when a test binary outlives its own timeout.
		if strings.HasPrefix(e.Output, "*** Test killed") {
			o.hung = true
		}
		if e.Test != "" {
			o.look(strings.TrimRight(e.Output, "\n"))
		}
	}
}

// look looks for a line that shows how a test ended that could not report its failure.
// Such a line is better evidence than the "--- FAIL" that may follow it.
func (o *outcome) look(line string) {
	if o.evidence != "" && !strings.HasPrefix(o.evidence, "--- FAIL") {
		return
	}
	switch {
	case strings.HasPrefix(line, "panic: "), strings.HasPrefix(line, "fatal error: "):
		o.evidence = line
	case strings.HasPrefix(line, "WARNING: DATA RACE"):
		o.evidence = "data race"
	}
}

func (o *outcome) keep(text string) {
	if len(o.tail) == tailLines {
		o.tail = append(o.tail[:0], o.tail[1:]...)
	}
	o.tail = append(o.tail, strings.TrimRight(text, "\n"))
}
