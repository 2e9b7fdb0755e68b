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
// place under a guard. A value that has not been used for long makes room for a new one, unless
// it has a guard. Any number of goroutines may use a cache. The function that is given to View
// must not call Close.
type cache struct {
	mem   []byte
	alloc *rangealloc.Allocator[int, *entry]

	evicted, refused atomic.Int64

	// mu protects the fields below. It is held around the calls that allocate and free, so that
	// the candidates for eviction are looked up under it. It is not held while a value is read.
	mu    sync.Mutex
	index map[string]*entry
	order *list.List // of *entry, the most recently used in front
}

// An entry is the cache's data about a value. It does not change once it is in the index.
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

// Set copies value into the cache, and reports whether there was room. It evicts the least
// recently used values, but none that is being read. Readers of an older value of the key keep
// that value. Later readers do not find it, even if there was no room for the new value.
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
		return false, nil // nothing was evicted
	}
	if err != nil {
		return false, err
	}
	for _, old := range named {
		if there, _ := c.alloc.Map().Get(old.at.Lo); there != old {
			c.forget(old)
			c.evicted.Add(1)
		} // else it had guards
	}
	e.at = r
	copy(c.mem[r.Lo:r.Hi], value) // no reader can find it yet
	e.pos = c.order.PushFront(e)
	c.index[key] = e
	return true, nil
}

// View calls f with the value of a key, and reports whether there is one. The value is not
// copied, and does not change until f returns. f must not keep it.
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

// pin finds a value and takes a guard on it. It takes the guard without waiting, under mu, while
// the index is valid.
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

// Delete removes a key. A value that is being read stays until its last guard is released.
func (c *cache) Delete(ctx context.Context, key string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.drop(ctx, c.index[key])
}

// drop frees the range of e, if e is not nil, and forgets e. The caller holds mu.
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

// forget removes e from the cache's data. The caller holds mu.
func (c *cache) forget(e *entry) {
	delete(c.index, e.key)
	c.order.Remove(e.pos)
}

// Close waits until all guards are released, and returns the memory to the system.
func (c *cache) Close(ctx context.Context) error {
	if err := c.alloc.Close(ctx); err != nil {
		return err
	}
	return unmapMemory(c.mem)
}
