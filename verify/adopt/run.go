package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"
)

// run does everything for one program, in dir, and writes the table to out. Its error says what
// is worse than in the stock program: a test that fails, or a wait that has not gone away.
func run(ctx context.Context, dir string, p port, s size, out io.Writer) error {
	switch runtime.GOOS {
	case "linux", "darwin", "freebsd", "netbsd", "openbsd", "dragonfly":
	default:
		return fmt.Errorf("the rewriting is for Unix, and this is %s", runtime.GOOS)
	}
	c, err := prepare(ctx, dir, p)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s %s, %s, %s/%s, %s\n\n", p.path, p.version, runtime.Version(), runtime.GOOS, runtime.GOARCH, time.Now().Format(time.DateOnly))
	if s.race {
		if err := c.raceTests(ctx); err != nil {
			return err
		}
	}
	var t table
	for _, v := range p.variants[:min(s.variants, len(p.variants))] {
		tested, err := c.compareTests(ctx, s, v)
		if err != nil {
			return err
		}
		t.rows = append(t.rows, tested)
	}
	if err := c.measure(ctx, s, &t); err != nil {
		return err
	}
	_, err = io.WriteString(out, t.String())
	return err
}

// A table is printed at the end.
type table struct{ rows [][]string }

func (t *table) String() string {
	var b strings.Builder
	b.WriteString("| | stock | on rangelock | × |\n|---|---|---|---|\n")
	for _, r := range t.rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(r, " | "))
	}
	return b.String()
}
