//go:build spanlockdebug

package rangelock

import (
	"fmt"
	"slices"
	"weak"

	"github.com/spanlock/spanlock/internal/caller"
	"github.com/spanlock/spanlock/internal/rangetree"
)

// A debug build reports calls that can wait for ever, whether or not they have to wait this time:
//
//  1. Each call that may wait says so, with its intent: mayWait, mayAcquire and their kin.
//  2. consider compares the intent with everything that the calling goroutine holds. A call that
//     waits for its own goroutine is reported at once.
//  3. A goroutine that holds a guard and waits for the map's lock waits for ever only if a holder
//     of the lock waits for that guard. Whether any holder does is a fact about the map. It becomes
//     known when such a call is first seen (learn). Until then the calls under guards are harmless,
//     and are kept.
//  4. When a fact becomes known, the calls that were kept are judged again, and so are the orders
//     of ranges and maps (debug_order.go).

// facts is what has been seen of a map. holds.mu protects it.
type facts struct {
	any       seen // a holder of the lock may wait for any guard on a range
	turn      seen // a holder of a Reader may wait in the queue of a range that has an exclusive guard
	exclusive seen // a goroutine may wait for an exclusive guard

	calls  []call // under guards, and harmless so far
	orders graph  // in which ranges of the map are taken
}

// factsOf returns the facts of a map.
//
// Preconditions: the caller holds holds.mu.
func factsOf(id uint64) *facts {
	f := holds.facts[id]
	if f == nil {
		f = new(facts)
		holds.facts[id] = f
	}
	return f
}

// seen is what was seen first, as a sentence with its stacks; empty if nothing was seen.
type seen string

// call is a call by a goroutine that holds h.
type call struct {
	h      *hold
	method string
	what   intent
	asked  caller.Stack
	self   bool // it is about a guard on the range of h
}

// maxCalls is the largest number of calls in facts.calls.
const maxCalls = 256

// place is the range that a call is about, if any.
type place struct {
	object any    // as hold.object; nil if there is no range
	r      string // the range
	apart  bool   // the call is a DrainRange, and no guard of its goroutine is on the keys that it drains
}

// mayWait reports what can go wrong if the calling goroutine waits for the map. method is the name
// for reports if the user has called no method.
func (w *watched) mayWait(method string, what intent) { w.consider(method, what, place{}) }

// mayAcquire is mayWait for a call that takes a guard on the range that covers key.
func (m *Map[K, V]) mayAcquire(method string, what intent, key K) {
	m.watched.consider(method, what, m.placeOf(what, key))
}

// readerMayAcquire is mayWait for Reader.Acquire.
func (m *Map[K, V]) readerMayAcquire(t *ticket, key K) {
	id := m.watched.id
	method, asked := called("Reader.Acquire")
	holds.mu.Lock()
	f := factsOf(id)
	found := f.learn(id, &f.turn, method, t.watched.owner, asked)
	holds.mu.Unlock()
	reportAll(found)
	m.watched.consider(method, toTurn, m.placeOf(toTurn, key))
}

// excludes records that a transaction is about to exclude ranges, and to wait for the guards on
// them.
func (w *watched) excludes(method string) {
	method, asked := called(method)
	holds.mu.Lock()
	f := factsOf(w.id)
	found := f.learn(w.id, &f.any, method, nil, asked)
	holds.mu.Unlock()
	reportAll(found)
}

// mayExclude reports if the calling goroutine has excluded h, waits for the guards on it, and holds
// one of them.
func (m *Map[K, V]) mayExclude(h *header[K, V]) {
	id := m.watched.id
	method, asked := called(m.txn.op.name)
	var found []string
	holds.mu.Lock()
	for _, o := range holds.by[caller.Goroutine()] {
		switch {
		case o.id != id:
			found = append(found, orderOfMaps(o, id, method, toExclude, asked)...)
		case o.object == any(weak.Make(h)):
			found = append(found, call{o, method, toExclude, asked, true}.report(itself, "")...)
		}
	}
	holds.mu.Unlock()
	reportAll(found)
}

// mayDrain is mayWait for DrainRange. Of the guards of its own goroutine it can wait only for those
// on ranges that overlap r.
func (m *Map[K, V]) mayDrain(r Range[K]) {
	holds.mu.Lock()
	own := slices.Clone(holds.by[caller.Goroutine()])
	holds.mu.Unlock()
	apart := true
	for _, h := range own {
		if h.id == m.watched.id && h.kind == aGuard && h.detached() && m.overlap(h.r.(Range[K]), r) {
			apart = false
		}
	}
	m.watched.consider("DrainRange", toDrain, place{apart: apart})
}

// placeOf returns the range that covers key, or for toNext the first that ends above it.
func (m *Map[K, V]) placeOf(what intent, key K) (p place) {
	if !m.watched.holdsGuard() {
		return p // only a call under a guard is compared with it
	}
	pin := m.domain.Pin()
	defer pin.Unpin() // compare may panic
	h := m.find(key)
	if h == nil && what == toNext {
		var c rangetree.Cursor[K]
		h = headerOf[K, V](m.tree.SeekOverlap(&c, key))
	}
	if h == nil {
		return p
	}
	return place{object: weak.Make(h), r: h.bounds().String()}
}

// holdsGuard reports whether the calling goroutine holds a guard of the map.
func (w *watched) holdsGuard() bool {
	holds.mu.Lock()
	defer holds.mu.Unlock()
	for _, h := range holds.by[caller.Goroutine()] {
		if h.id == w.id && h.kind == aGuard {
			return true
		}
	}
	return false
}

// consider is mayWait for a call that is about the range at.
func (w *watched) consider(method string, what intent, at place) {
	id := w.id
	method, asked := called(method)
	var found []string
	holds.mu.Lock()
	f := factsOf(id)
	list := holds.by[caller.Goroutine()]
	var lock *hold // the goroutine's transaction or Reader
	for _, h := range list {
		if h.id == id && h.kind != aGuard {
			lock = h
		}
	}
	reader := lock != nil && lock.kind == aReader
	switch {
	case lock != nil && what == toDrain, reader && what == toExclusive:
		found = f.learn(id, &f.any, method, lock, asked)
	case reader && (what == toAcquire || what == toNext):
		found = f.learn(id, &f.turn, method, lock, asked)
	}
	if what == toExclusive {
		found = append(found, f.learn(id, &f.exclusive, method, nil, asked)...)
	}
	for _, h := range list {
		switch c := (call{h, method, what, asked, false}); {
		case h.id != id:
			if what != toDrain {
				found = append(found, orderOfMaps(h, id, method, what, asked)...)
			}
		case h.kind == aGuard:
			found = append(found, f.underGuard(c, at, lock)...)
		case c.waitsForItself():
			found = append(found, c.report(itself, "")...)
		}
	}
	holds.mu.Unlock()
	reportAll(found)
}

func reportAll(found []string) {
	for _, text := range found {
		report(text)
	}
}

// itself is what can go wrong with a call that waits for ever without another goroutine.
const itself = "it waits for itself"

// waitsForItself reports whether c waits for c.h, a transaction or Reader of the same goroutine.
func (c call) waitsForItself() bool {
	switch c.what {
	case toDrain, toTurn:
		return false // these wait for guards; learn has recorded that
	case toGet, toAcquire, toNext, toExclusive:
		return c.h.kind == aWriter // with a Reader no transaction can be in the way
	}
	return true
}

// underGuard returns what can go wrong with the call c of a goroutine that holds the guard c.h. The
// call is about the range at. lock is the transaction or Reader of the goroutine, or nil.
//
// Preconditions: the caller holds holds.mu; so for the rest of this file.
func (f *facts) underGuard(c call, at place, lock *hold) (found []string) {
	if c.what == toDrain {
		if c.h.detached() && !at.apart {
			found = c.report(itself, "")
		}
		return found
	}
	if c.what == toClose {
		return c.report(itself, "")
	}
	if c.what.guards() && at.object != nil {
		if at.object == c.h.object {
			c.self = true
			found = f.weigh(c)
		} else if !c.h.detached() {
			found = f.orderOfRanges(c, at.r)
		}
	}
	// With a Reader no transaction can be in the way of a guard. In a transaction c was
	// reported already.
	if lock == nil || lock.kind == aReader && (c.what == toLock || c.what == toLoad) {
		c.self = false
		found = append(found, f.weigh(c)...)
	}
	return found
}

// weigh returns the report of c. If c is harmless so far it keeps c for later.
func (f *facts) weigh(c call) []string {
	if why, stacks := f.why(c); why != "" {
		return c.report(why, stacks)
	}
	if len(f.calls) < maxCalls {
		for _, o := range f.calls {
			if o.h.taken == c.h.taken && o.h.exclusive == c.h.exclusive && o.asked == c.asked && o.self == c.self {
				return nil
			}
		}
		f.calls = append(f.calls, c)
	}
	return nil
}

// why returns what can go wrong with c as far as is known, or the empty string, and the stacks of
// what was seen of other goroutines.
func (f *facts) why(c call) (why string, stacks seen) {
	switch x := c.h.exclusive; {
	case c.self && (x || c.what == toExclusive):
		return itself, ""
	case c.self && f.exclusive != "":
		return itself + ", in the queue behind a call that waits for an exclusive guard", f.exclusive
	case c.self || c.what == toTurn:
		return "", ""
	case f.any != "":
		return "the holder of the map's lock can wait for the guard, and this call waits for the lock", f.any
	case f.turn != "" && x:
		return "the holder of a Reader can wait for the guard, and this call waits for the Reader", f.turn
	case f.turn != "" && f.exclusive != "":
		return "the holder of a Reader can wait behind a call that wants an exclusive guard and waits for this guard, and this call waits for the Reader", f.turn + f.exclusive
	}
	return "", ""
}

// report returns the report of c, or none if there was one for the same stacks.
func (c call) report(why string, stacks seen) []string {
	k := conflicting{c.h.id, c.h.kind, c.h.taken, c.asked}
	if holds.reported[k] {
		return nil
	}
	holds.reported[k] = true
	return []string{fmt.Sprintf("rangelock: %s by a goroutine that holds %v of the same map: %s\nit was taken at\n%s%s was called at\n%s%s",
		c.method, c.h, why, c.h.taken, c.method, c.asked, stacks)}
}

// learn sets a fact about the map id: the goroutine that holds lock, if lock is not nil, has called
// method. It returns the reports of all that was harmless until now.
func (f *facts) learn(id uint64, fact *seen, method string, lock *hold, asked caller.Stack) (found []string) {
	if *fact != "" {
		return nil
	}
	text := fmt.Sprintf("%s, which can wait for guards, was called at\n%s", method, asked)
	if lock != nil {
		text += fmt.Sprintf("with %v that was taken at\n%s", lock, lock.taken)
	}
	*fact = seen(text)
	kept := f.calls[:0]
	for _, c := range f.calls {
		if why, stacks := f.why(c); why != "" {
			found = append(found, c.report(why, stacks)...)
		} else {
			kept = append(kept, c)
		}
	}
	clear(f.calls[len(kept):])
	f.calls = kept
	return append(found, f.newCircles(id)...)
}

// guards reports whether a call with the intent w takes a guard.
func (w intent) guards() bool { return w >= toTurn && w <= toExclusive }
