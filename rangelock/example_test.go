package rangelock_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/spanlock/spanlock/rangelock"
)

// A file is read block by block into one buffer, which is used again. OnRetire gives the buffer back
// when the last reader of its block has left.
func ExampleMap() {
	ctx := context.Background()
	file := strings.NewReader("The quick brown fox jumps over the lazy dog.")
	free := make(chan []byte, 1)
	free <- make([]byte, 16)

	blocks := rangelock.New(&rangelock.Options[int, []byte]{
		OnRetire: func(r rangelock.Range[int], block []byte) {
			fmt.Println("nobody reads", r)
			free <- block[:cap(block)]
		},
	})
	for off := 0; off < int(file.Size()); {
		buf := <-free
		n, err := file.ReadAt(buf, int64(off))
		if n == 0 {
			fmt.Println(err)
			return
		}
		r := rangelock.Span(off, off+n)
		if err := blocks.Insert(ctx, r, buf[:n]); err != nil {
			fmt.Println(err)
			return
		}
		blocks.View(off+4, func(r rangelock.Range[int], block []byte) {
			fmt.Printf("%v holds %q\n", r, block)
		})
		if _, err := blocks.Retire(ctx, r); err != nil {
			fmt.Println(err)
			return
		}
		off = r.Hi
	}
	if err := blocks.Close(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// [0, 16) holds "The quick brown "
	// nobody reads [0, 16)
	// [16, 32) holds "fox jumps over t"
	// nobody reads [16, 32)
	// [32, 44) holds "he lazy dog."
	// nobody reads [32, 44)
}

func ExampleMap_Acquire() {
	ctx := context.Background()
	m := rangelock.New[int, string](nil)
	if err := m.Insert(ctx, rangelock.Span(100, 200), "a"); err != nil {
		fmt.Println(err)
		return
	}
	for _, key := range []int{99, 100, 199, 200} {
		g, ok := m.Acquire(key)
		if !ok {
			fmt.Println(key, "is in a gap")
			continue
		}
		fmt.Println(key, "is in", g.Range(), "with", g.Value())
		g.Release()
	}
	// Output:
	// 99 is in a gap
	// 100 is in [100, 200) with a
	// 199 is in [100, 200) with a
	// 200 is in a gap
}

// Each range of keys has a counter that is changed in place. An exclusive guard keeps all others off
// its range; readers and writers of other ranges do not notice it.
func ExampleMap_AcquireExclusive() {
	ctx := context.Background()
	m := rangelock.New[int, *int](nil)
	for lo := 0; lo < 300; lo += 100 {
		if err := m.Insert(ctx, rangelock.Span(lo, lo+100), new(int)); err != nil {
			fmt.Println(err)
			return
		}
	}
	var wg sync.WaitGroup
	for key := range 300 {
		wg.Go(func() {
			if g, ok := m.AcquireExclusive(key); ok {
				*g.Value() += key
				g.Release()
			}
		})
	}
	wg.Wait()
	for g := range m.Guards(rangelock.Span(0, 300)) {
		fmt.Println(g.Range(), *g.Value())
	}
	// Output:
	// [0, 100) 4950
	// [100, 200) 14950
	// [200, 300) 24950
}

// TryAcquire never waits, so a goroutine that already holds a guard or a transaction of the same
// map may call it. ErrBusy says nothing about whether the key has a range; ErrNotFound is definite.
func ExampleMap_TryAcquire() {
	ctx := context.Background()
	m := rangelock.New[int, string](nil)
	try := func(key int) {
		g, err := m.TryAcquire(key)
		if err != nil {
			fmt.Println(key, err)
			return
		}
		fmt.Println(key, g.Value())
		g.Release()
	}
	if err := m.Insert(ctx, rangelock.Span(0, 10), "a"); err != nil {
		fmt.Println(err)
		return
	}

	w := m.Lock()
	if err := w.Insert(rangelock.Span(10, 20), "b"); err != nil {
		fmt.Println(err)
	}
	try(5)  // not touched by the transaction
	try(15) // inserted by a transaction that has not ended
	try(25) // the transaction may still insert it
	w.Unlock()

	fmt.Println("unlocked")
	try(15)
	try(25)
	// Output:
	// 5 a
	// 15 rangelock: a writer or a guard is in the way
	// 25 rangelock: a writer or a guard is in the way
	// unlocked
	// 15 b
	// 25 rangelock: no range covers the key
}

// Everything that a transaction does becomes visible at once when it ends.
func ExampleMap_Lock() {
	m := rangelock.New[int, string](nil)

	w := m.Lock()
	for i, name := range []string{"a", "b", "c"} {
		if err := w.Insert(rangelock.Span(10*i, 10*i+5), name); err != nil {
			fmt.Println(err)
		}
	}
	err := w.Insert(rangelock.Span(12, 20), "d") // fails alone, the others stand
	fmt.Println(err)
	w.Unlock()

	for r, name := range m.All() {
		fmt.Println(r, name)
	}
	// Output:
	// rangelock: range overlaps an attached range: Insert [12, 20) would overlap [10, 15)
	// [0, 5) a
	// [10, 15) b
	// [20, 25) c
}

// Swap does not wait for guards. A guard keeps the old value, and OnRetire is called after the guard
// is released.
func ExampleWriter_Swap() {
	ctx := context.Background()
	m := rangelock.New(&rangelock.Options[int, string]{
		OnRetire: func(r rangelock.Range[int], v string) { fmt.Println("retired:", r, v) },
	})
	if err := m.Insert(ctx, rangelock.Span(0, 10), "old"); err != nil {
		fmt.Println(err)
		return
	}
	g, _ := m.Acquire(5)

	w := m.Lock()
	if err := w.Swap(rangelock.Span(0, 7), "new"); errors.Is(err, rangelock.ErrPartial) {
		fmt.Println(err)
	}
	if err := w.Swap(rangelock.Span(0, 20), "new"); err != nil {
		fmt.Println(err)
	}
	w.Unlock()

	fresh, err := m.TryAcquire(5) // we hold a guard: do not wait
	if err != nil {
		fmt.Println(err)
		g.Release()
		return
	}
	fmt.Println("new guard:", fresh.Range(), fresh.Value())
	fresh.Release()
	fmt.Println("old guard:", g.Range(), g.Value())
	g.Release()
	if err := m.Drain(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// rangelock: operation would cut a range: Swap [0, 7) would cut [0, 10)
	// new guard: [0, 20) new
	// old guard: [0, 10) old
	// retired: [0, 10) old
}

// To change in place what a value points to, exclude its range. Then no other goroutine has a guard
// on it, and new readers wait until the transaction ends.
func ExampleWriter_Exclude() {
	ctx := context.Background()
	type account struct{ cents int }
	m := rangelock.New[int, *account](nil)
	if err := m.Insert(ctx, rangelock.Span(0, 10), &account{cents: 5}); err != nil {
		fmt.Println(err)
		return
	}

	w, err := m.LockContext(ctx) // ctx ends the wait in Exclude, too
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := w.Exclude(rangelock.Span(3, 4)); err != nil { // the whole of [0, 10)
		fmt.Println(err)
	}
	_, a, _ := w.Find(3)
	a.cents += 37
	w.Unlock()

	m.View(7, func(r rangelock.Range[int], a *account) { fmt.Println(r, a.cents) })
	// Output: [0, 10) 42
}

func ExampleNewFunc() {
	ctx := context.Background()
	// The keys are byte strings in their usual order. Each range is served by one host.
	hosts := rangelock.NewFunc[[]byte, int](bytes.Compare, nil)
	w, err := hosts.LockContext(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, err := range []error{
		w.Insert(rangelock.Span([]byte(""), []byte("h")), 1),
		w.Insert(rangelock.Span([]byte("h"), []byte("q")), 2),
		w.Insert(rangelock.From([]byte("q")), 3), // to the end of all keys
	} {
		if err != nil {
			fmt.Println(err)
		}
	}
	w.Unlock()

	for _, key := range []string{"apple", "h", "zebra"} {
		host, _ := hosts.Get([]byte(key))
		fmt.Println(key, "is at host", host)
	}
	// Output:
	// apple is at host 1
	// h is at host 2
	// zebra is at host 3
}

func ExampleMap_Drain() {
	ctx := context.Background()
	unmapped := 0
	m := rangelock.New(&rangelock.Options[int, string]{
		OnRetire: func(rangelock.Range[int], string) { unmapped++ },
	})
	for i := range 100 {
		if err := m.Insert(ctx, rangelock.Span(i, i+1), "page"); err != nil {
			fmt.Println(err)
			return
		}
	}
	n, err := m.Retire(ctx, rangelock.Span(0, 60))
	fmt.Println("retired", n, err)

	if err := m.Drain(ctx); err != nil { // OnRetire has returned for everything retired so far
		fmt.Println(err)
		return
	}
	fmt.Println("unmapped", unmapped, "left", m.Len())
	// Output:
	// retired 60 <nil>
	// unmapped 60 left 40
}

// Cost and MaxPending bound the cost of the ranges that have left the map and are not freed yet, here
// to 100 bytes.
func ExampleOptions() {
	ctx := context.Background()
	m := rangelock.New(&rangelock.Options[int, string]{
		OnRetire:   func(r rangelock.Range[int], name string) { fmt.Println("freed", name) },
		Cost:       func(r rangelock.Range[int], name string) int64 { return int64(r.Hi - r.Lo) },
		MaxPending: 100,
	})
	a, b := rangelock.Span(0, 80), rangelock.Span(80, 140)
	w := m.Lock()
	for _, err := range []error{w.Insert(a, "a"), w.Insert(b, "b")} {
		if err != nil {
			fmt.Println(err)
		}
	}
	w.Unlock()

	g, _ := m.Acquire(0) // keeps a pending after it is retired
	if _, err := m.Retire(ctx, a); err != nil {
		fmt.Println(err)
	}
	if _, err := m.Retire(ctx, b); errors.Is(err, rangelock.ErrBacklog) {
		fmt.Println(err)
	}
	g.Release()
	if err := m.Drain(ctx); err != nil { // waits for room
		fmt.Println(err)
	}
	if _, err := m.Retire(ctx, b); err != nil {
		fmt.Println(err)
	}
	if err := m.Close(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// rangelock: too much is pending: [80, 140) would add 60 to the 80 that are pending, more than MaxPending 100
	// freed a
	// freed b
}

// A cache loads blocks on demand. Retire evicts a block, and OnRetire frees it when its last reader
// has left.
func ExampleMap_AcquireOrLoad() {
	const text, size = "The quick brown fox jumps over the lazy dog.", 16
	ctx := context.Background()
	blockOf := func(off int) rangelock.Range[int] { return rangelock.Span(off/size*size, off/size*size+size) }
	cache := rangelock.New(&rangelock.Options[int, string]{
		OnRetire:  func(r rangelock.Range[int], block string) { fmt.Printf("free %v %q\n", r, block) },
		LoadRange: blockOf, // two blocks can be loaded at the same time
	})
	load := func(_ context.Context, off int) (rangelock.Range[int], string, error) {
		r := blockOf(off)
		if off >= len(text) {
			return r, "", io.EOF
		}
		fmt.Println("load", r)
		return r, text[r.Lo:min(r.Hi, len(text))], nil
	}
	for _, off := range []int{4, 9, 100, 20} {
		g, err := cache.AcquireOrLoad(ctx, off, load)
		if err != nil {
			fmt.Println(off, err)
			continue
		}
		fmt.Printf("%d is in %q\n", off, g.Value())
		if off == 20 {
			cache.Retire(ctx, blockOf(off)) // evicted under our guard, which keeps it
		}
		g.Release()
	}
	if err := cache.Close(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// load [0, 16)
	// 4 is in "The quick brown "
	// 9 is in "The quick brown "
	// 100 EOF
	// load [16, 32)
	// 20 is in "fox jumps over t"
	// free [16, 32) "fox jumps over t"
	// free [0, 16) "The quick brown "
}
