package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// compareTests runs the program's own tests on both copies, and those that we have added, and
// returns a row of the table. It fails if a test passes on stock and not on ours. In the short
// size stock is left out unless a test fails on ours.
func (c *copies) compareTests(ctx context.Context, s size, v variant) ([]string, error) {
	args := []string{"test", "-json", "-count=1", "-timeout=" + s.limit.String()}
	if s.short {
		args = append(args, "-short")
	}
	if s.chosen {
		args = append(args, "-run", c.chosen+"|^"+c.own, "-skip", c.slow, "./"+c.pkg)
	} else {
		args = append(args, c.packages...)
	}
	env := slices.Concat(c.env, v.env)
	ours, err := c.suite(ctx, c.ours, env, args)
	if err != nil {
		return nil, err
	}
	if failed := ours.failed(); len(failed) > 0 && len(failed) < 4 {
		// Some tests depend on time. Only a test that also fails when it runs alone has failed.
		again, err := c.suite(ctx, c.ours, env, append(slices.Clone(args), "-run", "^("+strings.Join(failed, "|")+")$"))
		if err != nil {
			return nil, err
		}
		maps.Copy(ours.ended, again.ended)
		maps.Copy(ours.output, again.output)
	}
	row := []string{v.what, "not run", ours.String(), ""}
	if s.chosen && ours.count("fail") == 0 {
		return row, ours.added()
	}
	stock, err := c.suite(ctx, c.stock, env, args)
	if err != nil {
		return nil, err
	}
	row[1] = stock.String()
	if stock.count("pass") == 0 {
		return nil, fmt.Errorf("no test has passed on stock:\n%s", stock.rest)
	}
	return row, errors.Join(ours.added(), worse(stock, ours))
}

// worse returns an error with the output of each test that ends differently than on stock,
// unless it fails on stock.
func worse(stock, ours outcome) error {
	var errs []error
	for name, how := range stock.ended {
		if how != "fail" && ours.ended[name] != how {
			errs = append(errs, fmt.Errorf("%s: %s on stock, %q on ours\n%s", name, how, ours.ended[name], ours.output[name]))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

// outcome is how tests ended, by package and name; subtests count with their parents.
type outcome struct {
	own    string // the prefix of the names of the tests that we have added
	ended  map[string]string
	output map[string]string
	rest   string // output that belongs to no test
}

// count returns how many of the program's own tests have ended in this way.
func (o outcome) count(how string) (n int) {
	for name, h := range o.ended {
		if h == how && !o.isAdded(name) {
			n++
		}
	}
	return n
}

// failed returns the names of the tests that have failed, without their packages.
func (o outcome) failed() (names []string) {
	for id, how := range o.ended {
		if how == "fail" {
			_, name, _ := strings.Cut(id, " ")
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// added returns an error unless the tests that we have added have passed.
func (o outcome) added() error {
	passed := 0
	for name, how := range o.ended {
		switch {
		case !o.isAdded(name):
		case how == "fail":
			return fmt.Errorf("%s has failed:\n%s", name, o.output[name])
		default:
			passed++
		}
	}
	if passed == 0 {
		return fmt.Errorf("no test of %s has run:\n%s", o.own, o.rest)
	}
	return nil
}

func (o outcome) isAdded(name string) bool { return strings.Contains(name, " "+o.own) }

func (o outcome) String() string {
	text := fmt.Sprintf("%d passed", o.count("pass"))
	for _, how := range []string{"fail", "skip"} {
		if n := o.count(how); n > 0 {
			text += fmt.Sprintf(", %d %s", n, map[string]string{"fail": "failed", "skip": "skipped"}[how])
		}
	}
	return text
}

// raceTests runs the tests that we have added, and those of the program that are like them, under
// the race detector.
func (c *copies) raceTests(ctx context.Context) error {
	_, err := tool(ctx, c.ours, "test", "-count=1", "-short", "-race", "-run", c.port.race+"|^"+c.own, "-skip", c.slow, "./"+c.pkg)
	return err
}

// suite runs go test and reads its events. It returns no error for tests that fail.
func (c *copies) suite(ctx context.Context, dir string, env, args []string) (outcome, error) {
	o := outcome{own: c.own, ended: make(map[string]string), output: make(map[string]string)}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "GOWORK=off"), env...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return o, err
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e struct{ Action, Package, Test, Output string }
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return o, fmt.Errorf("go test -json printed %q: %w", lines.Text(), err)
		}
		name, _, _ := strings.Cut(e.Test, "/")
		id := e.Package + " " + name
		switch {
		case e.Test == "":
			o.rest += e.Output
		case e.Action == "output":
			o.output[id] += e.Output
		case name == e.Test && slices.Contains([]string{"pass", "fail", "skip"}, e.Action):
			o.ended[id] = e.Action
		}
	}
	if err := lines.Err(); err != nil {
		return o, err
	}
	if len(o.ended) == 0 {
		return o, fmt.Errorf("go %s has run nothing in %s: %w\n%s%s", strings.Join(args, " "), dir, err, o.rest, said.String())
	}
	return o, nil
}
