package rangelock_test

import (
	"context"
	"fmt"
	"sync"

	"github.com/spanlock/spanlock/rangelock"
)

// The holder of a guard starts a goroutine and gives it a guard of its own.
func ExampleGuard_Clone() {
	m := rangelock.New[int, string](nil)
	m.Insert(context.Background(), rangelock.Span(0, 4096), "segment 0")

	g, ok := m.Acquire(100)
	if !ok {
		return
	}
	var wg sync.WaitGroup
	c := g.Clone()
	wg.Go(func() {
		defer c.Release()
		fmt.Println("in the background:", c.Value())
	})
	g.Release() // the segment stays until c is released, too
	wg.Wait()
	// Output: in the background: segment 0
}

// A goroutine changes what a value refers to while it has the range to itself. Then it goes on
// reading beside other readers.
func ExampleGuard_Downgrade() {
	m := rangelock.New[int, *[]string](nil)
	m.Insert(context.Background(), rangelock.Span(0, 4096), new([]string))

	g, ok := m.AcquireExclusive(100)
	if !ok {
		return
	}
	*g.Value() = append(*g.Value(), "one more line")
	g.Downgrade()
	if other, err := m.TryAcquire(100); err == nil {
		fmt.Println(*other.Value())
		other.Release()
	}
	g.Release()
	// Output: [one more line]
}

// A loop over Guards releases each guard at the end of the body. Take keeps the guard for longer.
func ExampleGuard_Take() {
	m := rangelock.New[int, string](nil)
	for i, name := range []string{"a", "b", "c"} {
		m.Insert(context.Background(), rangelock.Span(10*i, 10*i+10), name)
	}

	var kept rangelock.Guard[int, string]
	for g := range m.Guards(rangelock.Span(0, 30)) {
		if g.Value() == "b" {
			kept = g.Take()
		}
	}
	fmt.Println(kept.Value())
	kept.Release()
	// Output: b
}
