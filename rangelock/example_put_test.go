package rangelock_test

import (
	"errors"
	"fmt"

	"github.com/spanlock/spanlock/rangelock"
)

// A client caches the regions of a table, which servers split and merge. Put inserts a region
// whatever was known about its keys before.
func ExampleWriter_Put() {
	regions := rangelock.New[string, string](nil)
	w := regions.Lock()
	w.Put(rangelock.Span("a", "z"), "server 1")
	w.Put(rangelock.Span("h", "p"), "server 2") // part of the region has moved
	w.Put(rangelock.Span("m", "r"), "server 3")
	w.Unlock()
	for r, server := range regions.All() {
		fmt.Println(r, server)
	}
	// Output:
	// ["a", "h") server 1
	// ["h", "m") server 2
	// ["m", "r") server 3
	// ["r", "z") server 1
}

// Evict removes everything that is known about some keys.
func ExampleWriter_Evict() {
	routes := rangelock.New[int, string](nil)
	w := routes.Lock()
	defer w.Unlock()
	for i, via := range []string{"eth0", "eth1", "eth2"} {
		if err := w.Insert(rangelock.Span(100*i, 100*i+100), via); err != nil {
			fmt.Println(err)
		}
	}
	evicted, err := w.Evict(rangelock.Span(150, 220))
	if err != nil {
		fmt.Println(err)
	}
	for r, via := range evicted {
		fmt.Println(r, via)
	}
	fmt.Println(routes.Len(), "left")
	// Output:
	// [100, 200) eth1
	// [200, 300) eth2
	// 1 left
}

// The fields of an error have the range that was refused and the range that is in its way.
func ExampleRangeError() {
	m := rangelock.New[int, string](nil)
	w := m.Lock()
	defer w.Unlock()
	w.Insert(rangelock.Span(0, 10), "a")
	err := w.Insert(rangelock.Span(5, 20), "b")
	var refused *rangelock.RangeError[int]
	if errors.As(err, &refused) && errors.Is(err, rangelock.ErrOverlap) {
		fmt.Println(refused.Op, "of", refused.Range, "meets", refused.Other)
	}
	fmt.Println(err)
	// Output:
	// Insert of [5, 20) meets [0, 10)
	// rangelock: range overlaps an attached range: Insert [5, 20) would overlap [0, 10)
}
