//go:build spanlockdebug

package rangelock

import (
	"fmt"
	"slices"
	"weak"

	"github.com/spanlock/spanlock/internal/caller"
	"github.com/spanlock/spanlock/internal/rangetree"
)

// A goroutine that holds a guard and waits for the map's lock waits for ever only if
// somebody who has the lock waits for that guard. Whether anybody does is a fact about
// the map, which becomes known when it is first seen. Calls that were harmless until then
// are reported then.

// facts is what has been seen of a map. holds.mu protects it.
type facts struct {
	any   seen // somebody who has the lock may wait for any guard on a range
	turn  seen // somebody who has a Reader may wait for its turn beside an exclusive guard
	alone seen // somebody may wait for an exclusive guard

	calls  []call // by goroutines that hold guards, not reported so far
	orders graph  // of the map's ranges
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

// seen is the sentence with the stacks of what was seen first; empty if nothing was.
type seen string

// call is what a goroutine that held a guard has called.
type call struct {
	h      *hold
	method string
	what   intent
	asked  caller.Stack
	self   bool // it wants a guard on the same range
}

// maxCalls bounds facts.calls.
const maxCalls = 256

// place is the range that a call is about, if any.
type place struct {
	object any // as hold.object; nil if there is none
	r      string
	apart  bool // a call of DrainRange, over keys that no guard of its goroutine is on
}

// mayWait reports what can go wrong if the calling goroutine waits for the map now, in
// the named method, whether or not it has to wait this time.
func (m *Map[K, V]) mayWait(method string, what intent) {
	m.consider(method, what, place{})
}

// mayAcquire is mayWait for a call that wants a guard on the range of a key.
func (m *Map[K, V]) mayAcquire(method string, what intent, key K) {
	m.consider(method, what, m.placeOf(what, key))
}

// readerMayAcquire is mayWait for Reader.Acquire.
func (m *Map[K, V]) readerMayAcquire(t *ticket, key K) {
	asked, id := here(), m.watched.id
	holds.mu.Lock()
	f := factsOf(id)
	found := f.learn(id, &f.turn, "Reader.Acquire", t.watched.owner, asked)
	holds.mu.Unlock()
	reportAll(found)
	m.consider("Reader.Acquire", toTurn, m.placeOf(toTurn, key))
}

// excludes notes that a transaction is about to exclude ranges, and so to wait for the
// guards on them.
func (m *Map[K, V]) excludes() {
	asked, id := here(), m.watched.id
	holds.mu.Lock()
	f := factsOf(id)
	found := f.learn(id, &f.any, "an operation that excludes", nil, asked)
	holds.mu.Unlock()
	reportAll(found)
}

// mayExclude reports if the calling goroutine, which has excluded h and waits for the
// guards on it, has one of them.
func (m *Map[K, V]) mayExclude(h *header[K, V]) {
	asked, id := here(), m.watched.id
	var found []string
	holds.mu.Lock()
	for _, o := range holds.by[caller.Goroutine()] {
		switch {
		case o.id != id:
			found = append(found, orderOfMaps(o, id, "Exclude", toExclude, asked)...)
		case o.object == any(weak.Make(h)):
			found = append(found, call{o, "Exclude", toExclude, asked, true}.tell("it waits for itself", "")...)
		}
	}
	holds.mu.Unlock()
	reportAll(found)
}

// mayDrain is mayWait for DrainRange. Of the goroutine's own guards only those on ranges over r
// can be what it waits for.
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
	m.consider("DrainRange", toDrain, place{apart: apart})
}

// placeOf returns the range of key.
func (m *Map[K, V]) placeOf(what intent, key K) (p place) {
	if !m.holdsGuard() {
		return p // nobody will ask
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

// holdsGuard reports whether the calling goroutine has a guard of the map.
func (m *Map[K, V]) holdsGuard() bool {
	holds.mu.Lock()
	defer holds.mu.Unlock()
	for _, h := range holds.by[caller.Goroutine()] {
		if h.id == m.watched.id && h.kind == aGuard {
			return true
		}
	}
	return false
}

// consider is mayWait for a call that is about the range at.
func (m *Map[K, V]) consider(method string, what intent, at place) {
	id, asked := m.watched.id, here()
	var found []string
	holds.mu.Lock()
	f := factsOf(id)
	list := holds.by[caller.Goroutine()]
	var lock *hold // the transaction or the Reader
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
		found = append(found, f.learn(id, &f.alone, method, nil, asked)...)
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
			found = append(found, c.tell("it waits for itself", "")...)
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

// waitsForItself says so of a call by a goroutine that has the transaction, or the
// Reader, c.h.
func (c call) waitsForItself() bool {
	switch c.what {
	case toDrain, toTurn:
		return false // for guards: learn has noted that
	case toGet, toAcquire, toNext, toExclusive:
		return c.h.kind == aWriter // with a Reader no transaction can be in the way
	}
	return true
}

// underGuard returns what can go wrong if the goroutine that holds the guard c.h calls
// what c says, about the range at. lock is its transaction or Reader, if it has one.
//
// Preconditions: the caller holds holds.mu; so for what follows.
func (f *facts) underGuard(c call, at place, lock *hold) (found []string) {
	id := c.h.id
	if c.what == toDrain {
		if c.h.detached() && !at.apart {
			found = c.tell("it waits for itself", "")
		}
		return found
	}
	if c.what == toClose {
		return c.tell("it waits for itself", "")
	}
	if c.what.guards() && at.object != nil {
		if at.object == c.h.object {
			c.self = true
			found = f.weigh(c)
		} else if !c.h.detached() {
			e := f.orders.add(node{id, c.h.r.String()}, node{id, at.r}, c.h, c.method, c.what, c.asked)
			if e != nil {
				found = some(f.orders.tell(e, inCircle, f.rangesFollow))
			}
		}
	}
	// With a Reader no transaction can be in the way of a guard; in a transaction c was
	// reported already.
	if lock == nil || lock.kind == aReader && (c.what == toLock || c.what == toLoad) {
		c.self = false
		found = append(found, f.weigh(c)...)
	}
	return found
}

// inCircle is the title of a report about the ranges of a map.
const inCircle = "guards on ranges of one map are taken"

// weigh returns the report of c, or keeps c for later if it is harmless so far.
func (f *facts) weigh(c call) []string {
	if why, stacks := f.why(c); why != "" {
		return c.tell(why, stacks)
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

// why says what can go wrong with c, as far as is known, and where the others were seen.
func (f *facts) why(c call) (why string, stacks seen) {
	switch x := c.h.exclusive; {
	case c.self && (x || c.what == toExclusive):
		return "it waits for itself", ""
	case c.self && f.alone != "":
		return "it waits for itself, behind the one who waits for an exclusive guard", f.alone
	case c.self || c.what == toTurn:
		return "", ""
	case f.any != "":
		return "somebody who has the lock can wait for the guard, and the call waits for the lock", f.any
	case f.turn != "" && x:
		return "somebody with a Reader can wait for the guard, and the call waits for the Reader", f.turn
	case f.turn != "" && f.alone != "":
		return "somebody with a Reader can wait behind one who wants an exclusive guard and waits for this one, and the call waits for the Reader", f.turn + f.alone
	}
	return "", ""
}

// tell returns the report of c, once.
func (c call) tell(why string, stacks seen) []string {
	k := conflicting{c.h.id, c.h.kind, c.h.taken, c.asked}
	if holds.told[k] {
		return nil
	}
	holds.told[k] = true
	return []string{fmt.Sprintf("rangelock: %s by a goroutine that holds %v of the same map: %s\nit was taken at\n%s%s was called at\n%s%s",
		c.method, c.h, why, c.h.taken, c.method, c.asked, stacks)}
}

// learn notes what method, called with lock, says of the map, and returns what that
// makes of all that was harmless so far.
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
			found = append(found, c.tell(why, stacks)...)
		} else {
			kept = append(kept, c)
		}
	}
	clear(f.calls[len(kept):])
	f.calls = kept
	found = append(found, some(f.orders.again(func(*edge) bool { return true }, inCircle, f.rangesFollow))...)
	ofMap := func(e *edge) bool { return e.to.id == id }
	return append(found, some(holds.orders.again(ofMap, mapsInCircle, mapsFollow))...)
}

// rangesFollow reports whether a's call can wait for b's guard on the same range.
func (f *facts) rangesFollow(a, b *edge) bool {
	return b.alone || a.what == toExclusive || f.alone != ""
}

// mapsInCircle is the title of a report about maps.
const mapsInCircle = "maps are used"

// mapsFollow reports whether a's call of a map can wait for what b holds of it.
func mapsFollow(a, b *edge) bool {
	if b.kind != aGuard {
		return true
	}
	f := factsOf(b.from.id)
	beside := b.alone || f.alone != "" // others may have to wait for a turn beside the guard
	switch {
	case a.what == toExclude || a.what == toExclusive || a.what == toClose:
		return true
	case a.what.guards() && beside:
		return true
	}
	return f.any != "" || f.turn != "" && beside
}

// orderOfMaps notes that who holds h asks for the map id, and returns a report if maps
// were used in the opposite order before.
func orderOfMaps(h *hold, id uint64, method string, what intent, asked caller.Stack) []string {
	e := holds.orders.add(node{id: h.id}, node{id: id}, h, method, what, asked)
	if e == nil {
		return nil
	}
	return some(holds.orders.tell(e, mapsInCircle, mapsFollow))
}

func some(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// guards reports whether the call takes a guard.
func (w intent) guards() bool { return w >= toTurn && w <= toExclusive }
