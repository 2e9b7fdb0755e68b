package rangelock_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// A transaction that finds no room gives the lock up, waits for room, and begins again.
func ExampleMap_Room() {
	ctx := context.Background()
	m := rangelock.New(&rangelock.Options[int, string]{
		OnRetire:   func(_ rangelock.Range[int], v string) { fmt.Println("free", v) },
		MaxPending: 1,
	})
	if err := m.Insert(ctx, rangelock.Span(0, 10), "v1"); err != nil {
		fmt.Println(err)
		return
	}
	replace := func(v string) error {
		w, err := m.LockContext(ctx)
		if err != nil {
			return err
		}
		defer w.Unlock()
		return w.Swap(rangelock.Span(0, 10), v)
	}
	for _, v := range []string{"v2", "v3", "v4"} {
		err := replace(v)
		for full := (*rangelock.BacklogError[int])(nil); errors.As(err, &full); {
			if err = m.Room(ctx, full.Cost); err == nil {
				err = replace(v)
			}
		}
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	if err := m.Close(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// free v1
	// free v2
	// free v3
	// free v4
}

// The error of a wait that its context has ended says what the call was waiting for.
func ExampleWaitError() {
	m := rangelock.New[int, string](nil)
	if err := m.Insert(context.Background(), rangelock.Span(0, 10), "x"); err != nil {
		fmt.Println(err)
		return
	}
	g, _ := m.Acquire(5) // and does not release it
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err := m.Remove(ctx, rangelock.Span(0, 10))
	var wait *rangelock.WaitError[int]
	if errors.As(err, &wait) {
		fmt.Println("waited for", wait.For, "on", wait.Range, "held:", wait.Guards)
	}
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	g.Release()
	// Output:
	// waited for the guards on [0, 10) held: 1
	// true
}

// AcquireNextContext takes a guard on the range that covers a key or else on the next one.
func ExampleMap_AcquireNextContext() {
	m := rangelock.New[int, string](nil)
	ctx := context.Background()
	if err := m.Insert(ctx, rangelock.Span(10, 20), "x"); err != nil {
		fmt.Println(err)
		return
	}
	g, err := m.AcquireNextContext(ctx, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(g.Range())
	g.Release()
	_, err = m.AcquireNextContext(ctx, 20)
	fmt.Println(err)
	// Output:
	// [10, 20)
	// rangelock: no range covers the key
}

// A program wants to remove a file that was mapped; on Windows nothing may map it then. DrainRange
// waits for the readers of that file, and not for the readers of other files.
func ExampleMap_DrainRange() {
	ctx := context.Background()
	m := rangelock.New(&rangelock.Options[int, string]{
		OnRetire: func(_ rangelock.Range[int], file string) { fmt.Println("unmap", file) },
	})
	first, second := rangelock.Span(0, 100), rangelock.Span(100, 200)
	err := m.Do(ctx, func(w rangelock.Writer[int, string]) error {
		return errors.Join(w.Insert(first, "first.seg"), w.Insert(second, "second.seg"))
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	reader, _ := m.Acquire(150) // keeps its guard for long
	if _, err := m.Retire(ctx, rangelock.Span(0, 200)); err != nil {
		fmt.Println(err)
	}
	if err := m.DrainRange(ctx, first); err == nil {
		fmt.Println("remove first.seg")
	}
	reader.Release()
	if err := m.DrainRange(ctx, second); err == nil {
		fmt.Println("remove second.seg")
	}
	// Output:
	// unmap first.seg
	// remove first.seg
	// unmap second.seg
	// remove second.seg
}
