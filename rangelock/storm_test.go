package rangelock_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// stormy is the value of a range in a storm: it counts the users of the range, by kind.
type stormy struct {
	shared, alone atomic.Int32
	gone          atomic.Bool
}

// use uses the value under a guard of the given kind, and reports what is wrong.
func (p *stormy) use(t *testing.T, exclusive bool) {
	n, kind, other := &p.shared, "shared", &p.alone
	if exclusive {
		n, kind, other = &p.alone, "exclusive", &p.shared
	}
	if c := n.Add(1); p.gone.Load() || other.Load() != 0 || exclusive && c != 1 {
		t.Errorf("%s use beside %d shared, %d exclusive, gone %v", kind, p.shared.Load(), p.alone.Load(), p.gone.Load())
	}
	if rand.IntN(20) == 0 {
		runtime.Gosched()
	}
	n.Add(-1)
}

// stormFor is how long a storm lasts.
func stormFor() time.Duration {
	if testing.Short() {
		return 300 * time.Millisecond
	}
	return 2 * time.Second
}

// TestStorm does everything at once on a few ranges: shared and exclusive guards, with and
// without contexts that end at any time; loads that fail, panic or end their goroutine;
// transactions of all kinds; Downgrade, Survey, and a bound on what is pending. Guards must
// exclude what they exclude, every call must end, and every value that was made must be retired
// once.
func TestStorm(t *testing.T) {
	type guard = rangelock.Guard[int, *stormy]
	var made, retired atomic.Int64
	ten := func(k int) intRange { return rangelock.Span(k/10*10, k/10*10+10) }
	m := rangelock.New(&rangelock.Options[int, *stormy]{
		OnRetire: func(r intRange, p *stormy) {
			if p.gone.Swap(true) || p.shared.Load() != 0 || p.alone.Load() != 0 {
				t.Errorf("%v is retired twice, or under a guard", r)
			}
			retired.Add(1)
		},
		LoadRange:  ten,
		MaxPending: 64,
	})
	load := func(ctx context.Context, k int) (intRange, *stormy, error) {
		if rand.IntN(4) == 0 {
			time.Sleep(time.Duration(rand.IntN(100)) * time.Microsecond)
		}
		switch rand.IntN(10) {
		case 0:
			if err := ctx.Err(); err != nil {
				return intRange{}, nil, err
			}
		case 1:
			runtime.Goexit()
		case 2:
			return intRange{}, nil, errors.New("not there")
		}
		made.Add(1)
		return ten(k), new(stormy), nil
	}
	short := func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(bg, time.Duration(rand.IntN(200))*time.Microsecond)
	}
	got := func(g guard, err error, exclusive bool) {
		if err == nil {
			g.Value().use(t, exclusive)
			g.Release()
		}
	}
	found := func(ok bool) error {
		if !ok {
			return rangelock.ErrNotFound
		}
		return nil
	}
	read := func(k int) {
		ctx, cancel := short()
		defer cancel()
		switch rand.IntN(9) {
		case 0, 1:
			g, err := m.TryAcquire(k)
			got(g, err, false)
		case 2:
			g, ok := m.Acquire(k)
			got(g, found(ok), false)
		case 3:
			g, err := m.AcquireOrLoad(ctx, k, load)
			got(g, err, false)
		case 4:
			g, err := m.AcquireContext(ctx, k)
			got(g, err, false)
		case 5:
			g, err := m.AcquireOrLoad(bg, k, load)
			got(g, err, false)
		case 6:
			g, ok := m.AcquireNext(k)
			got(g, found(ok), false)
		case 7:
			g, err := m.AcquireNextContext(ctx, k)
			got(g, err, false)
		case 8:
			if r, err := m.RLockContext(ctx); err == nil {
				g, err := r.AcquireContext(ctx, k)
				r.Unlock()
				got(g, err, false)
			}
		}
	}
	alone := func(k int) {
		ctx, cancel := short()
		defer cancel()
		switch rand.IntN(4) {
		case 0:
			g, err := m.TryAcquireExclusive(k)
			got(g, err, true)
		case 1:
			g, err := m.AcquireExclusiveContext(ctx, k)
			got(g, err, true)
		case 2:
			g, ok := m.AcquireExclusive(k)
			got(g, found(ok), true)
		case 3:
			for range m.Survey() {
			}
			_ = m.Stats().String()
		}
	}
	put := func(f func(p *stormy) error) {
		made.Add(1)
		if f(new(stormy)) != nil {
			made.Add(-1)
		}
	}
	write := func(k int) {
		ctx, cancel := short()
		defer cancel()
		w, err := m.LockContext(ctx)
		if err != nil {
			return
		}
		r := ten(k)
		for range 1 + rand.IntN(3) {
			switch rand.IntN(8) {
			case 0:
				if w.Exclude(r) == nil {
					if _, p, ok := w.Find(k); ok {
						p.use(t, true)
					}
				}
			case 1:
				w.Retire(r)
			case 2:
				w.Remove(r)
			case 3:
				put(func(p *stormy) error { return w.Swap(r, p) })
			case 4:
				w.TryExclude(r)
			case 5:
				put(func(p *stormy) error { return w.Insert(r, p) })
			case 6:
				put(func(p *stormy) error { return w.Update(k, p) })
			case 7:
				if rand.IntN(2) == 0 {
					reader := w.Downgrade()
					g, err := m.TryAcquire(k)
					got(g, err, false)
					reader.Unlock()
					return
				}
			}
		}
		w.Unlock()
	}
	var stop atomic.Bool
	var wg sync.WaitGroup
	for i, do := range []func(k int){read, read, read, read, alone, alone, write, write, func(int) { short, cancel := short(); m.Room(short, 60); cancel() }} {
		wg.Go(func() {
			defer func() {
				if x := recover(); x != nil {
					t.Errorf("goroutine %d: %v", i, x)
				}
			}()
			for !stop.Load() {
				do(rand.IntN(40))
			}
		})
	}
	time.Sleep(stormFor())
	stop.Store(true)
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		buf := make([]byte, 1<<20)
		t.Fatalf("the storm does not end\n%s", buf[:runtime.Stack(buf, true)])
	}
	ctx, cancel := context.WithTimeout(bg, 30*time.Second)
	defer cancel()
	if err := m.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if made.Load() != retired.Load() {
		t.Errorf("made %d, retired %d", made.Load(), retired.Load())
	}
	if s := m.Stats(); s.Pending != 0 || s.PendingCost != 0 || s.Waiting != 0 {
		t.Errorf("after Close: %v", s)
	}
}

// TestCloseStorm closes a map twice at once while everything else goes on. When Close has
// returned nil, every value that was inserted or loaded has been retired.
func TestCloseStorm(t *testing.T) {
	for end := time.Now().Add(stormFor()); time.Now().Before(end) && !t.Failed(); {
		var made, retired atomic.Int64
		m := rangelock.New(&rangelock.Options[int, string]{OnRetire: func(intRange, string) { retired.Add(1) }})
		load := func(ctx context.Context, k int) (intRange, string, error) {
			if rand.IntN(2) == 0 {
				select {
				case <-ctx.Done():
				case <-time.After(time.Duration(rand.IntN(50)) * time.Microsecond):
				}
			}
			if rand.IntN(5) == 0 {
				return intRange{}, "", fmt.Errorf("no %d", k)
			}
			made.Add(1)
			return rg(k/10*10, k/10*10+10), "x", nil
		}
		var stop atomic.Bool
		var wg, closing sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				for !stop.Load() {
					k := rand.IntN(40)
					ctx, cancel := context.WithTimeout(bg, 20*time.Microsecond)
					switch rand.IntN(6) {
					case 0, 1:
						if g, err := m.AcquireOrLoad(bg, k, load); err == nil {
							g.Release()
						}
					case 2:
						if g, ok := m.AcquireExclusive(k); ok {
							runtime.Gosched()
							g.Release()
						}
					case 3:
						made.Add(1)
						if m.Swap(bg, rg(k/10*10, k/10*10+10), "y") != nil {
							made.Add(-1)
						}
					case 4:
						if g, err := m.AcquireOrLoad(ctx, k, load); err == nil {
							g.Release()
						}
					case 5:
						m.Remove(bg, rg(0, 100))
					}
					cancel()
				}
			})
		}
		time.Sleep(time.Duration(rand.IntN(1500)) * time.Microsecond)
		ctx, cancel := context.WithTimeout(bg, 20*time.Second)
		for range 2 {
			closing.Go(func() {
				if err := m.Close(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		closing.Wait()
		r := retired.Load()
		stop.Store(true)
		wg.Wait()
		cancel()
		if made.Load() != r || retired.Load() != r {
			t.Errorf("made %d, retired when Close returned %d, now %d", made.Load(), r, retired.Load())
		}
	}
}
