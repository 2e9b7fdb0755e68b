package rangelock_test

import (
	"context"
	"fmt"

	"github.com/spanlock/spanlock/rangelock"
)

// device is memory of a device. The default map closes a value that is an io.Closer when its range is retired.
type device string

func (d device) Close() error {
	fmt.Println("unmap", d)
	return nil
}

// One package maps memory and says so in the default map. Another package knows an address only, and takes
// a guard before it touches the memory. The two need not know each other.
func ExampleDefault() {
	ctx := context.Background()
	const addr = uintptr(0x5eed_0000)
	mapped := rangelock.Span(addr, addr+0x1000)
	if err := rangelock.Default().Insert(ctx, mapped, device("frame buffer")); err != nil {
		fmt.Println(err)
	}

	if g, ok := rangelock.Acquire(addr + 8); ok {
		fmt.Printf("%#x is in the %v\n", addr+8, g.Value())
		g.Release()
	}

	// The package that has mapped the memory takes its own range out. It does not close the default map,
	// which is that of the whole process.
	if _, err := rangelock.Default().Retire(ctx, mapped); err != nil {
		fmt.Println(err)
	}
	if err := rangelock.Default().DrainRange(ctx, mapped); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 0x5eed0008 is in the frame buffer
	// unmap frame buffer
}
