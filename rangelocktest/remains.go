package rangelocktest

import (
	"fmt"
	"strings"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// remains is what is still held of a map.
type remains struct {
	ranges  []held
	guards  int  // on all of them
	writer  bool // a transaction has not ended
	readers int  // Readers that have not ended
}

// held is a range with guards on it.
type held struct {
	r                 string
	guards, announced int
	exclusive, left   bool
}

func (x *remains) any() bool { return x.guards > 0 || x.writer || x.readers > 0 }

// look returns what is held now. It may include guards that come and go meanwhile.
func look[K any](m Map[K]) (x remains) {
	for r, s := range m.Survey() {
		if s.Guards == 0 {
			continue
		}
		x.guards += s.Guards
		x.ranges = append(x.ranges, held{r.String(), s.Guards, s.Announced, s.Exclusive, s.Detached})
	}
	lock := m.Stats().Sem
	x.writer, x.readers = lock.Writer, lock.Readers
	return x
}

// maxRanges bounds the ranges that an error lists, and maxLeaks the guards for which it says
// where they were taken.
const (
	maxRanges = 32
	maxLeaks  = 8
)

// text returns the text of the error.
func (x *remains) text(m any) string {
	var b strings.Builder
	var what []string
	if x.guards > 0 {
		what = append(what, fmt.Sprintf("%s on %s", count(x.guards, "guard"), count(len(x.ranges), "range")))
	}
	if x.writer {
		what = append(what, "a transaction")
	}
	if x.readers > 0 {
		what = append(what, count(x.readers, "Reader"))
	}
	fmt.Fprintf(&b, "rangelocktest: still held at the end of the test: %s", strings.Join(what, ", "))
	for i, r := range x.ranges {
		if i == maxRanges {
			fmt.Fprintf(&b, "\n\t… and %d more", len(x.ranges)-i)
			break
		}
		fmt.Fprintf(&b, "\n\t%s", r)
	}
	if x.guards > 0 {
		places(&b, m)
	}
	return b.String()
}

// String describes the guards on a range.
func (h held) String() string {
	kind := "guard"
	if h.exclusive {
		kind = "exclusive guard"
	}
	s := fmt.Sprintf("%s: %s", h.r, count(h.guards, kind))
	if h.announced > 0 {
		s += fmt.Sprintf(", %d announced", h.announced)
	}
	if h.left {
		s += ", on a range that has left the map"
	}
	return s
}

// places says where the guards of m were taken, if that is known.
func places(b *strings.Builder, m any) {
	var leaks []rangelock.Leak
	if l, ok := m.(interface{ Leaks() []rangelock.Leak }); ok {
		leaks = l.Leaks()
	}
	if len(leaks) == 0 {
		b.WriteString("\n(go test -tags spanlockdebug shows where the guards of a rangelock.Map were taken)")
		return
	}
	for i, l := range leaks {
		if i == maxLeaks {
			fmt.Fprintf(b, "\n… and %s more", count(len(leaks)-i, "guard"))
			return
		}
		lost := ""
		if l.Lost {
			lost = ", which can no longer be released,"
		}
		fmt.Fprintf(b, "\nthe guard on %s%s was taken %v ago by %s at\n%s", l.Range, lost, l.Held.Round(time.Microsecond), l.Goroutine, strings.TrimRight(l.Stack, "\n"))
	}
}

// count returns n with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
