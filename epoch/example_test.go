package epoch_test

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/spanlock/spanlock/epoch"
)

// Many goroutines read a configuration. It owns something that must be closed, but not
// while a goroutine reads the configuration.
func Example() {
	type config struct {
		name   string
		closed bool
	}
	var (
		domain  epoch.Domain
		current atomic.Pointer[config]
	)
	current.Store(&config{name: "first"})

	read := func() {
		g := domain.Pin()
		defer g.Unpin()
		c := current.Load() // after Pin, and not used after Unpin
		fmt.Println("reading", c.name, "closed:", c.closed)
	}
	replace := func(c *config) {
		old := current.Swap(c) // first unlink …
		domain.Retire(func() { // … then retire
			old.closed = true
			fmt.Println("closed", old.name)
		})
	}

	read()
	replace(&config{name: "second"})
	if err := domain.Barrier(context.Background()); err != nil {
		fmt.Println(err)
	}
	read()
	// Output:
	// reading first closed: false
	// closed first
	// reading second closed: false
}

// A writer with work of its own polls until a buffer is free again.
func ExampleDomain_Cookie() {
	var domain epoch.Domain
	reader := domain.Pin()

	buffer := make([]byte, 4096) // unlinked just now
	cookie := domain.Cookie()
	for range 3 {
		fmt.Println("may reuse it:", cookie.Done())
	}
	reader.Unpin()
	for !cookie.Done() {
	}
	fmt.Println("reused", len(buffer), "bytes")
	// Output:
	// may reuse it: false
	// may reuse it: false
	// may reuse it: false
	// reused 4096 bytes
}

// The backlog may not exceed 100 units, here kilobytes, however long readers take.
func ExampleDomain_RetireContext() {
	domain := epoch.Domain{MaxPending: 100}
	reader := domain.Pin()

	ctx, cancel := context.WithCancel(context.Background())
	cancel() // do not wait for room
	for _, size := range []int64{60, 60, 40, 101} {
		err := domain.RetireContext(ctx, size, func() {})
		fmt.Println(size, err)
	}
	s := domain.Stats()
	fmt.Println(s.Pending, "pending of", s.PendingCost)
	reader.Unpin()
	// Output:
	// 60 <nil>
	// 60 context canceled
	// 40 <nil>
	// 101 epoch: impossible cost: 101 is above MaxPending 100
	// 2 pending of 100
}
