package rangelock_test

import (
	"context"
	"fmt"

	"github.com/spanlock/spanlock/rangelock"
)

func ExampleContains() {
	r := rangelock.Span(10, 20)
	fmt.Println(rangelock.Contains(r, 10), rangelock.Contains(r, 20), rangelock.Contains(rangelock.From(10), 1<<30))
	// Output: true false true
}

func ExampleOverlap() {
	fmt.Println(rangelock.Overlap(rangelock.Span(0, 5), rangelock.Span(5, 9)), rangelock.Overlap(rangelock.Span(0, 6), rangelock.From(5)))
	// Output: false true
}

func ExamplePrefix() {
	fmt.Println(rangelock.Prefix("user/"), rangelock.Contains(rangelock.Prefix("user/"), "user/42"))
	// Output: ["user/", "user0") true
}

func ExampleMap_Contains() {
	m := rangelock.NewFunc[[2]byte, int](func(a, b [2]byte) int { return int(a[0]) - int(b[0]) }, nil)
	r := rangelock.Span([2]byte{1}, [2]byte{3})
	fmt.Println(m.Contains(r, [2]byte{2, 99}), m.Contains(r, [2]byte{3, 0}))
	// Output: true false
}

func ExampleMap_GetRange() {
	m := rangelock.New[int, string](nil)
	m.Insert(context.Background(), rangelock.Span(0, 4096), "segment 0")

	r, v, ok := m.GetRange(100)
	fmt.Println(r, v, ok)
	// Output: [0, 4096) segment 0 true
}

// Do ends the transaction however the function ends, as a deferred Unlock of a mutex does.
func ExampleMap_Do() {
	m := rangelock.New[int, string](nil)
	err := m.Do(context.Background(), func(w rangelock.Writer[int, string]) error {
		if err := w.Insert(rangelock.Span(0, 10), "a"); err != nil {
			return err
		}
		return w.Insert(rangelock.Span(5, 15), "b")
	})
	fmt.Println(err, m.Len())
	// Output: rangelock: range overlaps an attached range: Insert [5, 15) would overlap [0, 10) 1
}

// A long transaction ends early if another goroutine waits for it.
func ExampleWriter_Contended() {
	m := rangelock.New[int, string](nil)
	n := 0
	for n < 1000 {
		w := m.Lock()
		for ; n < 1000 && !w.Contended(); n++ {
			w.Insert(rangelock.Span(n, n+1), "x")
		}
		w.Unlock()
	}
	fmt.Println(m.Len())
	// Output: 1000
}

// A pool takes a block back when it has no reader, and uses it at once.
func ExampleWriter_Extract() {
	m := rangelock.New(&rangelock.Options[int, []byte]{
		OnRetire: func(r rangelock.Range[int], _ []byte) { fmt.Println("retire", r) },
	})
	ctx := context.Background()
	m.Insert(ctx, rangelock.Span(0, 4), []byte("used"))
	m.Insert(ctx, rangelock.Span(4, 8), []byte("here"))

	w := m.Lock()
	if w.TryExclude(rangelock.Span(0, 4)) { // no guard is held on it
		r, block, err := w.Extract(0)
		fmt.Printf("%v %s %v\n", r, block, err)
		copy(block, "new!")
		fmt.Println(w.Insert(rangelock.Span(100, 104), block))
	}
	w.Unlock()

	m.View(101, func(r rangelock.Range[int], block []byte) { fmt.Printf("%v %s\n", r, block) })
	// Output:
	// [0, 4) used <nil>
	// <nil>
	// [100, 104) new!
}
