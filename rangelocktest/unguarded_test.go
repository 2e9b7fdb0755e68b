//go:build spanlockdebug

package rangelocktest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// TestDebugUnguarded: what takes a value without a guard from a map with OnRetire is reported
// once for each place and each map, and can be switched off; nothing else is reported.
//
// It kills 229_unguarded_unreported.
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
	m.Get(50) // there is no value
	g, _ := m.Acquire(5)
	g.Value()
	g.Release()
	if len(got) != 0 {
		t.Errorf("%q", got)
	}
}
