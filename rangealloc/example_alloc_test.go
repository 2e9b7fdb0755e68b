package rangealloc_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

// Buffers for a device begin at multiples of 64. What the alignment leaves between them is free for
// requests that need no alignment.
func ExampleAllocator_Alloc() {
	ctx := context.Background()
	a := rangealloc.New[int, string](rangelock.Span(0, 256), nil)
	fmt.Println(a.Alloc(ctx, 10, 0, "header"))
	fmt.Println(a.Alloc(ctx, 100, 64, "buffer"))
	fmt.Println(a.Alloc(ctx, 50, 0, "text"))
	// Output:
	// [0, 10) <nil>
	// [64, 164) <nil>
	// [10, 60) <nil>
}

// A program starts, and the blocks that its file has in use are taken before new ones are given out.
func ExampleAllocator_AllocAt() {
	ctx := context.Background()
	blocks := rangealloc.New[int, string](rangelock.Span(0, 100), nil)
	inUse := []rangelock.Range[int]{rangelock.Span(0, 8), rangelock.Span(20, 30), rangelock.Span(25, 35)}
	for _, used := range inUse {
		if err := blocks.AllocAt(ctx, used, "old"); errors.Is(err, rangelock.ErrOverlap) {
			fmt.Println("the file is damaged:", err)
		}
	}
	fmt.Println(blocks.Alloc(ctx, 15, 0, "new"))
	// Output:
	// the file is damaged: rangelock: range overlaps an attached range: AllocAt [25, 35) would overlap [20, 30)
	// [30, 45) <nil>
}

// Free waits for the readers of the range, and keeps other calls that allocate or free waiting meanwhile. If
// the context ends the wait the range is still allocated. FreeLater waits for no reader.
func ExampleAllocator_Free() {
	ctx := context.Background()
	a := rangealloc.New[int, string](rangelock.Span(0, 100), nil)
	r, err := a.Alloc(ctx, 100, 0, "text")
	if err != nil {
		fmt.Println(err)
		return
	}
	g, _ := a.Map().Acquire(r.Lo)
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	err = a.Free(short, r.Lo)
	fmt.Println("too late:", errors.Is(err, context.DeadlineExceeded), "free:", a.Stats().Free)
	g.Release()
	fmt.Println(a.Free(ctx, r.Lo), "free:", a.Stats().Free)
	fmt.Println(a.Free(ctx, r.Lo))
	// Output:
	// too late: true free: 0
	// <nil> free: 100
	// rangealloc: no allocated range begins at the key: 0
}
