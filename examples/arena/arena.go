package main

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

// A cache keeps values in one mapping outside of the heap, by their keys. A value is read in
// place, pinned by a guard; one that has not been used for long makes room for a new one,
// unless it is pinned. Any number of goroutines may use a cache, but not one that is in the
// function that it gave to View and waits for a Close.
type cache struct {
	mem   []byte
	alloc *rangealloc.Allocator[int, *entry]

	evicted, refused atomic.Int64

	// mu protects what follows. It is held around the calls that allocate and free, so the
	// candidates for eviction are looked up under it; nobody holds it while it reads a value.
	mu    sync.Mutex
	index map[string]*entry
	order *list.List // of *entry, the one that was used last in front
}

// An entry is what the cache knows of a value. It does not change once it is in the index.
type entry struct {
	key string
	at  rangelock.Range[int]
	pos *list.Element
}

func newCache(size int) (*cache, error) {
	mem, err := mapMemory(size)
	if err != nil {
		return nil, fmt.Errorf("cannot map %d bytes: %w", size, err)
	}
	return &cache{
		mem:   mem,
		alloc: rangealloc.New[int, *entry](rangelock.Span(0, size), nil),
		index: make(map[string]*entry),
		order: list.New(),
	}, nil
}

// Set copies value into the cache, and reports whether there was room: it evicts what was
// not used for long, but nothing that is being read. Readers of an older value of the key
// keep that; others find it no more, also when there was no room.
func (c *cache) Set(ctx context.Context, key string, value []byte) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.drop(ctx, c.index[key]); err != nil {
		return false, err
	}
	e := &entry{key: key}
	var named []*entry
	from := c.order.Back()
	r, err := c.alloc.AllocEvict(ctx, len(value), 1, e, func() (lo int, ok bool) {
		if from == nil {
			return 0, false
		}
		old := from.Value.(*entry)
		from = from.Prev()
		named = append(named, old)
		return old.at.Lo, true
	})
	if errors.Is(err, rangealloc.ErrNoSpace) {
		c.refused.Add(1)
		return false, nil // and nothing was evicted
	}
	if err != nil {
		return false, err
	}
	for _, old := range named {
		if there, _ := c.alloc.Map().Get(old.at.Lo); there != old {
			c.forget(old)
			c.evicted.Add(1)
		} // else it was pinned
	}
	e.at = r
	copy(c.mem[r.Lo:r.Hi], value) // nobody knows where it is
	e.pos = c.order.PushFront(e)
	c.index[key] = e
	return true, nil
}

// View calls f with the value of a key, which is not copied and stays as it is until f
// returns, and reports whether there is one. f must not keep it.
func (c *cache) View(key string, f func(value []byte)) bool {
	g, ok := c.pin(key)
	if !ok {
		return false
	}
	defer g.Release()
	r := g.Range()
	f(c.mem[r.Lo:r.Hi:r.Hi])
	return true
}

// pin finds a value and takes a guard on it. The guard is taken under mu, when what the
// index says is so, and without waiting.
func (c *cache) pin(key string) (rangelock.Guard[int, *entry], bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.index[key]
	if e == nil {
		return rangelock.Guard[int, *entry]{}, false
	}
	c.order.MoveToFront(e.pos)
	g, err := c.alloc.Map().TryAcquire(e.at.Lo)
	return g, err == nil
}

// Delete takes a key out. A value that is being read stays until its last reader has left.
func (c *cache) Delete(ctx context.Context, key string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.drop(ctx, c.index[key])
}

// drop frees the range of e, if that is not nil, and forgets e. It holds mu.
func (c *cache) drop(ctx context.Context, e *entry) error {
	if e == nil {
		return nil
	}
	if err := c.alloc.FreeLater(ctx, e.at.Lo); err != nil {
		return err
	}
	c.forget(e)
	return nil
}

// forget takes e out of what the cache knows. It holds mu.
func (c *cache) forget(e *entry) {
	delete(c.index, e.key)
	c.order.Remove(e.pos)
}

// Close waits until nobody reads, and gives the memory back.
func (c *cache) Close(ctx context.Context) error {
	if err := c.alloc.Close(ctx); err != nil {
		return err
	}
	return unmapMemory(c.mem)
}
