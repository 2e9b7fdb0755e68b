package rangelock_test

import (
	"fmt"
	"sync"

	"github.com/spanlock/spanlock/rangelock"
)

// regions is a cache that had one mutex around everything. Writers still lock the mutex, and with it
// the map. Readers of byKey do not lock it any more.
type regions struct {
	mu     sync.Mutex // protects what follows, except for readers of byKey
	w      rangelock.Writer[string, string]
	byKey  *rangelock.Map[string, string]
	leader map[string]int // regions by server
}

// lock takes the map's lock first, so that a debug build sees a caller that holds a guard.
func (c *regions) lock() {
	w := c.byKey.Lock()
	c.mu.Lock()
	c.w = w
}

func (c *regions) unlock() {
	w := c.w
	c.mu.Unlock()
	w.Unlock()
}

// learn records that a server has a region.
func (c *regions) learn(r rangelock.Range[string], server string) error {
	c.lock()
	defer c.unlock()
	gone, err := c.w.Evict(r)
	if err != nil {
		return err
	}
	for _, old := range gone {
		c.leader[old]--
	}
	c.leader[server]++
	return c.w.Insert(r, server)
}

// locate takes no lock unless a writer is changing the region of the key. It never sees the state
// between the two changes of learn.
func (c *regions) locate(key string) (server string, ok bool) { return c.byKey.Get(key) }

func ExampleMap_wrappedMutex() {
	c := &regions{byKey: rangelock.New[string, string](nil), leader: map[string]int{}}
	for _, server := range []string{"one", "two"} {
		if err := c.learn(rangelock.Span("a", "m"), server); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(c.locate("key"))
	fmt.Println(c.leader)
	// Output:
	// two true
	// map[one:0 two:1]
}
