package rangealloc_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

// Messages are kept in one buffer that the garbage collector does not manage. A message that is
// dropped while it is being read stays until the reader has finished. OnRetire wipes it before
// its bytes are given out again.
func Example() {
	ctx := context.Background()
	mem := make([]byte, 32)
	arena := rangealloc.New(rangelock.Span(0, len(mem)), &rangelock.Options[int, string]{
		OnRetire: func(r rangelock.Range[int], name string) {
			fmt.Printf("wipe %s: %q\n", name, mem[r.Lo:r.Hi])
			clear(mem[r.Lo:r.Hi])
		},
	})
	write := func(name, text string) {
		r, err := arena.Alloc(ctx, len(text), 8, name)
		if err != nil {
			fmt.Println(err)
			return
		}
		copy(mem[r.Lo:r.Hi], text)
		fmt.Println(name, "is at", r)
	}
	write("a", "first message")
	write("b", "second")

	g, _ := arena.Map().Acquire(0)
	if err := arena.FreeLater(ctx, 0); err != nil {
		fmt.Println(err)
	}
	write("c", "the third one")
	fmt.Printf("still readable: %q\n", mem[g.Range().Lo:g.Range().Hi])
	g.Release()
	if err := arena.Map().Drain(ctx); err != nil {
		fmt.Println(err)
	}
	write("c", "the third one")
	if err := arena.Close(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// a is at [0, 13)
	// b is at [16, 22)
	// rangealloc: no gap is large enough: 13 keys aligned to 8; the largest gap is [22, 32) with 10 keys
	// still readable: "first message"
	// wipe a: "first message"
	// c is at [0, 13)
	// wipe c: "the third one"
	// wipe b: "second"
}

// Best fit takes the gap that is nearest in size, and keeps the large one whole.
func ExampleAllocator_AllocBest() {
	ctx := context.Background()
	blocks := rangealloc.New[uint8, int](rangelock.From[uint8](0), nil)
	for _, r := range []rangelock.Range[uint8]{rangelock.Span[uint8](100, 200), rangelock.Span[uint8](208, 250)} {
		if err := blocks.AllocAt(ctx, r, 1); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(blocks.Alloc(ctx, 6, 1, 2))
	fmt.Println(blocks.AllocBest(ctx, 6, 1, 3)) // the six largest keys
	fmt.Println(blocks.AllocBest(ctx, 6, 8, 4))
	fmt.Println(blocks.AllocAt(ctx, rangelock.Span[uint8](90, 101), 5))
	_, err := blocks.Alloc(ctx, 95, 1, 6)
	fmt.Println(errors.Is(err, rangealloc.ErrNoSpace), err)
	// Output:
	// [0, 6) <nil>
	// [250, ∞) <nil>
	// [200, 206) <nil>
	// rangelock: range overlaps an attached range: AllocAt [90, 101) would overlap [100, 200)
	// true rangealloc: no gap is large enough: 95 keys aligned to 1; the largest gap is [6, 100) with 94 keys
}
