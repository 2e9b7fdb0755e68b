package main

import (
	"context"
	"fmt"
	"log"

	"github.com/spanlock/spanlock/rangelock"
)

func main() {
	ctx := context.Background()
	m := rangelock.New(&rangelock.Options[int, string]{
		// Called once for each range that has left the map, after its last guard.
		OnRetire: func(_ rangelock.Range[int], v string) { fmt.Println("unmap", v) },
	})
	page := rangelock.Span(0, 4096) // keys 0 to 4095
	if err := m.Insert(ctx, page, "mapping 1"); err != nil {
		log.Fatal(err)
	}
	g, ok := m.Acquire(100) // a guard on the range that covers key 100
	if !ok {
		log.Fatal("no range covers 100")
	}
	if err := m.Swap(ctx, page, "mapping 2"); err != nil { // waits for no reader
		log.Fatal(err)
	}
	fmt.Println("still reading", g.Value()) // mapping 1
	g.Release()                             // the last guard: mapping 1 may be unmapped
	if err := m.Close(ctx); err != nil {    // retires the rest, waits for OnRetire
		log.Fatal(err)
	}
}
