package main

import (
	"errors"
	"math/rand/v2"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/spanlock/spanlock/rangelock"
)

// span is a range of keys; the last region of all is unbounded.
type span = rangelock.Range[string]

// A region is a range of keys while the servers keep it whole. A split or a merge makes new
// regions.
type region struct {
	span span
	id   uint64 // the time at which it was made, on the authority's clock
	died atomic.Uint64
}

// A route is a client's knowledge of a region: where it is, or was.
type route struct {
	*region
	leader int // which server answers for it
}

// An authority is the servers of a distributed database. It cuts the keys into regions, and
// refuses requests that were sent by an outdated route. Any number of goroutines may use it.
type authority struct {
	clock atomic.Uint64 // grows by one with each change

	mu      sync.RWMutex
	regions []route // in the order of their keys, without gaps

	splits, merges, transfers int // under mu
}

// Errors of serve: the region no longer exists, or another server leads it.
var (
	errStale     = errors.New("the region was split or merged")
	errNotLeader = errors.New("another server leads the region")
)

const servers = 5

func newAuthority() *authority {
	return &authority{regions: []route{{region: &region{span: rangelock.From("")}}}}
}

// index returns the index of the region that covers key. The caller holds mu.
func (a *authority) index(key string) int {
	return sort.Search(len(a.regions), func(i int) bool { return a.regions[i].span.Lo > key }) - 1
}

// lookup returns the route for key.
func (a *authority) lookup(key string) route {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.regions[a.index(key)]
}

// cover returns the routes of all regions that overlap s, and the current time of the clock.
func (a *authority) cover(s span) ([]route, uint64) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	from := a.index(s.Lo)
	to := from + 1
	for to < len(a.regions) && (s.Unbounded || a.regions[to].span.Lo < s.Hi) {
		to++
	}
	return append([]route(nil), a.regions[from:to]...), a.clock.Load()
}

// serve answers a request for key that was sent by r.
func (a *authority) serve(r route, key string) error {
	a.mu.RLock()
	defer a.mu.RUnlock()
	now := a.regions[a.index(key)]
	switch {
	case now.region != r.region:
		return errStale
	case now.leader != r.leader:
		return errNotLeader
	}
	return nil
}

// change splits, merges or moves the region of a word, so that there are about
// target regions.
func (a *authority) change(rng *rand.Rand, words []string, target int) {
	word := words[rng.IntN(len(words))]
	a.mu.Lock()
	defer a.mu.Unlock()
	i := a.index(word)
	old := a.regions[i]
	switch {
	case rng.IntN(4) == 0:
		a.clock.Add(1)
		a.regions[i].leader = rng.IntN(servers)
		a.transfers++
	case rng.IntN(2*target) >= len(a.regions):
		if word == old.span.Lo {
			return // the left region would be empty
		}
		left, right := old.span, old.span
		left.Hi, left.Unbounded = word, false
		right.Lo = word
		a.replace(i, 1, left, right)
		a.splits++
	case i+1 < len(a.regions):
		both := a.regions[i+1].span
		both.Lo = old.span.Lo
		a.replace(i, 2, both)
		a.merges++
	}
}

// replace replaces n regions from i on by new ones. The caller holds mu.
func (a *authority) replace(i, n int, spans ...span) {
	now := a.clock.Add(1)
	fresh := make([]route, len(spans))
	for j, s := range spans {
		fresh[j] = route{&region{span: s, id: now}, a.regions[i].leader}
	}
	for _, old := range a.regions[i : i+n] {
		old.died.Store(now)
	}
	a.regions = append(a.regions[:i], append(fresh, a.regions[i+n:]...)...)
}

// covers reports whether key is in s.
func covers(s span, key string) bool { return s.Lo <= key && (s.Unbounded || key < s.Hi) }

// join returns the smallest span that holds s and o.
func join(s, o span) span {
	s.Lo = min(s.Lo, o.Lo)
	if s.Unbounded || o.Unbounded {
		return rangelock.From(s.Lo)
	}
	if o.Hi > s.Hi {
		s.Hi = o.Hi
	}
	return s
}
