package rwsem_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/spanlock/spanlock/rwsem"
)

// config is read often and replaced seldom.
type config struct {
	sem  rwsem.Sem
	name string
	size int
}

// A writer gives up after a while. The readers that queued behind it go on, and the lock is
// as it was.
func Example() {
	c := &config{name: "first", size: 1}

	c.sem.RLock() // another goroutine reads for a long time
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if err := c.sem.LockContext(ctx); errors.Is(err, context.DeadlineExceeded) {
		fmt.Println("busy, trying later")
	}
	fmt.Println("still", c.name)
	c.sem.RUnlock()

	if err := c.sem.LockContext(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	c.name, c.size = "second", 2
	c.sem.Unlock()

	c.sem.RLock()
	fmt.Println("now", c.name)
	c.sem.RUnlock()
	// Output:
	// busy, trying later
	// still first
	// now second
}

// A writer goes on as a reader. What it wrote cannot change before it has looked at it, but
// other readers may look too.
func ExampleSem_Downgrade() {
	c := &config{}

	c.sem.Lock()
	c.name = "written"
	c.sem.Downgrade()
	fmt.Println(c.sem.TryRLock(), c.sem.TryLock())
	fmt.Println(c.name)
	c.sem.RUnlock() // of the TryRLock
	c.sem.RUnlock() // of the Downgrade
	// Output:
	// true false
	// written
}

// Two words that belong together are read without the lock. The words are atomic, since a
// writer may be at work; Validate tells whether one was.
func ExampleSem_Speculate() {
	var (
		sem  rwsem.Sem
		x, y atomic.Int64 // under sem: y is twice x
	)
	write := func(n int64) {
		sem.Lock()
		defer sem.Unlock()
		x.Store(n)
		y.Store(2 * n)
	}
	read := func() (a, b int64) {
		if seq, ok := sem.Speculate(); ok {
			a, b = x.Load(), y.Load()
			if sem.Validate(seq) {
				return a, b
			}
		}
		sem.RLock() // there was a writer: wait for it
		defer sem.RUnlock()
		return x.Load(), y.Load()
	}

	write(21)
	fmt.Println(read())

	seq, _ := sem.Speculate()
	write(22)
	fmt.Println(sem.Validate(seq))
	// Output:
	// 21 42
	// false
}
