package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	spanlockprom "github.com/spanlock/spanlock/contrib/prometheus"
	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
	"github.com/spanlock/spanlock/rwsem"
)

const segments = 2000

// program is the program whose metrics are collected: a map of segments that are replaced, an
// arena, and an index under a semaphore. In the middle third of the time there is a storm of
// writers, and in the last third a reader that holds its guards for long.
type program struct {
	segments *rangelock.Map[int, int]
	arena    *rangealloc.Allocator[int, int]
	index    rwsem.Sem
	began    time.Time
	third    time.Duration
	wg       sync.WaitGroup
	mu       sync.Mutex
	failed   error // under mu
}

func start(ctx context.Context, c *spanlockprom.Collector, d time.Duration) *program {
	p := &program{began: time.Now(), third: d / 3}
	p.segments = rangelock.New(&rangelock.Options[int, int]{
		OnRetire: func(rangelock.Range[int], int) { time.Sleep(200 * time.Microsecond) }, // like munmap of much memory
		Cost:     func(_ rangelock.Range[int], size int) int64 { return int64(size) },
	})
	for i := range segments {
		p.note(p.segments.Insert(ctx, segment(i), 1+i%64))
	}
	p.arena = rangealloc.New[int, int](rangelock.Span(0, 1<<20), nil)
	c.Add("segments", p.segments)
	c.AddAllocator("arena", p.arena)
	c.AddSem("index", &p.index)
	for range 4 {
		p.again(ctx, p.read)
	}
	for range 2 {
		p.again(ctx, p.write)
	}
	p.again(ctx, p.hold)
	p.again(ctx, p.alone)
	p.again(ctx, p.allocate)
	for range 3 {
		p.again(ctx, p.look)
	}
	return p
}

// end waits for all goroutines and returns the first error.
func (p *program) end() error {
	p.wg.Wait()
	return errors.Join(p.failed, p.segments.Close(context.Background()), p.arena.Close(context.Background()))
}

// again does f until ctx ends.
func (p *program) again(ctx context.Context, f func(context.Context)) {
	p.wg.Go(func() {
		for ctx.Err() == nil {
			f(ctx)
		}
	})
}

// note keeps an error unless it is one that is expected.
func (p *program) note(err error) {
	var noSpace *rangealloc.NoSpaceError[int]
	if err == nil || errors.As(err, &noSpace) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, rangelock.ErrNotFound) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed = errors.Join(p.failed, err)
}

func segment(i int) rangelock.Range[int] { return rangelock.Span(10*i, 10*i+10) }

// storm reports whether it is the middle third.
func (p *program) storm() bool { return int(time.Since(p.began)/p.third) == 1 }

// nap sleeps for half of d to all of it and a half.
func nap(d time.Duration) { time.Sleep(d/2 + rand.N(d)) }

func (p *program) read(ctx context.Context) {
	for range 100 {
		// Half of the reads go to a few segments.
		i := rand.IntN(segments)
		if i%2 == 0 {
			i = i % 16
		}
		g, err := p.segments.AcquireContext(ctx, 10*i)
		if err != nil {
			p.note(err)
			continue
		}
		_ = g.Value()
		g.Release()
	}
	nap(2 * time.Millisecond)
}

func (p *program) write(ctx context.Context) {
	w, err := p.segments.LockContext(ctx)
	if err != nil {
		p.note(err)
		return
	}
	for range 1 + rand.IntN(8) {
		i := rand.IntN(segments)
		p.note(w.Swap(segment(i), 1+rand.IntN(64)))
	}
	if p.storm() {
		p.note(w.Exclude(segment(rand.IntN(16))))
		nap(3 * time.Millisecond)
		w.Unlock()
		return
	}
	w.Unlock()
	nap(30 * time.Millisecond)
}

// hold keeps a guard, in the last third for long.
func (p *program) hold(ctx context.Context) {
	g, err := p.segments.AcquireContext(ctx, 10*rand.IntN(16))
	if err != nil {
		p.note(err)
		return
	}
	if time.Since(p.began) > 2*p.third {
		nap(400 * time.Millisecond)
	} else {
		nap(4 * time.Millisecond)
	}
	g.Release()
	nap(20 * time.Millisecond)
}

func (p *program) alone(ctx context.Context) {
	g, err := p.segments.AcquireExclusiveContext(ctx, 10*rand.IntN(16))
	if err != nil {
		p.note(err)
		return
	}
	nap(2 * time.Millisecond)
	g.Release()
	nap(50 * time.Millisecond)
}

func (p *program) allocate(ctx context.Context) {
	var kept []int
	for ctx.Err() == nil {
		if len(kept) > 200 && rand.IntN(2) == 0 {
			i := rand.IntN(len(kept))
			p.note(p.arena.Free(ctx, kept[i]))
			kept[i] = kept[len(kept)-1]
			kept = kept[:len(kept)-1]
		} else if r, err := p.arena.Alloc(ctx, 1+rand.IntN(2048), 1, 0); err == nil {
			kept = append(kept, r.Lo)
		} else {
			p.note(err)
		}
		nap(time.Millisecond)
	}
}

func (p *program) look(context.Context) {
	if rand.IntN(20) == 0 {
		p.index.Lock()
		nap(2 * time.Millisecond)
		p.index.Unlock()
	}
	p.index.RLock()
	nap(time.Millisecond)
	p.index.RUnlock()
}
