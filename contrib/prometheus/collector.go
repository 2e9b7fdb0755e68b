package spanlockprom

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
	"github.com/spanlock/spanlock/rwsem"
)

// Collector is a [prometheus.Collector] of the Stats of maps, allocators and semaphores, each
// under a name. A registry accepts only one Collector.
//
// Its methods may be called by several goroutines at the same time, also during a scrape. The
// zero value is ready and collects nothing. A Collector must not be copied after first use.
//
// It keeps everything that was added alive until Remove.
type Collector struct {
	mu     sync.Mutex
	things map[string]thing // by name; under mu
}

var _ prometheus.Collector = (*Collector)(nil)

// Map is a [rangelock.Map], or a [rangealloc.Map], of any types.
type Map interface{ Stats() rangelock.Stats }

// Allocator is a [rangealloc.Allocator] of any types.
type Allocator interface{ Stats() rangealloc.Stats }

// Sem is a [rwsem.Sem].
type Sem interface{ Stats() rwsem.Stats }

// thing is something that was added.
type thing interface {
	collect(name string, to chan<- prometheus.Metric)
}

// Add begins the collection of the map, with the label map=name. It panics if name is taken, by
// any kind of thing, is empty, or is not UTF-8, or if m.Stats panics.
func (c *Collector) Add(name string, m Map) {
	m.Stats() // a map that was not made by New panics here, and not in a scrape
	c.add(name, source[rangelock.Stats]{m.Stats, ofMaps})
}

// AddAllocator begins the collection of the allocator, with the label allocator=name. It panics
// as Add does. The waits and the retired ranges of an allocator are those of its map: to collect
// them, add the map as well, under another name.
func (c *Collector) AddAllocator(name string, a Allocator) {
	a.Stats()
	c.add(name, source[rangealloc.Stats]{a.Stats, ofAllocators})
}

// AddSem begins the collection of the semaphore, with the label sem=name. It panics as Add does.
// The semaphore inside a map is collected with the map.
func (c *Collector) AddSem(name string, s Sem) {
	s.Stats()
	c.add(name, source[rwsem.Stats]{s.Stats, ofSems})
}

func (c *Collector) add(name string, t thing) {
	if name == "" || !utf8.ValidString(name) {
		panic(fmt.Sprintf("spanlockprom: the name %q is empty or not UTF-8", name))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.things[name] != nil {
		panic(fmt.Sprintf("spanlockprom: there is something by the name of %q: names are those of maps, allocators and semaphores together", name))
	}
	if c.things == nil {
		c.things = make(map[string]thing)
	}
	c.things[name] = t
}

// Remove ends the collection of the thing of that name; if there is none, it does nothing. A
// scrape that is running may still show the thing, and use it. If another thing is added under
// the name later, its counters start lower, which Prometheus takes for a restart.
func (c *Collector) Remove(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.things, name)
}

// Describe is for the registry.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	describe(ofMaps, to)
	describe(ofAllocators, to)
	describe(ofSems, to)
}

// Collect is for the registry. It calls Stats of each thing that was added, one after the other.
// It holds no lock of the Collector meanwhile, so Add and Remove never wait for a scrape.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	c.mu.Lock()
	things := maps.Clone(c.things)
	c.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(things)) {
		things[name].collect(name, to)
	}
}
