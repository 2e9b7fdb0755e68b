//go:build spanlockdebug

package rangelock

import (
	"fmt"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
	"weak"

	"github.com/spanlock/spanlock/internal/caller"
	"github.com/spanlock/spanlock/internal/lockorder"
	"github.com/spanlock/spanlock/internal/seam"
)

// A debug build remembers each guard, transaction and Reader with the stack of the goroutine that
// took it. This file keeps these records. Others use them:
//
//   - leaks lists guards that are still held (Map.Leaks);
//   - mark catches the use of a copy of a guard that was released (this file);
//   - debug_wait.go reports calls that can wait for ever;
//   - debug_order.go reports orders of maps and ranges that form a circle;
//   - debug_value.go reports values that are used without a guard.
//
// A goroutine is identified by its number. All records are in the global variable holds, because
// a goroutine may hold something of several maps.

// debug says whether maps remember what holds them.
const debug = true

// A mark is shared by all copies of a guard.
type mark struct{ *token }

// A token is reachable through guards alone. When the garbage collector frees it, nothing can
// release the hold any more.
type token struct{ hold *hold }

// watched is what a map, or a Reader's ticket, remembers.
type watched struct {
	id      uint64 // number of the map; written once, by watch; zero in a ticket
	owner   *hold  // the transaction under way, or in a ticket the Reader
	library bool   // the map belongs to package rangealloc or mapfile; written once, by watch
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
	id        uint64       // number of the map
	r         fmt.Stringer // of a guard: its range
	object    any          // of a guard: its range object, as a weak pointer, because this must not keep the map
	detached  func() bool  // of a guard: reports whether the range has left the map
	goroutine string
	since     time.Time
	taken     caller.Stack

	// Protected by holds.mu.
	exclusive bool         // it is an exclusive guard and was not downgraded
	gone      bool         // it was released
	lost      bool         // it was not released, and the garbage collector has freed its token
	left      caller.Stack // where it was released, if gone
}

// String returns what is held.
func (h *hold) String() string {
	if h.kind == aGuard {
		return fmt.Sprintf("a guard on %v", h.r)
	}
	return string(h.kind)
}

// holds is everything that is held of any map, and what has been seen of the maps.
var holds struct {
	mu       seam.Mutex
	maps     uint64                       // number of the last map
	by       map[string][]*hold           // what each goroutine holds
	reported map[conflicting]bool         // the reports so far, so that none is repeated
	facts    map[uint64]*facts            // by map
	orders   lockorder.Graph[node, label] // in which maps are used
}

// conflicting identifies a report: something that is held of a map, and a call.
type conflicting struct {
	id           uint64
	kind         kind
	taken, asked caller.Stack
}

// directory is where the files of this package are.
var directory = func() string {
	_, file, _, _ := runtime.Caller(0)
	return path.Dir(file)
}()

// inside reports whether a file belongs to this package, without its tests.
func inside(file string) bool {
	return path.Dir(file) == directory && !strings.HasSuffix(file, "_test.go")
}

// here returns the stack of the calling goroutine down to the call of this package.
func here() caller.Stack {
	s, _ := caller.Here(1).Outside(inside)
	return s
}

// called is here, and also returns the name of the method that the user has called. That may be
// another method than inner, which asks: Retire begins a transaction, for example. On a goroutine
// of the map's own, such as that of a load, it returns inner.
func called(inner string) (method string, asked caller.Stack) {
	s, entry := caller.Here(1).Outside(inside)
	if all := exported.FindAllStringSubmatch(entry, -1); all != nil {
		last := all[len(all)-1]
		return strings.Replace(last[1], "[...]", "", 1) + last[2] + last[3], s
	}
	return inner, s
}

// exported matches the name of an exported method, or of an exported function of this package, in the
// name of that function or of a function literal in it. Its groups are "Reader[...]." or
// "Writer[...].", the name of a method, and the name of a function.
var exported = regexp.MustCompile(`(?:/rangelock\.)?(?:\(\*Map\[\.\.\.\]\)\.|((?:Reader|Writer)\[\.\.\.\]\.))([A-Z]\w*)|/rangelock\.([A-Z]\w*)`)

// report passes a report to the program.
//
// Preconditions: the caller does not hold holds.mu.
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
		holds.reported = make(map[conflicting]bool)
		holds.facts = make(map[uint64]*facts)
	}
	holds.maps++
	m.watched.id = holds.maps
	runtime.AddCleanup(m, forgetMap, m.watched.id)
}

// forgetMap drops what is known about a map that the garbage collector has freed.
func forgetMap(id uint64) {
	holds.mu.Lock()
	defer holds.mu.Unlock()
	delete(holds.facts, id)
	holds.orders.Forget(func(n node) bool { return n.id == id })
	for c := range holds.reported {
		if c.id == id {
			delete(holds.reported, c)
		}
	}
}

// newHold records that the calling goroutine holds something of the map id.
func newHold(k kind, id uint64) *hold {
	h := &hold{kind: k, id: id, goroutine: caller.Goroutine(), since: time.Now(), taken: here()}
	holds.mu.Lock()
	defer holds.mu.Unlock()
	holds.by[h.goroutine] = append(holds.by[h.goroutine], h)
	return h
}

// end records that h is given back. It reports false if that was recorded before.
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

// remember records a guard that has just been taken, and returns it with its mark.
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
		return // the zero Guard, for which the method has its own panic
	}
	h := k.token.hold
	holds.mu.Lock()
	gone, left := h.gone, h.left
	holds.mu.Unlock()
	if gone {
		panic(fmt.Sprintf("rangelock: %s of a guard on %v that was released before\nguard taken at\n%sreleased at\n%s", method, h.r, h.taken, left))
	}
}

// released records that the guard is about to be released. It panics if a copy was released
// before.
func (k mark) released() {
	if k.token != nil && !k.token.hold.end() {
		k.check("Release")
	}
}

// downgraded records that the guard is shared now.
func (k mark) downgraded() {
	if k.token != nil {
		holds.mu.Lock()
		k.token.hold.exclusive = false
		holds.mu.Unlock()
	}
}

// rememberWriter records the transaction that has just begun.
func (w *watched) rememberWriter() { w.owner = newHold(aWriter, w.id) }

// rememberReader records the Reader whose ticket is t.
func (w *watched) rememberReader(t *ticket) { t.watched.owner = newHold(aReader, w.id) }

// forgetOwner records that the transaction of a map, or the Reader of a ticket, is about to end.
func (w *watched) forgetOwner() { w.owner.end() }

// leaks returns the guards of the map that are still held.
func (w *watched) leaks() []Leak {
	holds.mu.Lock()
	defer holds.mu.Unlock()
	now := time.Now() // the same for all guards, so that it does not change their order
	var leaks []Leak
	for goroutine, list := range holds.by {
		for _, h := range list {
			if h.kind != aGuard || h.id != w.id {
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
