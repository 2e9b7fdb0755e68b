package inspect

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// writeText writes the maps line by line, in the manner of /proc/PID/maps.
func writeText(w *bytes.Buffer, pictures []*picture) {
	for i, p := range pictures {
		if i > 0 {
			fmt.Fprintln(w)
		}
		p.writeText(w)
	}
}

func (p *picture) writeText(w *bytes.Buffer) {
	s := &p.stats
	fmt.Fprintf(w, "# %s: %d ranges, %d guards, %s\n", p.name, p.ranges(), p.guards, p.countsText())
	fmt.Fprintf(w, "# semaphore: %s\n", semText(p))
	fmt.Fprintf(w, "# epoch %d, %d pins, pending %d (cost %d), stalled %v\n",
		s.Domain.Epoch, s.Domain.Pins, s.Pending, s.PendingCost, short(s.Stalled))
	if r := &p.rates; r.over > 0 {
		fmt.Fprintf(w, "# per second, over %v: %.1f retired, %.1f fell back, %.1f lock waits, %.1f guard waits, %.1f transactions\n",
			short(r.over), r.per[retired], r.per[fellBack], r.per[lockWaits], r.per[guardWaits], r.per[transactions])
		fmt.Fprintf(w, "# a writer has the lock %.0f %% of the time\n", 100*r.per[writerHeld])
	} else {
		fmt.Fprintln(w, "# per second: not known yet, send another request")
	}
	for _, a := range p.alarms {
		fmt.Fprintf(w, "# alarm: %s\n", a.text)
	}
	if p.empty() {
		fmt.Fprintln(w, "# nothing is in this map")
	}
	if p.zoomed {
		fmt.Fprintf(w, "# view: %s to %s, %s", p.fromLabel(p.view), p.toLabel(p.view), plural(p.inView, "range"))
		if n := len(p.gone); n > 0 {
			fmt.Fprintf(w, ", %s left", count(n))
		}
		if p.outside > 0 {
			fmt.Fprintf(w, "; %s outside it", outsideText(p.outside))
		}
		fmt.Fprintln(w)
	}
	for i := range p.gone {
		p.gone[i].writeText(w)
	}
	if !p.aggregated() {
		for i := range p.rows {
			p.rows[i].writeText(w)
		}
		return
	}
	fmt.Fprintf(w, "# too many to list: first those that are not free, at most %d, then the number that begin in each of %d parts\n", maxRows, len(p.cells))
	for i := range p.busy {
		p.busy[i].writeText(w)
	}
	for i := range p.cells {
		c := &p.cells[i]
		if c.ranges == 0 {
			continue
		}
		part := p.view.part(i, len(p.cells))
		fmt.Fprintf(w, "%s-%s\t%d ranges\t%d guards\n", p.fromLabel(part), p.toLabel(part), c.ranges, c.guards)
	}
}

// ranges returns how many ranges are in the map.
func (p *picture) ranges() int {
	n := 0
	for st := free; st < left; st++ {
		n += p.counts[st]
	}
	return n
}

// empty reports whether the map has no ranges, and none that have left are held.
func (p *picture) empty() bool { return p.ranges()+p.counts[left] == 0 }

// countsText returns how many ranges there are in each state.
func (p *picture) countsText() string {
	var parts []string
	for st := free; st < numStates; st++ {
		if p.counts[st] > 0 || st == free {
			parts = append(parts, fmt.Sprintf("%d %v", p.counts[st], st))
		}
	}
	return strings.Join(parts, ", ")
}

// outsideText counts the ranges that have left and are outside the view.
func outsideText(n int) string {
	if n == 1 {
		return "1 left is"
	}
	return count(n) + " left are"
}

// semText describes the holder of the semaphore and its waiters.
func semText(p *picture) string {
	s := &p.stats.Sem
	t := "free"
	switch {
	case s.Writer:
		t = "a writer has it"
	case s.Readers > 0:
		t = "held by " + plural(s.Readers, "reader")
	}
	if s.WaitingReaders+s.WaitingWriters > 0 {
		t += "; waiting: " + waitText(p)
	}
	return t
}

// waitText describes the waiters of the semaphore, and how long they have waited.
func waitText(p *picture) string {
	return fmt.Sprintf("%s, the first for %v", queueText(p), short(p.stats.Sem.OldestWait))
}

func queueText(p *picture) string {
	s := &p.stats.Sem
	return plural(s.WaitingWriters, "writer") + ", " + plural(s.WaitingReaders, "reader")
}

// count formats a number in groups of three digits.
func count[N int | int64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural returns n with its noun.
func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return count(n) + " " + what
}

// bounds returns the range as text.
func (x *row) bounds() string {
	if x.lo == "" {
		return fmt.Sprintf("#%d", x.ordinal)
	}
	return x.lo + "-" + x.hi
}

// note returns the remarks on a range.
func (x *row) note() string {
	var parts []string
	if x.state == left {
		parts = append(parts, fmt.Sprintf("%v ago", short(x.left)))
	}
	if x.writerWaits {
		parts = append(parts, "a writer waits")
	}
	if x.waiting > 0 {
		parts = append(parts, fmt.Sprintf("%d wait", x.waiting))
	}
	if x.waitedFor > 0 {
		parts = append(parts, fmt.Sprintf("the first for %v", short(x.waitedFor)))
	}
	return strings.Join(parts, ", ")
}

func (x *row) writeText(w *bytes.Buffer) {
	fmt.Fprintf(w, "%s\t%s\t%d", x.bounds(), x.state, x.guards)
	for _, s := range []string{x.note(), x.value} {
		if s != "" {
			fmt.Fprintf(w, "\t%s", s)
		}
	}
	fmt.Fprintln(w)
}

// short rounds a duration to three digits.
func short(d time.Duration) time.Duration {
	for unit := time.Duration(1e12); unit > 1; unit /= 10 {
		if d >= 100*unit {
			return d.Round(unit)
		}
	}
	return d
}
