package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// printTable writes the conditions and the rows in Markdown.
func printTable(w io.Writer, conditions []string, rows []row) {
	for _, line := range conditions {
		fmt.Fprintf(w, "- %s\n", line)
	}
	fmt.Fprint(w, "\n| left out | workload | with, ns | without, ns | without / with | rmw2, ns | allocations, bytes an operation |\n"+
		"|---|---|---:|---:|---:|---:|---|\n")
	for _, r := range rows {
		with, without := middle(r.with), middle(r.without)
		same := func(x float64) float64 { return x }
		fmt.Fprintf(w, "| %s | %s | %.1f | %.1f | %.2f (%.2f … %.2f) | %.1f | %s |\n",
			r.patch.name, r.cell, with.ns, without.ns,
			quantile(r.ratios, 0.5, same), quantile(r.ratios, 0.25, same), quantile(r.ratios, 0.75, same),
			(with.rmw2+without.rmw2)/2, garbage(with, without))
	}
	fmt.Fprintln(w)
	for i, r := range rows {
		if i > 0 && rows[i-1].patch == r.patch {
			continue
		}
		fmt.Fprintf(w, "- **%s**: %s. Without: %s.", r.patch.name, r.patch.out, r.patch.so)
		for _, base := range r.patch.on {
			fmt.Fprintf(w, " Both sides are without %s.", base.name)
		}
		fmt.Fprintln(w)
	}
}

// garbage says what an operation allocates with and without the part. Allocations of the
// collector, or of starting a goroutine to measure, do not count.
func garbage(with, without sample) string {
	say := func(s sample) string {
		if s.allocs < 0.05 {
			return "0"
		}
		return fmt.Sprintf("%.1f, %.0f B", s.allocs, s.bytes)
	}
	a, b := say(with), say(without)
	if a == b {
		return a
	}
	return a + " → " + b
}

// conditions says what was measured, on what and how.
func conditions(ctx context.Context, root string, o options) []string {
	return []string{
		"commit " + commit(ctx, root),
		fmt.Sprintf("%s, %s/%s, %d processors (%s)", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), processor()),
		fmt.Sprintf("%d rounds; in each both are started again and take turns of %v; the medians over the rounds, and for the ratio also the quartiles", o.rounds, o.slice),
		"rmw2: two atomic additions to an own cache line, on as many goroutines; if it takes much longer for g=2, there was no second processor and the row says nothing",
	}
}

// commit names what is checked out in root.
func commit(ctx context.Context, root string) string {
	cmd := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--abbrev=12")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// processor returns the name of the processor model, if the system reports it.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimLeft(strings.TrimSpace(name), ": ")
		}
	}
	return "unknown"
}
