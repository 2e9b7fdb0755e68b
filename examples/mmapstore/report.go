package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// A report is the result of one run. Its JSON form is the output of -json. Times are in
// nanoseconds.
type report struct {
	Dir         string        `json:"dir"`
	Files       int           `json:"files"`
	Bytes       uint64        `json:"bytes"`
	Blocks      int           `json:"blocks"`
	Empty       int           `json:"skipped_empty"`
	Unreadable  int           `json:"skipped_unreadable"`
	Beyond      int           `json:"skipped_beyond_limit"`
	Mapped      string        `json:"mapped"`
	Readers     int           `json:"readers"`
	SlowReaders int           `json:"slow_readers"`
	Hold        time.Duration `json:"hold_ns"`
	Duration    time.Duration `json:"duration_ns"`
	Seed        uint64        `json:"seed"`
	Interrupted bool          `json:"interrupted"`
	Go          string        `json:"go"`
	Platform    string        `json:"platform"`
	GOMAXPROCS  int           `json:"gomaxprocs"`
	Commit      string        `json:"commit,omitempty"`
	Stores      []result      `json:"stores"`
	ReadGain    float64       `json:"read_gain,omitempty"`  // reads/s of the first store by those of the second
	RemapGain   float64       `json:"remap_gain,omitempty"` // remaps/s likewise
	OK          bool          `json:"ok"`
}

// A result is the result of one side.
type result struct {
	Name            string        `json:"name"`
	Elapsed         time.Duration `json:"elapsed_ns"`
	Reads           uint64        `json:"reads"`
	ReadsPerSecond  float64       `json:"reads_per_second"`
	Read            quantiles     `json:"read_ns"`
	Stalled         float64       `json:"stalled_share"`
	Remaps          uint64        `json:"remaps"`
	RemapsPerSecond float64       `json:"remaps_per_second"`
	RemapWait       quantiles     `json:"remap_wait_ns"`
	UnmapDelay      quantiles     `json:"unmap_delay_ns"`
	Absent          uint64        `json:"reads_in_a_gap"`
	Outlived        uint64        `json:"kept_through_a_remap"`
	Made            int64         `json:"mappings_made"`
	Retired         int64         `json:"mappings_retired"`
	Unmapped        int64         `json:"mappings_unmapped"`
	Phantoms        uint64        `json:"false_gaps"`
	WrongBytes      uint64        `json:"wrong_bytes"`
}

type quantiles struct {
	P50  time.Duration `json:"p50"`
	P99  time.Duration `json:"p99"`
	P999 time.Duration `json:"p999"`
	Max  time.Duration `json:"max"`
}

func (h *histogram) quantiles() quantiles {
	return quantiles{h.quantile(0.5), h.quantile(0.99), h.quantile(0.999), h.max}
}

// result adds up the side's figures so far. No slice of it may be running.
func (s *side) result() result {
	var latency histogram
	var stalled time.Duration
	quick := s.readers[s.slow:]
	if len(quick) == 0 {
		quick = s.readers
	}
	for _, rd := range quick {
		stalled += rd.stalled
	}
	r := result{Name: s.name, Elapsed: s.elapsed, Remaps: s.compactor.remaps}
	for _, rd := range s.readers {
		latency.add(&rd.latency)
		r.Absent += rd.absent
		r.Outlived += rd.outlived
		r.Phantoms += rd.phantoms
		r.WrongBytes += rd.wrong
	}
	r.Reads = latency.n
	r.Read = latency.quantiles()
	r.RemapWait = s.compactor.wait.quantiles()
	s.ledger.mu.Lock()
	r.UnmapDelay = s.ledger.delay.quantiles()
	s.ledger.mu.Unlock()
	r.Made, r.Retired, r.Unmapped = s.ledger.made.Load(), s.ledger.retired.Load(), s.ledger.unmapped.Load()
	if seconds := s.elapsed.Seconds(); seconds > 0 {
		r.ReadsPerSecond = float64(r.Reads) / seconds
		r.RemapsPerSecond = float64(r.Remaps) / seconds
		r.Stalled = stalled.Seconds() / seconds / float64(len(quick))
	}
	return r
}

func newReport(c *corpus, o options, sides [2]*side) *report {
	r := &report{
		Dir: c.dir, Files: len(c.files), Bytes: c.size, Blocks: c.blocks,
		Empty: c.empty, Unreadable: c.unreadable, Beyond: c.beyond, Mapped: mapped,
		Readers: o.readers, SlowReaders: o.slow(), Hold: o.hold, Duration: o.duration, Seed: o.seed,
		Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, GOMAXPROCS: runtime.GOMAXPROCS(0),
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				r.Commit = s.Value
			}
		}
	}
	for _, s := range sides {
		r.Stores = append(r.Stores, s.result())
	}
	if s, x := r.Stores[0], r.Stores[1]; x.Reads > 0 && x.Remaps > 0 {
		r.ReadGain, r.RemapGain = s.ReadsPerSecond/x.ReadsPerSecond, s.RemapsPerSecond/x.RemapsPerSecond
	}
	r.OK = r.verdict() == nil
	return r
}

// verdict returns an error for each property that does not hold.
func (r *report) verdict() error {
	var errs []error
	for _, s := range r.Stores {
		if s.WrongBytes != 0 {
			errs = append(errs, fmt.Errorf("%s: %d wrong bytes were read", s.Name, s.WrongBytes))
		}
		if s.Phantoms != 0 {
			errs = append(errs, fmt.Errorf("%s: %d reads found a gap where there was none", s.Name, s.Phantoms))
		}
		if s.Made != s.Retired || s.Retired != s.Unmapped {
			errs = append(errs, fmt.Errorf("%s: %d mappings made, %d retired, %d unmapped: they must be the same",
				s.Name, s.Made, s.Retired, s.Unmapped))
		}
	}
	return errors.Join(errs...)
}

func (r *report) printJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// printTable prints the two results side by side, with an explanation.
func (r *report) printTable(w io.Writer) error {
	var b strings.Builder
	row := func(label, a, c, gain string) {
		b.WriteString(strings.TrimRight(fmt.Sprintf("  %-21s%15s%15s%13s", label, a, c, gain), " ") + "\n")
	}
	rule := func() { b.WriteString("  " + strings.Repeat("─", 64) + "\n") }
	s, x := r.Stores[0], r.Stores[1]
	times := func(label string, d, e time.Duration) {
		row(label, formatDuration(d), formatDuration(e), formatGain(float64(e), float64(d)))
	}
	// One pause of the machine decides the longest of all, so it says nothing about the gain.
	longest := func(d, e time.Duration) { row("               max", formatDuration(d), formatDuration(e), "") }
	counts := func(label string, n, m uint64) { row(label, formatCount(n), formatCount(m), "") }

	fmt.Fprintf(&b, "\n  %s, %s of %s, %s\n", plural(r.Files, "file", "files"), formatBytes(r.Bytes), r.Dir, r.Mapped)
	fmt.Fprintf(&b, "  %s\n", r.load())
	fmt.Fprintf(&b, "  %s, %s, GOMAXPROCS=%d\n\n", r.Go, r.Platform, r.GOMAXPROCS)
	row("", s.Name, x.Name, "gain")
	rule()
	row("reads/s", formatRate(s.ReadsPerSecond), formatRate(x.ReadsPerSecond), formatGain(s.ReadsPerSecond, x.ReadsPerSecond))
	times("read latency   p50", s.Read.P50, x.Read.P50)
	times("               p99", s.Read.P99, x.Read.P99)
	times("               p99.9", s.Read.P999, x.Read.P999)
	longest(s.Read.Max, x.Read.Max)
	row("readers stalled", formatShare(s.Stalled), formatShare(x.Stalled), formatGain(x.Stalled, s.Stalled))
	row("remaps/s", formatRate(s.RemapsPerSecond), formatRate(x.RemapsPerSecond), formatGain(s.RemapsPerSecond, x.RemapsPerSecond))
	times("remap waited   p50", s.RemapWait.P50, x.RemapWait.P50)
	times("               p99", s.RemapWait.P99, x.RemapWait.P99)
	longest(s.RemapWait.Max, x.RemapWait.Max)
	times("unmapped after p50", s.UnmapDelay.P50, x.UnmapDelay.P50)
	times("               p99", s.UnmapDelay.P99, x.UnmapDelay.P99)
	longest(s.UnmapDelay.Max, x.UnmapDelay.Max)
	rule()
	counts("kept through a remap", s.Outlived, x.Outlived)
	counts("reads in a gap", s.Absent, x.Absent)
	counts("mappings made", uint64(s.Made), uint64(x.Made))
	counts("mappings retired", uint64(s.Retired), uint64(x.Retired))
	counts("mappings unmapped", uint64(s.Unmapped), uint64(x.Unmapped))
	counts("false gaps", s.Phantoms, x.Phantoms)
	counts("wrong bytes", s.WrongBytes, x.WrongBytes)
	rule()
	b.WriteString(`
  gain            how many times more reads or remaps, how many times less of the rest
  read latency    from asking for an offset to its block verified; not how long it is kept
  readers stalled share of the quick readers' time that went into reads of more than 0.1 ms,
                  also because the machine ran another thread
  remap waited    from asking for the lock to the new mapping in place
  unmapped after  from leaving the store to munmap, which waits for the last reader
  max             the longest one; a pause of the whole program shows here, so it has no gain
  kept, in a gap  reads whose file was remapped meanwhile; reads of an offset without a file
  false gaps      offsets of a file that were reported to have none; there must not be any

`)
	fmt.Fprintf(&b, "  %s\n", r.conclusion())
	_, err := io.WriteString(w, b.String())
	return err
}

// load describes the readers and the compactor of the run.
func (r *report) load() string {
	text := fmt.Sprintf("%s for %v", plural(r.SlowReaders, "slow reader that keeps its block", "slow readers that keep their blocks"), r.Hold)
	if n := r.Readers - r.SlowReaders; n > 0 {
		text = plural(n, "quick reader", "quick readers") + ", " + text
	}
	if r.Hold == 0 {
		text = plural(r.Readers, "reader that keeps no block", "readers that keep no block")
	}
	text += fmt.Sprintf(", 1 compactor; %v each, in turn", r.Stores[0].Elapsed.Round(10*time.Millisecond))
	if r.Interrupted {
		text += " (interrupted)"
	}
	return text
}

func (r *report) conclusion() string {
	if !r.OK {
		return "FAILED: see the error."
	}
	s, x := r.Stores[0], r.Stores[1]
	return fmt.Sprintf("Every mapping that was retired was unmapped, and no byte was wrong.\n  %s made %s the reads/s of %s, and %s the remaps/s.",
		s.Name, formatGain(s.ReadsPerSecond, x.ReadsPerSecond), x.Name, formatGain(s.RemapsPerSecond, x.RemapsPerSecond))
}

func formatShare(x float64) string { return strconv.FormatFloat(100*x, 'f', 2, 64) + " %" }

func plural(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return formatCount(uint64(n)) + " " + more
}

// formatGain formats a/b with three digits.
func formatGain(a, b float64) string {
	if a <= 0 || b <= 0 {
		return "-"
	}
	g := a / b
	switch {
	case g >= 100:
		return formatCount(uint64(g+0.5)) + " ×"
	case g >= 10:
		return strconv.FormatFloat(g, 'f', 1, 64) + " ×"
	case g >= 0.01:
		return strconv.FormatFloat(g, 'f', 2, 64) + " ×"
	}
	return strconv.FormatFloat(g, 'g', 2, 64) + " ×"
}

func formatRate(r float64) string {
	if r < 100 {
		return strconv.FormatFloat(r, 'f', 1, 64)
	}
	return formatCount(uint64(r + 0.5))
}

// formatCount formats n with commas.
func formatCount(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// formatDuration formats d with three or four digits and a unit.
func formatDuration(d time.Duration) string {
	for _, u := range []struct {
		size time.Duration
		name string
	}{{time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "µs"}} {
		if d < u.size {
			continue
		}
		v := float64(d) / float64(u.size)
		if v >= 100 {
			return strconv.FormatFloat(v, 'f', 0, 64) + " " + u.name
		}
		return strconv.FormatFloat(v, 'g', 3, 64) + " " + u.name
	}
	return strconv.FormatInt(int64(d), 10) + " ns"
}

func formatBytes(n uint64) string {
	for _, u := range []struct {
		size uint64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= u.size {
			return strconv.FormatFloat(float64(n)/float64(u.size), 'f', 1, 64) + " " + u.name
		}
	}
	return strconv.FormatUint(n, 10) + " bytes"
}
