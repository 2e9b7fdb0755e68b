package epoch_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/spanlock/spanlock/epoch"
)

// BenchmarkRmw2 is the yardstick: two atomic additions on a cache line of its own.
func BenchmarkRmw2(b *testing.B) {
	w := new([64]atomic.Uint32)
	for b.Loop() {
		w[32].Add(1)
		w[32].Add(^uint32(0))
	}
}

func BenchmarkPin(b *testing.B) {
	var d epoch.Domain
	for b.Loop() {
		g := d.Pin()
		g.Unpin()
	}
}

func BenchmarkPinParallel(b *testing.B) {
	var d epoch.Domain
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			g := d.Pin()
			g.Unpin()
		}
	})
}

func BenchmarkRetire(b *testing.B) {
	var d epoch.Domain
	var n int
	f := func() { n++ }
	b.ReportAllocs()
	for b.Loop() {
		d.Retire(f)
	}
	if err := d.Barrier(context.Background()); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkCookie(b *testing.B) {
	var d epoch.Domain
	b.ReportAllocs()
	c := d.Cookie()
	for b.Loop() {
		if c.Done() {
			c = d.Cookie()
		}
	}
}

func BenchmarkSynchronize(b *testing.B) {
	ctx := context.Background()
	b.Run("readers=0", func(b *testing.B) {
		var d epoch.Domain
		b.ReportAllocs()
		for b.Loop() {
			d.Synchronize(ctx)
		}
	})
	b.Run("readers=1", func(b *testing.B) {
		var d epoch.Domain
		var stop atomic.Bool
		done := make(chan struct{})
		go func() {
			defer close(done)
			for !stop.Load() {
				g := d.Pin()
				g.Unpin()
			}
		}()
		runtime.Gosched()
		b.ReportAllocs()
		for b.Loop() {
			d.Synchronize(ctx)
		}
		b.StopTimer()
		stop.Store(true)
		<-done
	})
}
