package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Visitors make the picture of the map interesting: the store's own readers and compactor come
// and go within microseconds, which no page shows. They run with -http only. Each holds one guard
// at a time, or the writer's lock and no guard, and changes nothing.
type visitors struct {
	store *spanStore
	files []*file
	busy  atomic.Pointer[file] // the file that a visitor has entered last
	wg    sync.WaitGroup
}

// receive starts visitors. The returned function stops them, and waits until the last has ended.
func receive(ctx context.Context, s *spanStore, files []*file) (leave func()) {
	ctx, cancel := context.WithCancel(ctx)
	v := &visitors{store: s, files: files}
	for range 12 {
		v.wg.Go(func() { v.stay(ctx) })
	}
	for range 3 {
		v.wg.Go(func() { v.edit(ctx) })
	}
	v.wg.Go(func() { v.maintain(ctx) })
	return func() {
		cancel()
		v.wg.Wait()
	}
}

// somewhere returns a random file.
func (v *visitors) somewhere() *file { return v.files[rand.IntN(len(v.files))] }

// stay holds a guard for the time that a slow client takes. Half of the time it enters a range
// that another visitor has entered.
func (v *visitors) stay(ctx context.Context) {
	for ctx.Err() == nil {
		f := v.somewhere()
		if b := v.busy.Load(); b != nil && rand.IntN(2) == 0 {
			f = b
		}
		g, err := v.store.m.AcquireContext(ctx, f.lo)
		if err == nil {
			v.busy.Store(f)
			rest(ctx, 300*time.Millisecond, 900*time.Millisecond)
			g.Release()
		}
		rest(ctx, 0, 100*time.Millisecond)
	}
}

// edit holds an exclusive guard for a while, for which others wait.
func (v *visitors) edit(ctx context.Context) {
	for ctx.Err() == nil {
		f := v.somewhere()
		g, err := v.store.m.AcquireExclusiveContext(ctx, f.lo)
		if err == nil {
			v.busy.Store(f)
			rest(ctx, 200*time.Millisecond, 600*time.Millisecond)
			g.Release()
		}
		rest(ctx, 500*time.Millisecond, time.Second)
	}
}

// maintain excludes a range that probably has guards, and therefore waits for their release.
func (v *visitors) maintain(ctx context.Context) {
	for rest(ctx, time.Second/2, 2*time.Second) {
		w, err := v.store.m.LockContext(ctx)
		if err != nil {
			continue
		}
		if f := v.busy.Load(); f != nil && w.Exclude(f.span()) == nil {
			rest(ctx, 100*time.Millisecond, 400*time.Millisecond)
		}
		w.Unlock()
	}
}

// rest sleeps for a random time between least and most, and reports whether ctx has not ended.
func rest(ctx context.Context, least, most time.Duration) bool {
	t := time.NewTimer(least + rand.N(most-least))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
