package rangealloc_test

import (
	"context"
	"testing"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

// BenchmarkFree runs Alloc and Free, or FreeLater, in a loop on one goroutine. With an OnRetire,
// Free waits for it, and therefore for a grace period.
func BenchmarkFree(b *testing.B) {
	type allocator = rangealloc.Allocator[int, int]
	for _, x := range []struct {
		name     string
		onRetire func(rangelock.Range[int], int)
		free     func(*allocator, context.Context, int) error
	}{
		{"call=Free/OnRetire=no", nil, (*allocator).Free},
		{"call=Free/OnRetire=yes", func(rangelock.Range[int], int) {}, (*allocator).Free},
		{"call=FreeLater/OnRetire=no", nil, (*allocator).FreeLater},
	} {
		b.Run(x.name, func(b *testing.B) {
			a := rangealloc.New(rangelock.Span(0, 1<<30), &rangelock.Options[int, int]{OnRetire: x.onRetire})
			for b.Loop() {
				r, err := a.Alloc(ctx, 64, 1, 0)
				if err != nil {
					b.Fatal(err)
				}
				if err := x.free(a, ctx, r.Lo); err != nil {
					b.Fatal(err)
				}
			}
			if err := a.Close(ctx); err != nil {
				b.Fatal(err)
			}
		})
	}
}
