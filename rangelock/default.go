package rangelock

import (
	"context"
	"io"

	"github.com/spanlock/spanlock/internal/seam"
)

// This file has the default map, which is made when it is first used.

var defaultMap = seam.OnceValue(func() *Map[uintptr, any] {
	return New(&Options[uintptr, any]{
		OnRetire: func(_ Range[uintptr], v any) {
			if c, ok := v.(io.Closer); ok {
				c.Close()
			}
		},
	})
})

// Default returns the map for the address space of the process, keyed by address in bytes. It
// connects packages that map memory with packages that use it. It contains only what callers have
// inserted. A value that is an [io.Closer] is closed when its range is retired, once for each
// range. The error of Close is dropped; a closer that must report its error does so itself. There
// is no MaxPending.
//
// Closing the default map ends it for the whole process.
func Default() *Map[uintptr, any] { return defaultMap() }

// Acquire is [Map.Acquire] of the default map.
func Acquire(key uintptr) (Guard[uintptr, any], bool) { return defaultMap().Acquire(key) }

// AcquireContext is [Map.AcquireContext] of the default map. Its errors are those of
// [Map.AcquireContext].
func AcquireContext(ctx context.Context, key uintptr) (Guard[uintptr, any], error) {
	return defaultMap().AcquireContext(ctx, key)
}

// TryAcquire is [Map.TryAcquire] of the default map. Its errors are those of
// [Map.TryAcquire].
func TryAcquire(key uintptr) (Guard[uintptr, any], error) { return defaultMap().TryAcquire(key) }
