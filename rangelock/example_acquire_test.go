package rangelock_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// A request has a deadline. AcquireContext tells a gap, which is definite, from a wait that took too long.
func ExampleMap_AcquireContext() {
	m := rangelock.New[int, string](nil)
	if err := m.Insert(context.Background(), rangelock.Span(0, 10), "a"); err != nil {
		fmt.Println(err)
	}
	serve := func(key int) {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		g, err := m.AcquireContext(ctx, key)
		switch {
		case errors.Is(err, rangelock.ErrNotFound):
			fmt.Println(key, "does not exist")
		case errors.Is(err, context.DeadlineExceeded):
			fmt.Println(key, "try again later")
		case err == nil:
			fmt.Println(key, g.Value())
			g.Release()
		}
	}
	serve(5)
	serve(50)
	w := m.Lock() // a writer that takes long
	w.TryExclude(rangelock.Span(0, 10))
	serve(5)
	w.Unlock()
	// Output:
	// 5 a
	// 50 does not exist
	// 5 try again later
}

// A worker flushes dirty pages that no other goroutine uses. ErrBusy is no failure: it goes on with the
// next page, and holds no guard for this one.
func ExampleMap_TryAcquireExclusive() {
	type page struct{ dirty bool }
	pages := rangelock.New[int, *page](nil)
	for i := range 3 {
		r := rangelock.Span(10*i, 10*i+10)
		if err := pages.Insert(context.Background(), r, &page{dirty: true}); err != nil {
			fmt.Println(err)
		}
	}
	reader, _ := pages.Acquire(15)
	for key := 0; key < 40; key += 10 {
		g, err := pages.TryAcquireExclusive(key)
		if err != nil {
			busy, gap := errors.Is(err, rangelock.ErrBusy), errors.Is(err, rangelock.ErrNotFound)
			fmt.Println(key, "busy:", busy, "gap:", gap)
			continue
		}
		g.Value().dirty = false
		fmt.Println(key, "flushed")
		g.Release()
	}
	reader.Release()
	// Output:
	// 0 flushed
	// 10 busy: true gap: false
	// 20 flushed
	// 30 busy: false gap: true
}

// A request that changes a page waits for its readers, but not for ever. One that gives up has changed nothing,
// and the readers that came behind it go on.
func ExampleMap_AcquireExclusiveContext() {
	pages := rangelock.New[int, *int](nil)
	if err := pages.Insert(context.Background(), rangelock.Span(0, 10), new(int)); err != nil {
		fmt.Println(err)
	}
	reader, _ := pages.Acquire(5)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err := pages.AcquireExclusiveContext(ctx, 7)
	var wait *rangelock.WaitError[int]
	if errors.As(err, &wait) {
		fmt.Println("waited for", wait.For, "at", wait.Range, "guards:", wait.Guards)
	}
	another, err := pages.TryAcquire(7)
	fmt.Println("readers go on:", err == nil)
	another.Release()
	reader.Release()
	// Output:
	// waited for a turn at [0, 10) guards: 1
	// readers go on: true
}
