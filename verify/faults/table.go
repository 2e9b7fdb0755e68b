package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// A table prints results as they come and remembers the failures.
type table struct {
	w       io.Writer
	width   int // of the column of faults
	results int
	failed  []*result
}

func newTable(w io.Writer, patches []*patch) *table {
	t := &table{w: w, width: len("fault")}
	for _, p := range patches {
		t.width = max(t.width, len(p.title()))
	}
	t.print("fault", "verdict", "tries", "seconds", "test", "how")
	return t
}

func (t *table) print(fault, verdict, tries, seconds, test, how string) {
	line := fmt.Sprintf("%-*s  %-16s  %5s  %7s  %s", t.width, fault, verdict, tries, seconds, test)
	if how != "" {
		line += "  | " + how
	}
	fmt.Fprintln(t.w, line)
}

// row prints one result; verbose adds the end of the output to a kill as well.
func (t *table) row(r *result, verbose bool) {
	t.results++
	test := "-"
	if r.command != nil {
		test = r.command.pkgs + " " + r.command.test
	}
	why, _, _ := strings.Cut(r.why, "\n")
	t.print(r.patch.title(), r.verdict, fmt.Sprint(r.tries), fmt.Sprintf("%.1f", r.took.Seconds()), test, shorten(why, 72))
	if r.verdict != killed {
		t.failed = append(t.failed, r)
	} else if verbose {
		t.tail(r)
	}
}

func (t *table) tail(r *result) {
	for _, line := range r.tail {
		fmt.Fprintln(t.w, "\t"+line)
	}
}

// end prints what failed and why, and the totals.
func (t *table) end(took time.Duration) error {
	for _, r := range t.failed {
		fmt.Fprintf(t.w, "\n%s: %s\n", r.patch.file, r.verdict)
		if r.patch.what != "" {
			fmt.Fprintf(t.w, "  what: %s\n", r.patch.what)
		}
		if r.command != nil {
			fmt.Fprintf(t.w, "  command: %s\n", r.command.text)
		}
		if r.why != "" {
			fmt.Fprintf(t.w, "  why: %s\n", strings.ReplaceAll(r.why, "\n", "\n  "))
		}
		t.tail(r)
	}
	fmt.Fprintf(t.w, "\n%d killed, %d not, in %.0f s\n", t.results-len(t.failed), len(t.failed), took.Seconds())
	if len(t.failed) > 0 {
		return fmt.Errorf("%d of %d faults were not killed", len(t.failed), t.results)
	}
	return nil
}

// list prints the patches and runs nothing.
func list(w io.Writer, patches []*patch) {
	for _, p := range patches {
		fmt.Fprintf(w, "%s: %s\n", p.title(), p.what)
		if p.err != nil {
			fmt.Fprintf(w, "\tbad patch: %v\n", p.err)
		}
		for _, c := range p.commands {
			fmt.Fprintf(w, "\t%s\n", c.text)
		}
	}
}

// shorten cuts s to at most n characters.
func shorten(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
