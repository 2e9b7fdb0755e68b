package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/spanlock/spanlock/rangelock"
)

// A client routes requests by a cache of regions. It trusts a cached region until a server
// refuses a request. Any number of goroutines may use a client.
type client struct {
	servers *authority
	m       *rangelock.Map[string, route]
	load    func(context.Context, string) (span, route, error) // c.fetch, made once

	// Below pivot no region is ever evicted, so a lookup that finds no region there has seen a
	// false gap.
	pivot string

	loads, reloads, stale, moved, evicted atomic.Int64
	falseGaps, wrongRoutes                atomic.Int64
	retired                               atomic.Int64 // routes that OnRetire was called for
}

// newClient returns a client that knows all regions.
func newClient(ctx context.Context, servers *authority, pivot string) (*client, error) {
	c := &client{servers: servers, pivot: pivot}
	c.load = c.fetch
	c.m = rangelock.New(&rangelock.Options[string, route]{
		OnRetire: func(span, route) { c.retired.Add(1) },
	})
	return c, c.reload(ctx, rangelock.From(""))
}

// fetch is the load of AcquireOrLoad.
func (c *client) fetch(_ context.Context, key string) (span, route, error) {
	c.loads.Add(1)
	if key < c.pivot {
		c.falseGaps.Add(1)
	}
	r := c.servers.lookup(key)
	return r.span, r, nil
}

// get sends one request for key, and repeats it until it reaches the region that has the key.
func (c *client) get(ctx context.Context, key string) error {
	for {
		asked := c.servers.clock.Load()
		r, err := c.route(ctx, key)
		if err == nil {
			err = c.servers.serve(r, key)
		}
		switch {
		case err == nil:
			if died := r.died.Load(); !covers(r.span, key) || died != 0 && died < asked {
				c.wrongRoutes.Add(1)
			}
			return nil
		case errors.Is(err, errNotLeader):
			c.moved.Add(1)
			err = c.follow(ctx, r, key)
		case errors.Is(err, errStale):
			c.stale.Add(1)
			err = c.reload(ctx, r.span)
		case errors.Is(err, rangelock.ErrOverlap):
			// The fetched region does not fit into the gap: a neighbour is out of date.
			err = c.reload(ctx, c.servers.lookup(key).span)
		}
		if err != nil {
			return err
		}
	}
}

// route returns the cached route for key. It does not keep the guard during the request: a stale
// route does no harm, and a goroutine that has a guard must not change the map.
func (c *client) route(ctx context.Context, key string) (route, error) {
	g, err := c.m.AcquireOrLoad(ctx, key, c.load)
	if err != nil {
		return route{}, err
	}
	defer g.Release()
	r := g.Value()
	if r.span != g.Range() || !covers(r.span, key) {
		return route{}, fmt.Errorf("%q was routed to %v, kept under %v", key, r.span, g.Range())
	}
	return r, nil
}

// follow records that another server leads the region of r.
func (c *client) follow(ctx context.Context, r route, key string) error {
	now := c.servers.lookup(key)
	w, err := c.m.LockContext(ctx)
	if err != nil {
		return err
	}
	defer w.Unlock()
	if _, kept, ok := w.Find(key); !ok || kept.region != r.region || now.region != r.region {
		return nil // the region itself is out of date; the next request will be refused
	}
	return w.Update(key, now)
}

// reload replaces the regions that overlap s by the current ones. Everything becomes visible at
// once, so a reader finds either the old regions or the new ones.
func (c *client) reload(ctx context.Context, s span) error {
	for {
		fresh, at := c.servers.cover(s) // without the lock: the servers are far away
		for _, r := range fresh {
			s = join(s, r.span)
		}
		done, err := c.install(ctx, &s, fresh, at)
		if done || err != nil {
			return err
		}
	}
}

// install replaces the cached regions that overlap s by fresh, which covers s. If a cached region
// sticks out of s, it extends s and reports false: fresh is not enough then. It does nothing if
// the cache already has something newer.
func (c *client) install(ctx context.Context, s *span, fresh []route, at uint64) (bool, error) {
	w, err := c.m.LockContext(ctx)
	if err != nil {
		return false, err
	}
	defer w.Unlock()
	all := *s
	for o, kept := range w.Overlapping(*s) {
		if kept.id > at {
			return true, nil
		}
		all = join(all, o)
	}
	if all != *s {
		*s = all
		return false, nil
	}
	if _, err := w.Retire(all); err != nil {
		return false, err
	}
	for _, r := range fresh {
		if err := w.Insert(r.span, r); err != nil {
			return false, err
		}
	}
	c.reloads.Add(1)
	return true, nil
}

// evict removes the region of key, as a cache does with entries that were not used for long.
func (c *client) evict(ctx context.Context, key string) error {
	g, ok := c.m.Acquire(key)
	if !ok {
		return nil
	}
	r := g.Value()
	g.Release()
	if r.span.Lo < c.pivot {
		return nil
	}
	n, err := c.m.Retire(ctx, r.span)
	c.evicted.Add(int64(n))
	if errors.Is(err, rangelock.ErrPartial) {
		return nil // it has been merged since
	}
	return err
}
