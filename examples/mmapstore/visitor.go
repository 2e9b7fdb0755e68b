package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Visitors make a picture of the map worth watching: the store's own readers and compactor
// come and go within microseconds, which no page shows. They run with -http only. Each holds
// one guard at a time, or none and the writer's lock, and none of them changes anything.
type visitors struct {
	store *spanStore
	files []*file
	busy  atomic.Pointer[file] // where the last of those who stay has come
	wg    sync.WaitGroup
}

// receive lets visitors come until the function that it returns is called, which waits until
// the last has gone.
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

// somewhere returns a file by chance.
func (v *visitors) somewhere() *file { return v.files[rand.IntN(len(v.files))] }

// stay holds a guard for as long as a slow client takes. Half of the visitors go where
// somebody is already.
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

// edit is alone on a range for a while, which others then wait for.
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

// maintain excludes a range in which somebody is, and so waits until nobody is.
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

// rest sleeps for a time between two, and reports whether ctx has not ended.
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
