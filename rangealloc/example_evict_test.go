package rangealloc_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

// A cache of three entries is full. The oldest is being read, so the next one goes.
func ExampleAllocator_AllocEvict() {
	ctx := context.Background()
	cache := rangealloc.New[int, string](rangelock.Span(0, 30), nil)
	var order []int // oldest first
	for _, name := range []string{"a", "b", "c"} {
		r, _ := cache.Alloc(ctx, 10, 1, name)
		order = append(order, r.Lo)
	}
	g, _ := cache.Map().Acquire(0)

	r, err := cache.AllocEvict(ctx, 8, 1, "d", func() (lo int, ok bool) {
		if len(order) == 0 {
			return 0, false
		}
		lo, order = order[0], order[1:]
		return lo, true
	})
	fmt.Println(r, err)
	for r, name := range cache.Map().All() {
		fmt.Println(name, r)
	}
	g.Release()
	// Output:
	// [10, 18) <nil>
	// a [0, 10)
	// d [10, 18)
	// c [20, 30)
}

func ExampleAllocator_TryFree() {
	ctx := context.Background()
	blocks := rangealloc.New[int, string](rangelock.Span(0, 100), nil)
	r, _ := blocks.Alloc(ctx, 10, 1, "block")
	g, _ := blocks.Map().Acquire(r.Lo)
	fmt.Println(blocks.TryFree(r.Lo) == rangelock.ErrBusy)
	g.Release()
	fmt.Println(blocks.TryFree(r.Lo))
	fmt.Println(blocks.TryFree(r.Lo))
	// Output:
	// true
	// <nil>
	// rangealloc: no allocated range begins at the key: 0
}

// A message is written to its place before a reader can find it there.
func ExampleAllocator_AllocFunc() {
	ctx := context.Background()
	mem := make([]byte, 64)
	arena := rangealloc.New[int, string](rangelock.Span(0, len(mem)), nil)
	put := func(text string) (rangelock.Range[int], error) {
		return arena.AllocFunc(ctx, len(text), 8, func(r rangelock.Range[int]) (string, error) {
			if text == "bad" {
				return "", errors.New("cannot be written")
			}
			copy(mem[r.Lo:r.Hi], text)
			return fmt.Sprint("message at ", r.Lo), nil
		})
	}
	fmt.Println(put("hello"))
	fmt.Println(put("bad"))
	fmt.Println(put("world"))
	arena.Map().View(8, func(r rangelock.Range[int], name string) {
		fmt.Printf("%s: %s\n", name, mem[r.Lo:r.Hi])
	})
	// Output:
	// [0, 5) <nil>
	// [0, 0) cannot be written
	// [8, 13) <nil>
	// message at 8: world
}

// Long-lived ranges lie at the top, so that they do not fragment the keys of short-lived ones.
func ExampleAllocator_AllocTop() {
	ctx := context.Background()
	a := rangealloc.New[uint32, string](rangelock.Span[uint32](0, 1000), nil)
	fmt.Println(a.Alloc(ctx, 100, 1, "comes and goes"))
	fmt.Println(a.AllocTop(ctx, 100, 64, "stays"))
	fmt.Println(a.AllocTop(ctx, 32, 1, "stays"))
	// Output:
	// [0, 100) <nil>
	// [896, 996) <nil>
	// [864, 896) <nil>
}

// A device sees only addresses below 512.
func ExampleAllocator_AllocIn() {
	ctx := context.Background()
	a := rangealloc.New[uint32, string](rangelock.Span[uint32](0, 1000), nil)
	low := rangelock.Span[uint32](0, 512)
	fmt.Println(a.AllocIn(ctx, low, 400, 1, "buffer"))
	_, err := a.AllocIn(ctx, low, 400, 1, "buffer")
	fmt.Println(err)
	var none *rangealloc.NoSpaceError[uint32]
	fmt.Println(errors.As(err, &none), none.Largest)
	// Output:
	// [0, 400) <nil>
	// rangealloc: no gap is large enough: 400 keys aligned to 1 in [0, 512); the largest gap is [400, 1000) with 600 keys
	// true [400, 1000)
}

// A file that has grown has more blocks to allocate.
func ExampleAllocator_Grow() {
	ctx := context.Background()
	blocks := rangealloc.New[int, string](rangelock.Span(0, 8), nil)
	blocks.Alloc(ctx, 6, 1, "a")
	_, err := blocks.Alloc(ctx, 6, 1, "b")
	fmt.Println(err)
	fmt.Println(blocks.Grow(rangelock.Span(8, 16)))
	fmt.Println(blocks.Alloc(ctx, 6, 1, "b"))
	// Output:
	// rangealloc: no gap is large enough: 6 keys aligned to 1; the largest gap is [6, 8) with 2 keys
	// <nil>
	// [6, 12) <nil>
}

func ExampleAllocator_Stats() {
	ctx := context.Background()
	a := rangealloc.New[int, string](rangelock.Span(0, 100), nil)
	a.AllocAt(ctx, rangelock.Span(30, 40), "a")
	a.AllocAt(ctx, rangelock.Span(50, 100), "b")
	fmt.Printf("%+v\n", a.Stats())
	// Output:
	// {Keys:100 Free:40 Largest:30 Gaps:2 Ranges:2 Fragmentation:0.25}
}

// To write to what lies at the keys, take an exclusive guard, which excludes the readers.
func ExampleMap_AcquireExclusive() {
	ctx := context.Background()
	mem := []byte("old text")
	arena := rangealloc.New[int, string](rangelock.Span(0, len(mem)), nil)
	arena.Alloc(ctx, len(mem), 1, "text")

	g, _ := arena.Map().AcquireExclusive(0)
	copy(mem[g.Range().Lo:], "new")
	_, err := arena.Map().TryAcquire(4)
	fmt.Println(err == rangelock.ErrBusy)
	g.Release()

	arena.Map().View(4, func(r rangelock.Range[int], _ string) { fmt.Printf("%s\n", mem[r.Lo:r.Hi]) })
	// Output:
	// true
	// new text
}
