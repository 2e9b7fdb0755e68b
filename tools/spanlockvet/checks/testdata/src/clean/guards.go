// Package clean does nothing that must be reported.
package clean

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"sync"

	"github.com/spanlock/spanlock/rangelock"
)

type guard = rangelock.Guard[int, []byte]

type ranges = rangelock.Map[int, []byte]

var errShort = errors.New("short")

func deferred(m *ranges, key int, f func([]byte) error) error {
	g, ok := m.Acquire(key)
	if !ok {
		return errShort
	}
	defer g.Release()
	if len(g.Value()) == 0 {
		return errShort
	}
	return f(g.Value())
}

func inIf(m *ranges, key int) (n int) {
	if g, ok := m.Acquire(key); ok {
		n = len(g.Value())
		g.Release()
	}
	if g, err := m.TryAcquire(key); err == nil {
		n += len(g.Value())
		g.Release()
	} else if !errors.Is(err, rangelock.ErrBusy) {
		return -1
	}
	return n
}

func askedTwice(m *ranges, key int) (n int) {
	g, ok := m.Acquire(key)
	if ok {
		n = len(g.Value())
	}
	n++
	if ok {
		g.Release()
	}
	return n
}

func sure(m *ranges) {
	g, _ := m.Acquire(1)
	println(len(g.Value()))
	g.Release()
}

func flagged(m *ranges, exclusive bool) {
	var g guard
	held := false
	if exclusive {
		if h, ok := m.AcquireExclusive(1); ok {
			g, held = h, true
		}
	} else if h, ok := m.Acquire(1); ok {
		g, held = h, true
	}
	if held {
		println(len(g.Value()))
	}
	println("between")
	if held {
		g.Release()
	}
}

func conditionTwice(m *ranges, mode int) {
	var g guard
	if mode == 3 {
		g, _ = m.Acquire(1)
	}
	println(mode)
	if mode == 3 {
		g.Release()
	}
}

type setting struct{ hold bool }

func fieldTwice(m *ranges, s *setting) {
	var g guard
	if s.hold {
		g, _ = m.Acquire(1)
	}
	println(mode)
	if s.hold {
		g.Release()
	}
}

var mode int

func returned(m *ranges, key int) (guard, bool) { return m.Acquire(key) }

func returnedNamed(m *ranges, key int) (g guard, err error) {
	g, err = m.AcquireContext(context.Background(), key)
	if err != nil {
		return g, fmt.Errorf("key %d: %w", key, err)
	}
	return g, nil
}

func releasedOnError(m *ranges, key int) (g guard, err error) {
	g, err = m.TryAcquire(key)
	if err != nil {
		return
	}
	defer func() {
		if err != nil {
			g.Release()
		}
	}()
	if len(g.Value()) == 0 {
		return g, errShort
	}
	return g, nil
}

type cursor struct {
	g  guard
	ok bool
}

func (c *cursor) stored(m *ranges) {
	c.g, c.ok = m.Acquire(1)
}

func (c *cursor) storedLater(m *ranges) bool {
	g, ok := m.Acquire(1)
	if !ok {
		return false
	}
	c.g = g
	return true
}

func (c *cursor) close() {
	if c.ok {
		c.g.Release()
		c.ok = false
	}
}

func literal(m *ranges) *cursor {
	g, ok := m.Acquire(1)
	return &cursor{g, ok}
}

func appended(m *ranges, keys []int) (all []guard) {
	for _, key := range keys {
		if g, ok := m.Acquire(key); ok {
			all = append(all, g)
		}
	}
	return all
}

func releaseAll(all []guard) {
	for i := range all {
		all[i].Release()
	}
}

func sent(m *ranges, c chan<- guard) {
	if g, ok := m.Acquire(1); ok {
		c <- g
	}
}

func passed(m *ranges, use func(guard)) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	use(g)
}

func passedByPointer(m *ranges) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	finish(&g)
}

func finish(g *guard) {
	println(len(g.Value()))
	g.Release()
}

func inClosure(m *ranges) (value func() []byte, done func()) {
	g, ok := m.Acquire(1)
	if !ok {
		return nil, func() {}
	}
	return func() []byte { return g.Value() }, func() { g.Release() }
}

func methodValue(m *ranges, cleanup func(func())) []byte {
	g, ok := m.Acquire(1)
	if !ok {
		return nil
	}
	cleanup(g.Release)
	return g.Value()
}

func deferredClosure(m *ranges) int {
	g, ok := m.Acquire(1)
	if !ok {
		return 0
	}
	defer func() {
		println("done")
		g.Release()
	}()
	return len(g.Value())
}

func deferredIfHeld(m *ranges) {
	g, ok := m.Acquire(1)
	defer func() {
		if ok {
			g.Release()
		}
	}()
	if !ok {
		return
	}
	println(len(g.Value()))
}

func goroutine(m *ranges, wg *sync.WaitGroup) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	c := g.Clone()
	wg.Go(func() {
		defer c.Release()
		println(len(c.Value()))
	})
	g.Release()
	h, ok := m.Acquire(1)
	if ok {
		go h.Release()
	}
}

func fails(m *ranges) int {
	g, ok := m.Acquire(1)
	if !ok {
		log.Fatal("nothing there")
	}
	switch {
	case len(g.Value()) == 0:
		panic("empty")
	case len(g.Value()) == 1:
		os.Exit(1)
	}
	n := len(g.Value())
	g.Release()
	return n
}

type cache struct {
	m    *ranges
	last guard
}

// latest returns a guard that the cache will release.
func (c *cache) latest(key int) (guard, bool) {
	if g, ok := c.m.Acquire(key); ok {
		c.last.Release()
		c.last = g
	}
	return c.last, true
}

// kept returns a guard that the cache also keeps.
func (c *cache) kept(key int) (guard, bool) {
	g, ok := c.m.Acquire(key)
	c.last = g
	return g, ok
}

func (c *cache) look(key int) int {
	g, ok := c.kept(key)
	if !ok {
		return 0
	}
	return len(g.Value())
}

func (c *cache) peek(key int) int {
	g, ok := c.latest(key)
	if !ok {
		return 0
	}
	return len(g.Value())
}

func wrapping(m *ranges, key int) int {
	g, ok := returned(m, key)
	if !ok {
		return 0
	}
	defer g.Release()
	h, err := releasedOnError(m, key)
	if err != nil {
		return 0
	}
	defer h.Release()
	return len(g.Value()) + len(h.Value())
}

func expected(m *ranges, want bool) {
	g, err := m.TryAcquire(1)
	if want != (err == nil) {
		panic(err)
	}
	if want {
		println(len(g.Value()))
		g.Release()
	}
}

func deferredBefore(m *ranges) (n int) {
	var g guard
	var ok bool
	defer func() {
		if ok {
			g.Release()
		}
	}()
	if g, ok = m.Acquire(1); ok {
		n = len(g.Value())
	}
	return n
}
