//go:build spanlockdebug

package rangelock

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
	"weak"

	"github.com/spanlock/spanlock/internal/caller"
	"github.com/spanlock/spanlock/internal/seam"
)

// debug says whether guards and transactions remember who took them.
const debug = true

// leaks is Leaks.
func (m *Map[K, V]) leaks() []Leak {
	holds.mu.Lock()
	defer holds.mu.Unlock()
	now := time.Now() // one for all, or two guards could change places
	var leaks []Leak
	for goroutine, list := range holds.by {
		for _, h := range list {
			if h.kind != aGuard || h.id != m.watched.id {
				continue
			}
			leaks = append(leaks, Leak{
				Range:     h.r.String(),
				Exclusive: h.exclusive,
				Held:      now.Sub(h.since),
				Goroutine: goroutine,
				Stack:     h.taken.String(),
				Lost:      h.lost,
			})
		}
	}
	slices.SortFunc(leaks, func(a, b Leak) int { return int(b.Held - a.Held) })
	return leaks
}

// A mark is shared by all copies of a guard.
type mark struct{ *token }

// A token is reachable through guards alone: when the collector takes it, nobody can
// release the hold any more.
type token struct{ hold *hold }

// watched is what a map, or a Reader's ticket, remembers.
type watched struct {
	id      uint64 // of the map
	owner   *hold  // the transaction under way, or the Reader
	library bool   // the map is one of package rangealloc's or mapfile's; written once, by watch
}

// kind is what a goroutine holds of a map.
type kind string

const (
	aGuard  kind = "a guard"
	aWriter kind = "a transaction"
	aReader kind = "a Reader"
)

// hold is one guard, transaction or Reader.
type hold struct {
	kind      kind
	id        uint64 // the map
	r         fmt.Stringer
	object    any         // which range object: a weak pointer, or this would keep the map
	detached  func() bool // reports whether the range has left the map
	goroutine string
	since     time.Time
	taken     caller.Stack

	// Protected by holds.mu.
	exclusive bool // until it is downgraded
	gone      bool
	lost      bool
	left      caller.Stack // where it was released, once gone
}

// String says what is held.
func (h *hold) String() string {
	if h.kind == aGuard {
		return fmt.Sprintf("a guard on %v", h.r)
	}
	return string(h.kind)
}

// holds is everything that is held of any map, and what is known of the maps.
var holds struct {
	mu     seam.Mutex
	maps   uint64
	by     map[string][]*hold // by goroutine
	told   map[conflicting]bool
	facts  map[uint64]*facts // by map
	orders graph             // of maps
}

// conflicting is what is reported once: something held of a map, and a call.
type conflicting struct {
	id           uint64
	kind         kind
	taken, asked caller.Stack
}

// inside says which calls are the package's own and not its user's.
func inside(function string) bool {
	return strings.HasPrefix(function, "github.com/spanlock/spanlock/rangelock.")
}

func here() caller.Stack { return caller.Here(1).Outside(inside) }

// report is called without holds.mu.
func report(text string) {
	if f := DebugReport; f != nil {
		f(text)
		return
	}
	panic(text)
}

// watch gives the map its number.
func (m *Map[K, V]) watch() {
	made := here().Function()
	m.watched.library = strings.HasPrefix(made, "github.com/spanlock/spanlock/rangealloc.") ||
		strings.HasPrefix(made, "github.com/spanlock/spanlock/mapfile.")
	holds.mu.Lock()
	defer holds.mu.Unlock()
	if holds.by == nil {
		holds.by = make(map[string][]*hold)
		holds.told = make(map[conflicting]bool)
		holds.facts = make(map[uint64]*facts)
	}
	holds.maps++
	m.watched.id = holds.maps
	runtime.AddCleanup(m, forgetMap, m.watched.id)
}

// forgetMap drops what is known about a map that is gone.
func forgetMap(id uint64) {
	holds.mu.Lock()
	defer holds.mu.Unlock()
	delete(holds.facts, id)
	holds.orders.forget(id)
	for c := range holds.told {
		if c.id == id {
			delete(holds.told, c)
		}
	}
}

func newHold(k kind, id uint64) *hold {
	h := &hold{kind: k, id: id, goroutine: caller.Goroutine(), since: time.Now(), taken: here()}
	holds.mu.Lock()
	defer holds.mu.Unlock()
	holds.by[h.goroutine] = append(holds.by[h.goroutine], h)
	return h
}

// end takes h out of the list, and reports whether it was still there.
func (h *hold) end() bool {
	holds.mu.Lock()
	defer holds.mu.Unlock()
	if h.gone {
		return false
	}
	h.gone = true
	h.left = here()
	list := slices.DeleteFunc(holds.by[h.goroutine], func(o *hold) bool { return o == h })
	if holds.by[h.goroutine] = list; len(list) == 0 {
		delete(holds.by, h.goroutine)
	}
	return true
}

// remember notes a guard that has just been taken.
func (m *Map[K, V]) remember(g Guard[K, V]) Guard[K, V] {
	if g.h == nil {
		return g
	}
	h := newHold(aGuard, m.watched.id)
	h.r = g.h.bounds()
	h.exclusive = g.life&exclusiveHeld != 0
	object := weak.Make(g.h)
	h.object = object
	h.detached = func() bool {
		x := object.Value()
		return x != nil && x.State.Load()&detached != 0
	}
	g.mark.token = &token{h}
	runtime.AddCleanup(g.mark.token, func(h *hold) {
		holds.mu.Lock()
		h.lost = !h.gone
		holds.mu.Unlock()
	}, h)
	return g
}

// check panics if a copy of the guard was released before.
func (k mark) check(method string) {
	if k.token == nil {
		return // the zero Guard; the method has the sentence for it
	}
	h := k.token.hold
	holds.mu.Lock()
	gone, left := h.gone, h.left
	holds.mu.Unlock()
	if gone {
		panic(fmt.Sprintf("rangelock: %s of a guard on %v that was released before\nguard taken at\n%sreleased at\n%s", method, h.r, h.taken, left))
	}
}

// released notes that the guard is about to be released, and panics if a copy of it was
// before.
func (k mark) released() {
	if k.token != nil && !k.token.hold.end() {
		k.check("Release")
	}
}

// downgraded notes that the guard is shared now.
func (k mark) downgraded() {
	if k.token != nil {
		holds.mu.Lock()
		k.token.hold.exclusive = false
		holds.mu.Unlock()
	}
}

func (m *Map[K, V]) rememberWriter() { m.watched.owner = newHold(aWriter, m.watched.id) }

func (m *Map[K, V]) forgetWriter() { m.watched.owner.end() }

func (m *Map[K, V]) rememberReader(t *ticket) {
	t.watched.owner = newHold(aReader, m.watched.id)
}

func forgetReader(t *ticket) { t.watched.owner.end() }
