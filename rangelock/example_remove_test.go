package rangelock_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// A buffer is wanted back. Remove waits for its readers: when it has returned, none of them uses the
// bytes. OnRetire need not have run by then, so what needs that calls Drain as well.
func ExampleMap_Remove() {
	ctx := context.Background()
	freed := 0
	m := rangelock.New(&rangelock.Options[int, []byte]{
		OnRetire: func(_ rangelock.Range[int], b []byte) { freed += len(b) },
	})
	if err := m.Insert(ctx, rangelock.Span(0, 6), []byte("buffer")); err != nil {
		fmt.Println(err)
		return
	}
	reading := make(chan struct{})
	go func() {
		g, _ := m.Acquire(3)
		close(reading)
		time.Sleep(time.Millisecond) // a slow reader
		fmt.Printf("read %s\n", g.Value())
		g.Release()
	}()
	<-reading

	n, err := m.Remove(ctx, rangelock.Span(0, 6))
	fmt.Println("removed", n, err)
	if err := m.Drain(ctx); err != nil {
		fmt.Println(err)
	}
	fmt.Println("freed", freed)
	// Output:
	// read buffer
	// removed 1 <nil>
	// freed 6
}

// A log keeps its newest segments. Retire takes all ranges that lie in the one that it is given,
// however many there are, and does not wait for their readers: Stats shows what is still pending.
func ExampleMap_Retire() {
	ctx := context.Background()
	m := rangelock.New(&rangelock.Options[int, string]{
		OnRetire: func(_ rangelock.Range[int], file string) { fmt.Println("delete", file) },
	})
	for i, file := range []string{"0.seg", "1.seg", "2.seg"} {
		if err := m.Insert(ctx, rangelock.Span(100*i, 100*i+80), file); err != nil {
			fmt.Println(err)
		}
	}
	g, _ := m.Acquire(50)
	n, err := m.Retire(ctx, rangelock.Span(0, 200))
	fmt.Println("retired", n, err)
	n, err = m.Retire(ctx, rangelock.Span(0, 200))
	fmt.Println("retired", n, err)

	fmt.Println("a reader still has", g.Value(), "pending:", m.Stats().Pending > 0)
	g.Release()
	if err := m.Drain(ctx); err != nil {
		fmt.Println(err)
	}
	// Unordered output:
	// retired 2 <nil>
	// retired 0 <nil>
	// a reader still has 0.seg pending: true
	// delete 1.seg
	// delete 0.seg
}

// A table is loaded anew. Clear and the insertions are one transaction, so no reader finds the table
// empty: those that come in between wait, and TryAcquire reports ErrBusy.
func ExampleWriter_Clear() {
	routes := rangelock.New[int, string](nil)
	w := routes.Lock()
	err := errors.Join(
		w.Insert(rangelock.Span(0, 10), "eth0"),
		w.Insert(rangelock.Span(10, 20), "eth1"),
	)
	if err != nil {
		fmt.Println(err)
	}
	w.Unlock()

	w = routes.Lock()
	n, err := w.Clear()
	fmt.Println("cleared", n, err)
	_, err = routes.TryAcquire(5)
	fmt.Println("busy:", errors.Is(err, rangelock.ErrBusy))
	if err := w.Insert(rangelock.Span(0, 20), "eth2"); err != nil {
		fmt.Println(err)
	}
	w.Unlock()
	fmt.Println(routes.GetRange(5))
	// Output:
	// cleared 2 <nil>
	// busy: true
	// [0, 20) eth2 true
}

// A server stops, but one of its readers takes too long. Close has closed the map all the same: its error
// says where the reader is, and a second Close waits on.
func ExampleMap_Close() {
	m := rangelock.New(&rangelock.Options[int, string]{
		OnRetire: func(_ rangelock.Range[int], file string) { fmt.Println("unmap", file) },
	})
	if err := m.Insert(context.Background(), rangelock.Span(0, 100), "0.seg"); err != nil {
		fmt.Println(err)
		return
	}
	g, _ := m.Acquire(7)

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	var wait *rangelock.WaitError[int]
	if err := m.Close(ctx); errors.As(err, &wait) {
		fmt.Println("readers in", wait.Held)
	}
	_, err := m.TryAcquire(7)
	fmt.Println(err)
	g.Release()
	fmt.Println(m.Close(context.Background()))
	// Output:
	// readers in [[0, 100)]
	// rangelock: map is closed
	// unmap 0.seg
	// <nil>
}
