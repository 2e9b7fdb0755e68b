package rangelock_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/spanlock/spanlock/rangelock"
)

// What is a map doing? Survey takes no guard and never waits, so it also shows ranges that a writer
// has excluded, and those that have left the map and are kept by their guards. Values it does not show.
func ExampleMap_Survey() {
	ctx := context.Background()
	m := rangelock.New[int, string](nil)
	for i, file := range []string{"0.seg", "1.seg", "2.seg"} {
		if err := m.Insert(ctx, rangelock.Span(10*i, 10*i+10), file); err != nil {
			fmt.Println(err)
		}
	}
	g, _ := m.Acquire(5)
	c := g.Clone()
	if _, err := m.Retire(ctx, rangelock.Span(0, 10)); err != nil {
		fmt.Println(err)
	}
	w := m.Lock()
	w.TryExclude(rangelock.Span(10, 20))

	left, excluded, guards := 0, 0, 0
	for r, s := range m.Survey() {
		guards += s.Guards
		switch {
		case s.Detached: // Excluded is true as well
			left++
			fmt.Println(r, "has left and has", s.Guards, "guards")
		case s.Excluded:
			excluded++
		}
	}
	fmt.Println(left, "left,", excluded, "excluded,", guards, "guards")
	w.Unlock()
	g.Release()
	c.Release()
	// Output:
	// [0, 10) has left and has 2 guards
	// 1 left, 1 excluded, 2 guards
}

// A file is to be removed: who reads it? SurveyIn looks at the ranges of the file only.
func ExampleMap_SurveyIn() {
	ctx := context.Background()
	m := rangelock.New[int, string](nil)
	for lo := 0; lo < 300; lo += 100 {
		if err := m.Insert(ctx, rangelock.Span(lo, lo+100), "segment"); err != nil {
			fmt.Println(err)
		}
	}
	reader, _ := m.Acquire(110)
	other, _ := m.Acquire(0)
	writer, _ := m.AcquireExclusive(210)
	for r, s := range m.SurveyIn(rangelock.Span(100, 300)) {
		fmt.Println(r, "guards:", s.Guards, "exclusive:", s.Exclusive)
	}
	reader.Release()
	other.Release()
	writer.Release()
	// Output:
	// [100, 200) guards: 1 exclusive: false
	// [200, 300) guards: 1 exclusive: true
}

// A monitor compares what is pending with its bound. Ranges counts what is in the map; what has left it
// and still has a guard, or waits for OnRetire, counts in Pending.
func ExampleMap_Stats() {
	ctx := context.Background()
	m := rangelock.New(&rangelock.Options[int, string]{
		Cost:       func(r rangelock.Range[int], _ string) int64 { return int64(r.Hi - r.Lo) }, // bytes
		MaxPending: 1000,
	})
	w := m.Lock()
	err := errors.Join(
		w.Insert(rangelock.Span(0, 900), "a"),
		w.Insert(rangelock.Span(900, 950), "b"),
	)
	if err != nil {
		fmt.Println(err)
	}
	w.Unlock()
	g, _ := m.Acquire(0)
	if _, err := m.Retire(ctx, rangelock.Span(0, 900)); err != nil {
		fmt.Println(err)
	}
	s := m.Stats()
	fmt.Println(s.Ranges, "in the map,", s.Pending, "pending")
	if s.PendingCost > s.MaxPending*8/10 {
		fmt.Println("nearly full:", s.PendingCost, "of", s.MaxPending)
	}
	g.Release()
	// Output:
	// 1 in the map, 1 pending
	// nearly full: 900 of 1000
}
