package rangealloc_test

import (
	"fmt"
	"testing"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

// evictWays are the ways to give the keys of the oldest range to a new one.
var evictWays = []struct {
	name  string
	evict func(f *fifo) error
}{
	{"Free", func(f *fifo) error { return f.freeThenAlloc(func(lo int) error { return f.a.Free(ctx, lo) }) }},
	{"TryFree", func(f *fifo) error { return f.freeThenAlloc(f.a.TryFree) }},
	{"AllocEvict", func(f *fifo) error {
		r, err := f.a.AllocEvict(ctx, f.size, 1, f.v, f.next)
		*f.last() = r.Lo
		return err
	}},
}

// fifo is a full allocator, and a ring of its ranges in the order of their age.
type fifo struct {
	a    *rangealloc.Allocator[int, *int]
	ring []int // where they begin
	head int   // the oldest
	v    *int
	size int
}

func (f *fifo) next() (int, bool) { return f.oldest(), true }

func newFIFO(tb testing.TB, n, size int, o *rangelock.Options[int, *int]) *fifo {
	f := &fifo{a: rangealloc.New(rangelock.Span(0, n*size), o), v: new(int), size: size}
	for range n {
		r, err := f.a.Alloc(ctx, size, 1, f.v)
		if err != nil {
			tb.Fatal(err)
		}
		f.ring = append(f.ring, r.Lo)
	}
	return f
}

// oldest returns the oldest range, and makes it the newest.
func (f *fifo) oldest() int {
	lo := f.ring[f.head]
	if f.head++; f.head == len(f.ring) {
		f.head = 0
	}
	return lo
}

// last returns the ring's entry of the range that oldest has returned.
func (f *fifo) last() *int { return &f.ring[(f.head+len(f.ring)-1)%len(f.ring)] }

func (f *fifo) freeThenAlloc(free func(lo int) error) error {
	if err := free(f.oldest()); err != nil {
		return err
	}
	r, err := f.a.Alloc(ctx, f.size, 1, f.v)
	*f.last() = r.Lo
	return err
}

// BenchmarkEvict fills an arena; then the oldest range makes room for each new one.
func BenchmarkEvict(b *testing.B) {
	for _, w := range evictWays {
		for _, retire := range []bool{false, true} {
			b.Run(fmt.Sprintf("by=%s/OnRetire=%v", w.name, retire), func(b *testing.B) {
				var o rangelock.Options[int, *int]
				if retire {
					o.OnRetire = func(rangelock.Range[int], *int) {}
				}
				f := newFIFO(b, 10_000, 1024, &o)
				b.ReportAllocs()
				for b.Loop() {
					if err := w.evict(f); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
