package rangelock_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/spanlock/spanlock/rangelock"
)

// Get is for values that need no guard, such as names and numbers: a value that Get has returned may
// leave the map before it is used. A value that OnRetire frees needs View or Acquire.
func ExampleMap_Get() {
	regions := rangelock.New[string, string](nil)
	if err := regions.Insert(context.Background(), rangelock.Prefix("user/"), "server 1"); err != nil {
		fmt.Println(err)
	}
	for _, key := range []string{"user/42", "order/42"} {
		if server, ok := regions.Get(key); ok {
			fmt.Println(key, "is at", server)
		} else {
			fmt.Println(key, "is in no region") // server is "", which could be a value as well
		}
	}
	// Output:
	// user/42 is at server 1
	// order/42 is in no region
}

// A router looks for the next hops of a batch of packets. The number i that each is called with is
// that of the key, so the answers go to their places.
func ExampleMap_GetMany() {
	routes := rangelock.New[uint32, int](nil) // the numbers of interfaces by IPv4 address
	w := routes.Lock()
	err := errors.Join(
		w.Insert(rangelock.Span[uint32](0x0a000000, 0x0b000000), 1), // 10.0.0.0/8
		w.Insert(rangelock.From[uint32](0xf0000000), 2),             // 240.0.0.0/4, to the last address
	)
	if err != nil {
		fmt.Println(err)
	}
	w.Unlock()

	packets := []uint32{0x0a000001, 0x0b000000, 0xffffffff}
	hops := make([]int, len(packets))
	routes.GetMany(packets, func(i int, hop int, ok bool) {
		if !ok {
			hop = -1
		}
		hops[i] = hop
	})
	fmt.Println(hops)
	// Output: [1 -1 2]
}

// A record is read out of a mapped segment. OnRetire may unmap the bytes when View has returned, so
// the function copies what it needs.
func ExampleMap_View() {
	ctx := context.Background()
	segments := rangelock.New(&rangelock.Options[int, []byte]{
		OnRetire: func(_ rangelock.Range[int], b []byte) { clear(b) }, // as if it were unmapped
	})
	if err := segments.Insert(ctx, rangelock.Span(1000, 1012), []byte("red,10;blue,")); err != nil {
		fmt.Println(err)
	}
	var name string
	find := func(r rangelock.Range[int], b []byte) {
		name = string(b[1007-r.Lo : 1011-r.Lo]) // a copy; b itself must not leave the function
	}
	fmt.Println(segments.View(1007, find))
	if err := segments.Close(ctx); err != nil {
		fmt.Println(err)
	}
	fmt.Println(segments.View(1007, find), name)
	// Output:
	// true
	// false blue
}

// A server has died, and its regions go. The body may change the map, since All holds nothing. It
// is no snapshot for the same reason: what other goroutines change meanwhile may be yielded or not,
// and two ranges may come from two states of the map. See [Map.RLock] for one state, and [Map.Guards]
// for a map with an OnRetire.
func ExampleMap_All() {
	ctx := context.Background()
	regions := rangelock.New[int, string](nil)
	for i, server := range []string{"a", "b", "a", "c"} {
		if err := regions.Insert(ctx, rangelock.Span(10*i, 10*i+10), server); err != nil {
			fmt.Println(err)
		}
	}
	for r, server := range regions.All() {
		if server == "a" {
			if _, err := regions.Retire(ctx, r); err != nil {
				fmt.Println(err)
			}
		}
	}
	for r, server := range regions.All() {
		fmt.Println(r, server)
	}
	// Output:
	// [10, 20) b
	// [30, 40) c
}

// What is in the addresses [15, 35)? AllIn yields whole ranges, also where they stick out of it.
func ExampleMap_AllIn() {
	ctx := context.Background()
	leases := rangelock.New[int, string](nil)
	for i, host := range []string{"printer", "laptop", "phone", "camera"} {
		if err := leases.Insert(ctx, rangelock.Span(10*i, 10*i+10), host); err != nil {
			fmt.Println(err)
		}
	}
	for r, host := range leases.AllIn(rangelock.Span(15, 35)) {
		fmt.Println(r, host)
	}
	// Output:
	// [10, 20) laptop
	// [20, 30) phone
	// [30, 40) camera
}

// How far a log reaches. The last range may have no end, and then its Hi is not a key.
func ExampleMap_Bounds() {
	ctx := context.Background()
	segments := rangelock.New[int, string](nil)
	reach := func() {
		first, last, ok := segments.Bounds()
		switch {
		case !ok:
			fmt.Println("empty")
		case last.Unbounded:
			fmt.Println("from", first.Lo, "on; the active segment begins at", last.Lo)
		default:
			fmt.Println("from", first.Lo, "to", last.Hi)
		}
	}
	reach()
	for _, r := range []rangelock.Range[int]{rangelock.Span(100, 200), rangelock.From(200)} {
		if err := segments.Insert(ctx, r, "file"); err != nil {
			fmt.Println(err)
		}
		reach()
	}
	// Output:
	// empty
	// from 100 to 200
	// from 100 on; the active segment begins at 200
}

// How many bytes of [0, 100) are mapped? The answer needs all ranges as they are at one instant. While
// the Reader lasts no transaction begins, so the sum is of one state, and no value is retired.
func ExampleMap_RLock() {
	segments := rangelock.New(&rangelock.Options[int, string]{
		OnRetire: func(_ rangelock.Range[int], file string) { fmt.Println("unmap", file) },
	})
	w := segments.Lock()
	err := errors.Join(
		w.Insert(rangelock.Span(0, 40), "0.seg"),
		w.Insert(rangelock.Span(80, 120), "1.seg"),
	)
	if err != nil {
		fmt.Println(err)
	}
	w.Unlock()

	r := segments.RLock()
	sum := 0
	for s, file := range r.Overlapping(rangelock.Span(0, 100)) {
		sum += min(s.Hi, 100) - s.Lo
		fmt.Println(file, s)
	}
	_, writing := segments.TryLock()
	r.Unlock() // soon: writers wait for it
	fmt.Println(sum, "bytes; a writer could begin:", writing)
	// Output:
	// 0.seg [0, 40)
	// 1.seg [80, 120)
	// 60 bytes; a writer could begin: false
}
