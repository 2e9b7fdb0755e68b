package rangelock_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// The second half of a buffer is given back. Retire takes whole ranges only, so Split cuts the
// range first. SplitValue makes the two values of the one, and OnRetire is called for each of
// them. Without it both halves would have the whole buffer, which would be freed twice.
func ExampleWriter_Split() {
	ctx := context.Background()
	m := rangelock.New(&rangelock.Options[int, []byte]{
		OnRetire: func(r rangelock.Range[int], b []byte) { fmt.Printf("free %v %s\n", r, b) },
		SplitValue: func(r rangelock.Range[int], at int, b []byte) (left, right []byte, err error) {
			return b[:at-r.Lo], b[at-r.Lo:], nil
		},
	})
	err := m.Do(ctx, func(w rangelock.Writer[int, []byte]) error {
		if err := w.Insert(rangelock.Span(100, 108), []byte("abcdefgh")); err != nil {
			return err
		}
		if _, err := w.Retire(rangelock.Span(104, 108)); err != nil {
			fmt.Println(err)
		}
		if err := w.Split(104); err != nil { // [100, 104) and [104, 108)
			return err
		}
		_, err := w.Retire(rangelock.Span(104, 108))
		return err
	})
	if err := errors.Join(err, m.Drain(ctx)); err != nil {
		fmt.Println(err)
	}
	m.View(100, func(r rangelock.Range[int], b []byte) { fmt.Printf("keep %v %s\n", r, b) })
	// Output:
	// rangelock: operation would cut a range: Retire [104, 108) would cut [100, 108)
	// free [104, 108) efgh
	// keep [100, 104) abcd
}

// Two regions that meet become one if they are on the same server. MergeValue makes the value of
// the new region, and reports false where the two must stay apart.
func ExampleWriter_Merge() {
	type region struct {
		server string
		rows   int
	}
	regions := rangelock.New(&rangelock.Options[string, region]{
		MergeValue: func(_, _ rangelock.Range[string], left, right region) (region, bool) {
			return region{left.server, left.rows + right.rows}, left.server == right.server
		},
	})
	w := regions.Lock()
	err := errors.Join(
		w.Insert(rangelock.Span("a", "g"), region{"server 1", 100}),
		w.Insert(rangelock.Span("g", "p"), region{"server 1", 20}),
		w.Insert(rangelock.Span("p", "z"), region{"server 2", 70}),
	)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(w.Merge("g")) // the key where two regions meet
	fmt.Println(errors.Is(w.Merge("p"), rangelock.ErrPartial))
	fmt.Println(errors.Is(w.Merge("c"), rangelock.ErrNotFound))
	w.Unlock()
	for r, v := range regions.All() {
		fmt.Println(r, v.server, v.rows)
	}
	// Output:
	// <nil>
	// true
	// true
	// ["a", "p") server 1 120
	// ["p", "z") server 2 70
}

// After a crash the last segment of a log is good up to offset 250 only. Resize changes the bounds
// of that range and nothing else: it keeps the value as it is, it moves no neighbour, and it leaves
// a gap where the range has been.
func ExampleWriter_Resize() {
	segments := rangelock.New[int, string](nil)
	w := segments.Lock()
	err := errors.Join(
		w.Insert(rangelock.Span(0, 200), "0.seg"),
		w.Insert(rangelock.Span(200, 400), "1.seg"),
	)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(w.Resize(399, rangelock.Span(200, 250))) // 399 is a key of the range as it was
	fmt.Println(w.Resize(0, rangelock.Span(0, 210)))     // it does not push 1.seg away
	for gap := range w.Gaps(rangelock.Span(0, 400)) {
		fmt.Println("gap:", gap)
	}
	w.Unlock()

	for _, off := range []int{249, 250} {
		file, ok := segments.Get(off)
		fmt.Println(off, file, ok)
	}
	// Output:
	// <nil>
	// rangelock: range overlaps an attached range: Resize [0, 210) would overlap [200, 250)
	// gap: [250, 400)
	// 249 1.seg true
	// 250  false
}

// Two segment files become one. Replace waits for the readers of the old ones, so when it has
// returned no reader uses them. Swap would not wait. If the context ends the wait, nothing has changed.
func ExampleWriter_Replace() {
	m := rangelock.New[int, string](nil)
	compact := func(ctx context.Context) error {
		return m.Do(ctx, func(w rangelock.Writer[int, string]) error {
			return w.Replace(rangelock.Span(0, 20), "merged.seg")
		})
	}
	w := m.Lock()
	err := errors.Join(
		w.Insert(rangelock.Span(0, 10), "0.seg"),
		w.Insert(rangelock.Span(10, 20), "1.seg"),
	)
	if err != nil {
		fmt.Println(err)
	}
	w.Unlock()

	g, _ := m.Acquire(15)
	short, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	err = compact(short)
	fmt.Println("in time:", !errors.Is(err, context.DeadlineExceeded), "ranges:", m.Len())
	fmt.Println("the reader still has", g.Value())
	g.Release()

	fmt.Println(compact(context.Background()))
	for r, file := range m.All() {
		fmt.Println(r, file)
	}
	// Output:
	// in time: false ranges: 2
	// the reader still has 1.seg
	// <nil>
	// [0, 20) merged.seg
}

// A region gets a new connection, and its bounds stay. Update retires the old value, so OnRetire
// is the place to close the old connection: when Update has returned no reader uses it.
func ExampleWriter_Update() {
	ctx := context.Background()
	var closed []string
	regions := rangelock.New(&rangelock.Options[string, string]{
		OnRetire: func(r rangelock.Range[string], conn string) { closed = append(closed, conn) },
	})
	err := regions.Do(ctx, func(w rangelock.Writer[string, string]) error {
		if err := w.Insert(rangelock.Span("a", "m"), "connection 1"); err != nil {
			return err
		}
		if err := w.Update("k", "connection 2"); err != nil { // any key of the range will do
			return err
		}
		return w.Update("x", "connection 3")
	})
	fmt.Println(err)
	if err := regions.Drain(ctx); err != nil {
		fmt.Println(err)
	}
	fmt.Println("closed:", closed)
	regions.View("b", func(r rangelock.Range[string], conn string) { fmt.Println(r, conn) })
	// Output:
	// rangelock: no range covers the key: Update "x"
	// closed: [connection 1]
	// ["a", "m") connection 2
}
