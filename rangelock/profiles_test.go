package rangelock_test

import (
	"bytes"
	"os"
	"regexp"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rangelock"
)

var (
	tableRow = regexp.MustCompile("(?m)^\\| (`For.*) \\| (`.*) \\|$")
	quoted   = regexp.MustCompile("`([^`]+)`")
)

// TestProfilesShowWaits: each wait is in the profile goroutine while it lasts, and in the profile
// block afterwards, with the stack that docs/observability.md names.
func TestProfilesShowWaits(t *testing.T) {
	doc, err := os.ReadFile("../docs/observability.md")
	must(t, err)
	runtime.SetBlockProfileRate(1)
	defer runtime.SetBlockProfileRate(0)
	ways := map[string]struct {
		way  func(t *testing.T, m *intMap) (leaves func())
		call func(m *intMap)
	}{
		"`ForLock`, to write":   {aReader, func(m *intMap) { m.Lock().Unlock() }},
		"`ForLock`, to read":    {aWriter, func(m *intMap) { g, _ := m.Acquire(5); g.Release() }},
		"`ForGuards`":           {guardsAt15, func(m *intMap) { m.Remove(bg, rg(10, 20)) }},
		"`ForTurn`":             {exclusiveAt25, func(m *intMap) { g, _ := m.Acquire(25); g.Release() }},
		"`ForLoad`":             {aLoad, func(m *intMap) { g, _ := m.AcquireOrLoad(bg, 76, noLoad(t)); g.Release() }},
		"`ForLoad`, in `Close`": {aLoad, func(m *intMap) { m.Close(bg) }},
		"`ForRetire`":           {heldRetired, func(m *intMap) { m.Drain(bg) }},
		"`ForRoom`":             {heldRetired, func(m *intMap) { m.Room(bg, 5) }},
	}
	rows := tableRow.FindAllStringSubmatch(string(doc), -1)
	if len(rows) != len(ways) {
		t.Errorf("the table has %d rows, and the test knows %d waits", len(rows), len(ways))
	}
	for _, row := range rows {
		t.Run(row[1], func(t *testing.T) {
			x, ok := ways[row[1]]
			if !ok {
				t.Fatal("the test knows no such wait")
			}
			var stack []string
			for _, name := range quoted.FindAllStringSubmatch(row[2], -1) {
				stack = append(stack, name[1])
			}
			synctest.Test(t, func(t *testing.T) {
				m := rangelock.New(&rangelock.Options[int, string]{MaxPending: 5})
				fillTens(m, "a", "b", "c", "d")
				leaves := x.way(t, m)
				goroutines, events := profiled("goroutine", stack), profiled("block", stack)
				c := start(row[1], func() { x.call(m) })
				c.waits(t)
				if profiled("goroutine", stack) <= goroutines {
					t.Errorf("the wait is not in the profile goroutine as %q", stack)
				}
				leaves()
				c.returns(t)
				if profiled("block", stack) <= events {
					t.Errorf("the wait is not in the profile block as %q", stack)
				}
			})
		})
	}
}

var counted = regexp.MustCompile(`(\d+) @ `)

// profiled returns how many goroutines, or events, of a profile have all functions of the stack, the
// innermost first.
func profiled(name string, stack []string) (n int) {
	var b bytes.Buffer
	pprof.Lookup(name).WriteTo(&b, 1)
	for record := range strings.SplitSeq(b.String(), "\n\n") {
		rest, has := record, true
		for _, f := range stack {
			var found bool
			if _, rest, found = strings.Cut(rest, "/"+f+"+0x"); !found {
				has = false
			}
		}
		if c := counted.FindStringSubmatch(record); has && c != nil {
			events, _ := strconv.Atoi(c[1])
			n += events
		}
	}
	return n
}
