package rangelock_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// The context of LockContext also ends the waits of the operations in the transaction, here that for a
// reader. It does not end the transaction, which needs its Unlock all the same.
func ExampleMap_LockContext() {
	m := rangelock.New[int, string](nil)
	if err := m.Insert(context.Background(), rangelock.Span(0, 10), "a"); err != nil {
		fmt.Println(err)
	}
	g, _ := m.Acquire(5) // a slow reader
	defer g.Release()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	w, err := m.LockContext(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = w.Remove(rangelock.Span(0, 10))
	fmt.Println("removed:", err == nil, "too late:", errors.Is(err, context.DeadlineExceeded))
	fmt.Println(w.Insert(rangelock.Span(10, 20), "b")) // waits for nothing, so it succeeds
	w.Unlock()
	// Output:
	// removed: false too late: true
	// <nil>
}

// A janitor runs once a minute. If a writer is at work, or a Reader, it comes again later.
func ExampleMap_TryLock() {
	m := rangelock.New[int, string](nil)
	tidy := func() {
		w, ok := m.TryLock()
		if !ok {
			fmt.Println("busy; later") // there is nothing to unlock
			return
		}
		defer w.Unlock()
		fmt.Println("tidied")
	}
	w := m.Lock()
	tidy()
	w.Unlock()
	tidy()
	// Output:
	// busy; later
	// tidied
}

// A cleaner compresses the blocks in place that no reader is using, and passes over the others.
func ExampleWriter_TryExclude() {
	blocks := rangelock.New[int, *string](nil)
	w := blocks.Lock()
	for i, text := range []string{"aaaa", "bbbb", "cccc"} {
		if err := w.Insert(rangelock.Span(4*i, 4*i+4), &text); err != nil {
			fmt.Println(err)
		}
	}
	w.Unlock()
	g, _ := blocks.Acquire(5)

	w = blocks.Lock()
	for r, text := range w.Overlapping(rangelock.Span(0, 12)) {
		if !w.TryExclude(r) {
			fmt.Println(r, "is in use")
			continue
		}
		*text = fmt.Sprintf("%d×%c", len(*text), (*text)[0]) // no guard is on it until Unlock
	}
	w.Unlock()
	g.Release()
	for r, text := range blocks.All() {
		fmt.Println(r, *text)
	}
	// Output:
	// [4, 8) is in use
	// [0, 4) 4×a
	// [4, 8) bbbb
	// [8, 12) 4×c
}

// A writer changes a table and saves it. Saving takes long, so it goes on as a Reader: readers find the
// change already, and no other writer comes in between, so the file is what this writer has made.
func ExampleWriter_Downgrade() {
	table := rangelock.New[int, string](nil)
	w := table.Lock()
	err := errors.Join(
		w.Insert(rangelock.Span(0, 10), "a"),
		w.Insert(rangelock.Span(20, 30), "b"),
	)
	if err != nil {
		fmt.Println(err)
	}
	r := w.Downgrade() // ends w, which must not be unlocked any more
	defer r.Unlock()

	fmt.Println(table.Get(5))
	_, writing := table.TryLock()
	fmt.Println("another writer:", writing)
	for s, v := range r.Overlapping(rangelock.From(0)) {
		fmt.Println("save", s, v)
	}
	// Output:
	// a true
	// another writer: false
	// save [0, 10) a
	// save [20, 30) b
}

// A server leases addresses: it takes the first gap that is large enough. Gaps sees what the transaction
// has done, and in the transaction no other goroutine can take the gap.
func ExampleWriter_Gaps() {
	leases := rangelock.New[int, string](nil)
	w := leases.Lock()
	defer w.Unlock()
	err := errors.Join(
		w.Insert(rangelock.Span(0, 10), "printer"),
		w.Insert(rangelock.Span(14, 20), "camera"),
	)
	if err != nil {
		fmt.Println(err)
	}
	lease := func(n int, host string) {
		for gap := range w.Gaps(rangelock.Span(0, 256)) {
			if gap.Hi-gap.Lo >= n {
				r := rangelock.Span(gap.Lo, gap.Lo+n)
				fmt.Println(r, host, w.Insert(r, host))
				return
			}
		}
		fmt.Println("no room for", host)
	}
	lease(8, "laptop")
	lease(4, "phone")
	lease(240, "cluster")
	// Output:
	// [20, 28) laptop <nil>
	// [10, 14) phone <nil>
	// no room for cluster
}

// A lease is made as long as its neighbour allows. Find, Before and After are three answers about one key:
// Before and After pass over the range that covers it.
func ExampleWriter_After() {
	leases := rangelock.New[int, string](nil)
	w := leases.Lock()
	defer w.Unlock()
	err := errors.Join(
		w.Insert(rangelock.Span(0, 10), "laptop"),
		w.Insert(rangelock.Span(30, 40), "phone"),
	)
	if err != nil {
		fmt.Println(err)
	}
	r, host, _ := w.Find(5)
	end := 100
	if next, _, ok := w.After(5); ok {
		end = next.Lo
	}
	fmt.Println(w.Resize(5, rangelock.Span(r.Lo, end)))
	r, host, _ = w.Find(29)
	fmt.Println(r, host)
	// Output:
	// <nil>
	// [0, 30) laptop
}

// What would a Put take away? The transaction looks first: it sees its own changes, and what it sees stays
// until it ends.
func ExampleWriter_Overlapping() {
	regions := rangelock.New[int, string](nil)
	w := regions.Lock()
	defer w.Unlock()
	err := errors.Join(
		w.Insert(rangelock.Span(0, 10), "server 1"),
		w.Insert(rangelock.Span(10, 20), "server 2"),
	)
	if err != nil {
		fmt.Println(err)
	}
	learned := rangelock.Span(5, 20)
	for r, server := range w.Overlapping(learned) {
		if r.Lo >= learned.Lo && r.Hi <= learned.Hi {
			fmt.Println(r, server, "will leave")
		} else {
			fmt.Println(r, server, "will be trimmed")
		}
	}
	fmt.Println(w.Put(learned, "server 3"), regions.Len())
	// Output:
	// [0, 10) server 1 will be trimmed
	// [10, 20) server 2 will leave
	// <nil> 2
}
