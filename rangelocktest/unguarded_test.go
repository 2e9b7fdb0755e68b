//go:build spanlockdebug

package rangelocktest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

// TestDebugUnguarded: a call that takes a value without a guard from a map with OnRetire is
// reported once for each place and each map, and the reports can be switched off. Nothing else is
// reported.
//
// It kills 229_unguarded_unreported and 254_walk_unreported.
func TestDebugUnguarded(t *testing.T) {
	var got []string
	defer func(f func(string)) { rangelock.DebugReport = f }(rangelock.DebugReport)
	rangelock.DebugReport = func(text string) { got = append(got, text) }
	newMap := func(retire func(rangelock.Range[int], string)) *intMap {
		m := rangelock.New(&rangelock.Options[int, string]{OnRetire: retire})
		if err := m.Insert(t.Context(), rangelock.Span(0, 10), "x"); err != nil {
			t.Fatal(err)
		}
		return m
	}
	ignore := func(rangelock.Range[int], string) {}
	m, other, plain := newMap(ignore), newMap(ignore), newMap(nil)
	for name, f := range map[string]func(m *intMap){
		"Get":      func(m *intMap) { m.Get(5) },
		"GetRange": func(m *intMap) { m.GetRange(5) },
		"GetMany":  func(m *intMap) { m.GetMany([]int{5, 6, 50}, func(int, string, bool) {}) },
		"First":    func(m *intMap) { m.First() },
		"Last":     func(m *intMap) { m.Last() },
		"All": func(m *intMap) {
			for range m.All() {
			}
		},
		"AllIn": func(m *intMap) {
			for range m.AllIn(rangelock.From(5)) {
			}
		},
		"Backward": func(m *intMap) {
			for range m.Backward(rangelock.From(5)) {
			}
		},
	} {
		rangelock.DebugUnguarded = false
		f(m)
		rangelock.DebugUnguarded = true
		for range 3 {
			f(m)
		}
		f(other)
		f(plain)
		if len(got) != 2 || !strings.HasPrefix(got[0], "rangelock: "+name+" of a map with OnRetire") || !strings.Contains(got[0], "TestDebugUnguarded") {
			t.Errorf("%s: %q, want a report for each of two maps", name, got)
		}
		got = slices.Delete(got, 0, len(got))
	}
	m.Get(50) // no range has this key
	for range m.AllIn(rangelock.From(50)) {
		t.Error("there is a value")
	}
	for range m.Guards(rangelock.From(0)) {
	}
	reader := m.RLock()
	for range reader.Overlapping(rangelock.From(0)) {
	}
	for range reader.Gaps(rangelock.From(0)) {
	}
	reader.Unlock()
	writer := m.Lock()
	for range writer.Overlapping(rangelock.From(0)) {
	}
	writer.Unlock()
	allocated := rangealloc.New(rangelock.Span(0, 10), &rangelock.Options[int, string]{OnRetire: ignore})
	if _, err := allocated.Alloc(t.Context(), 5, 1, "x"); err != nil {
		t.Fatal(err)
	}
	allocated.Map().Get(1)
	for range allocated.Map().All() {
	}
	g, _ := m.Acquire(5)
	g.Value()
	g.Release()
	if len(got) != 0 {
		t.Errorf("%q", got)
	}
}
