package epoch_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spanlock/spanlock/epoch"
)

// A writer waits by itself until nobody can see an old buffer any more. With an error no grace period
// is over, so it must not use the buffer again.
func ExampleDomain_Synchronize() {
	var domain epoch.Domain
	reader := domain.Pin()
	// Here the buffer is unlinked: later pins do not find it.

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	err := domain.Synchronize(ctx)
	fmt.Println("a reader may still have it:", errors.Is(err, context.DeadlineExceeded))

	reader.Unpin()
	later := domain.Pin() // does not hold Synchronize up for ever: it was not there at the call
	later.Unpin()
	fmt.Println("reuse:", domain.Synchronize(context.Background()) == nil)
	// Output:
	// a reader may still have it: true
	// reuse: true
}
