package rangelock_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// The bytes [5, 35) of a log go to a client. Guards yields whole segments, so the body cuts the
// first one and the last one itself. Guards yields nothing for a gap, so the body also compares
// where it is with where the segment begins.
func ExampleMap_Guards() {
	segments := rangelock.New[int, string](nil)
	w := segments.Lock()
	for lo, text := range map[int]string{0: "0123456789", 10: "abcdefghij", 30: "ABCDEFGHIJ"} {
		if err := w.Insert(rangelock.Span(lo, lo+len(text)), text); err != nil {
			fmt.Println(err)
		}
	}
	w.Unlock()

	want, at := rangelock.Span(5, 35), 5
	for g := range segments.Guards(want) {
		r := g.Range()
		if at < r.Lo {
			fmt.Println("missing:", rangelock.Span(at, r.Lo))
		}
		from := max(r.Lo, want.Lo)
		at = min(r.Hi, want.Hi)
		fmt.Println(g.Value()[from-r.Lo : at-r.Lo])
	} // the guard is released after each step, and after a break
	// Output:
	// 56789
	// abcdefghij
	// missing: [20, 30)
	// ABCDE
}

// A scan has a deadline, and a writer has excluded one of the regions. The step that fails has an
// error and no guard, so the body looks at the error first.
func ExampleMap_GuardsContext() {
	regions := rangelock.New[string, string](nil)
	w := regions.Lock()
	err := errors.Join(
		w.Insert(rangelock.Span("a", "m"), "server 1"),
		w.Insert(rangelock.Span("m", "z"), "server 2"),
	)
	if err != nil {
		fmt.Println(err)
	}
	w.Unlock()

	w = regions.Lock()
	defer w.Unlock()
	if err := w.Exclude(rangelock.Span("m", "z")); err != nil {
		fmt.Println(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	for g, err := range regions.GuardsContext(ctx, rangelock.Span("a", "z")) {
		if err != nil {
			fmt.Println("too late:", errors.Is(err, context.DeadlineExceeded))
			break
		}
		fmt.Println(g.Range(), "is at", g.Value())
	}
	// Output:
	// ["a", "m") is at server 1
	// too late: true
}

// A sparse file of 16 bytes is read from its beginning. If the range that AcquireNext has found
// starts above the offset, then there is a hole in between: at one instant no range was there.
func ExampleMap_AcquireNext() {
	file := rangelock.New[int, string](nil) // what is written; the rest reads as zeros
	w := file.Lock()
	err := errors.Join(
		w.Insert(rangelock.Span(0, 4), "data"),
		w.Insert(rangelock.Span(9, 13), "more"),
	)
	if err != nil {
		fmt.Println(err)
	}
	w.Unlock()

	for off, size := 0, 16; off < size; {
		g, ok := file.AcquireNext(off)
		if !ok {
			fmt.Println(size-off, "zeros to the end")
			break
		}
		r := g.Range()
		if r.Lo > off {
			fmt.Println(r.Lo-off, "zeros")
		}
		fmt.Println(g.Value())
		g.Release() // before the next AcquireNext, which may wait
		off = r.Hi
	}
	// Output:
	// data
	// 5 zeros
	// more
	// 3 zeros to the end
}

// A profiler asks which function an address belongs to. The range that AcquirePrev finds need not
// cover the address: there is padding behind each function.
func ExampleMap_AcquirePrev() {
	functions := rangelock.New[uintptr, string](nil)
	w := functions.Lock()
	err := errors.Join(
		w.Insert(rangelock.Span[uintptr](0x1000, 0x1032), "main.main"),
		w.Insert(rangelock.Span[uintptr](0x1040, 0x1100), "main.run"),
	)
	if err != nil {
		fmt.Println(err)
	}
	w.Unlock()

	for _, pc := range []uintptr{0xfff, 0x1010, 0x1035} {
		g, ok := functions.AcquirePrev(pc)
		switch {
		case !ok:
			fmt.Printf("%#x: below all functions\n", pc)
			continue
		case rangelock.Contains(g.Range(), pc):
			fmt.Printf("%#x: %s+%#x\n", pc, g.Value(), pc-g.Range().Lo)
		default:
			fmt.Printf("%#x: padding behind %s\n", pc, g.Value())
		}
		g.Release()
	}
	// Output:
	// 0xfff: below all functions
	// 0x1010: main.main+0x10
	// 0x1035: padding behind main.main
}
