package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"
)

// A size says how much is tested and measured.
type size struct {
	chosen bool          // the chosen tests only
	limit  time.Duration // of all tests of a package together
	short  bool          // with -short
	lists  []string      // kinds of free list
	race   bool          // some under the race detector, too
	reader time.Duration // how long the long reader reads
	grows  int           // rounds of that
	slice  time.Duration // of everything else
	rounds int           // of that
}

var (
	small = size{chosen: true, limit: 3 * time.Minute, short: true, lists: []string{"hashmap"}, reader: 300 * time.Millisecond, grows: 3, slice: 10 * time.Millisecond, rounds: 21}
	usual = size{limit: 10 * time.Minute, short: true, lists: []string{"hashmap"}, reader: 2 * time.Second, grows: 3, slice: 20 * time.Millisecond, rounds: 101}
	large = size{limit: time.Hour, lists: []string{"hashmap", "array"}, race: true, reader: 2 * time.Second, grows: 5, slice: 20 * time.Millisecond, rounds: 401}
)

// run does everything, in dir, and writes the table to out. Its error says what is worse than
// in the stock program: a test that fails, or a result that makes no sense.
func run(ctx context.Context, dir, version string, s size, out io.Writer) error {
	switch runtime.GOOS {
	case "linux", "darwin", "freebsd", "netbsd", "openbsd", "dragonfly":
	default:
		return fmt.Errorf("only where bbolt is built from bolt_unix.go, and this is %s", runtime.GOOS)
	}
	c, err := prepare(ctx, dir, version)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "bbolt %s, %s, %s/%s, %s\n\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH, time.Now().Format(time.DateOnly))
	if s.race {
		if err := c.race(ctx); err != nil {
			return err
		}
	}
	var t table
	for _, list := range s.lists {
		tested, err := c.compareTests(ctx, s, list)
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

// A table is what is printed at the end.
type table struct{ rows [][]string }

func (t *table) String() string {
	var b strings.Builder
	b.WriteString("| | stock | on rangelock | × |\n|---|---|---|---|\n")
	for _, r := range t.rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(r, " | "))
	}
	return b.String()
}
