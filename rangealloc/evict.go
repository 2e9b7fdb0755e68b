package rangealloc

import (
	"context"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/rangelock"
)

// AllocEvict is like [Allocator.Alloc], but frees ranges if there is no room. It calls next for
// the key at which a candidate begins, one candidate after the other, until the size fits into a
// gap. It passes over a range that has guards, and a key at which no range begins. If there is
// still no room when next returns false, or when next has returned more keys than twice the
// number of ranges, AllocEvict returns [ErrNoSpace] and frees nothing. So if AllocEvict succeeds,
// every candidate that had no guards is freed, and if it returns ErrNoSpace, every candidate is
// still allocated. A candidate that is still in the map after a success, with its value, had
// guards.
//
// next is called during the turn as a writer. It may take a lock, unless a goroutine waits for
// the allocator while holding this lock. Of the allocator it must call only Map.TryAcquire,
// Map.TryAcquireExclusive, Map.All and Map.Len. If it takes a guard on a candidate, AllocEvict
// passes over that range. If next panics, nothing is freed.
//
// OnRetire, if there is one, is called for each range that was freed, in the order of the
// candidates, on the caller's goroutine, after the turn and before AllocEvict returns; see [New].
// No range has the keys meanwhile. Then AllocEvict waits for a second turn. If ctx ends this
// wait, or the allocator is closed, the ranges are freed and nothing is allocated. Without an
// OnRetire everything happens in one turn, and readers see all of it or nothing.
//
// AllocEvict makes room for keys only. If the keys fit without freeing and the map has
// Options.MaxRanges ranges, it returns [rangelock.ErrFull]. Its errors are those of
// [Allocator.Alloc].
func (a *Allocator[K, V]) AllocEvict(ctx context.Context, size, align K, v V, next func() (lo K, ok bool)) (rangelock.Range[K], error) {
	m := a.of("AllocEvict")
	q := request[K]{size: size, align: align}
	e := eviction[K, V]{a: a}
	var err error
	if e.want, err = a.want(q); err != nil {
		return rangelock.Range[K]{}, err
	}
	if e.w, err = m.LockContext(ctx); err != nil {
		return rangelock.Range[K]{}, err
	}
	r, again, err := e.turn(m, q, v, next)
	if !again {
		return r, err
	}
	e.retire()
	return a.attach(ctx, m, "AllocEvict", e.part, v)
}

// maxVictims bounds the list of victims that is kept for the next AllocEvict.
const maxVictims = 1024

// eviction is a call of AllocEvict: first its plan, then its progress.
type eviction[K Integer, V any] struct {
	a    *Allocator[K, V]
	w    rangelock.Writer[K, V]
	want want

	victims []victim[K, V] // in the order of the candidates
	retired int            // how many of them OnRetire was called for
	held    int            // how many ranges were passed over because of their guards
	part    gap            // the keys to allocate; plan takes them out of the gaps
	number  uint64         // in retiring
}

// victim is a range to be freed. It is excluded, and its keys are in the gaps.
type victim[K Integer, V any] struct {
	r    rangelock.Range[K]
	v    V // set when the range is extracted
	keys gap
}

// turn is the body of the transaction, and ends it. If it returns again, the victims have left
// the map, and OnRetire must be called for them before the keys can be allocated. Else the range
// is inserted or there is an error.
//
// If again, the victims' keys do not stay in the gaps: those that are not to be allocated are
// withheld until OnRetire has returned.
func (e *eviction[K, V]) turn(m *rangelock.Map[K, V], q request[K], v V, next func() (K, bool)) (r rangelock.Range[K], again bool, err error) {
	defer e.w.Unlock()
	a := e.a
	defer func() {
		if !again {
			e.keepList()
		}
	}()
	if !e.plan(2*m.Len()+1, next) {
		return r, false, a.noSpace(q, e.held)
	}
	if a.onRetire == nil || len(e.victims) == 0 {
		e.extract()
		r, err = a.insert(e.w, "AllocEvict", e.part, v)
		return r, false, err
	}
	a.mu.Lock()
	for i := range e.victims {
		e.victims[i].keys.outside(e.part, a.gaps.withhold)
	}
	e.number = a.retiring.begin()
	a.mu.Unlock()
	e.extract()
	return r, true, nil
}

// keepList leaves the list of victims for the next call.
func (e *eviction[K, V]) keepList() {
	clear(e.victims)
	if cap(e.victims) > maxVictims {
		e.victims = nil
	}
	a := e.a
	a.mu.Lock()
	defer a.mu.Unlock()
	a.victims = e.victims[:0]
}

// plan excludes ranges until there is room, and puts their keys into the gaps as if they were
// already free. Then it takes the room out of the gaps. It reports whether there is room. If
// there is none, or if next panics, the gaps are as they were; the exclusions end with the turn.
//
// Meanwhile other calls can only add to the gaps: OnRetire, Grow, and an AllocFunc that fails do
// so without a turn.
func (e *eviction[K, V]) plan(most int, next func() (K, bool)) (ok bool) {
	a := e.a
	defer func() {
		if !ok {
			a.mu.Lock()
			defer a.mu.Unlock()
			for i := range e.victims {
				a.gaps.withhold(e.victims[i].keys)
			}
		}
	}()
	if ok = e.begin(); ok {
		return true
	}
	for range most {
		lo, more := next()
		if !more {
			return false
		}
		if e.exclude(lo) {
			if ok = e.fits(); ok {
				return true
			}
		}
	}
	return false
}

// begin takes the wanted keys out of the gaps if there is room already.
func (e *eviction[K, V]) begin() (ok bool) {
	a := e.a
	a.mu.Lock()
	defer a.mu.Unlock()
	e.victims, a.victims = a.victims, nil
	e.part, ok = a.gaps.choose(e.want, (*gaps).first)
	return ok
}

// exclude makes the range that begins at lo the next victim, and reports whether it could.
func (e *eviction[K, V]) exclude(lo K) bool {
	r, _, ok := e.w.Find(lo)
	if !ok || r.Lo != lo {
		return false
	}
	keys, _ := e.a.order.stretch(r)
	if len(e.victims) > 0 && e.named(keys) {
		return false
	}
	if !e.w.TryExclude(r) {
		e.held++
		return false
	}
	e.victims = append(e.victims, victim[K, V]{r: r, keys: keys})
	return true
}

// named reports whether the keys are those of a victim already.
func (e *eviction[K, V]) named(keys gap) bool {
	e.a.mu.Lock()
	defer e.a.mu.Unlock()
	_, ok := e.a.gaps.around(keys)
	return ok
}

// fits puts the keys of the last victim into the gaps. If there is room now, it takes the wanted
// keys out.
func (e *eviction[K, V]) fits() (ok bool) {
	a := e.a
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gaps.put(e.victims[len(e.victims)-1].keys)
	e.part, ok = a.gaps.choose(e.want, (*gaps).first)
	return ok
}

// extract takes the victims out of the map. They have no guards, so it does not wait.
func (e *eviction[K, V]) extract() {
	for i := range e.victims {
		x := &e.victims[i]
		var err error
		_, x.v, err = e.w.Extract(x.r.Lo)
		invariants.Check(err == nil, "Extract of the excluded %v: %v", x.r, err)
	}
}

// retire calls OnRetire for each victim. After each call it makes a gap of the victim's keys that
// are not to be allocated. If OnRetire panics or ends the goroutine, nothing is allocated.
func (e *eviction[K, V]) retire() {
	a := e.a
	through := false
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if !through {
			a.gaps.put(e.part)
		}
		a.retiring.end(e.number)
	}()
	defer e.keepList()
	e.retireEach()
	through = true
}

// retireEach calls OnRetire for each victim. If one call panics or ends the goroutine, the others
// are made all the same.
func (e *eviction[K, V]) retireEach() {
	defer func() {
		if e.retired < len(e.victims) {
			e.retireEach()
		}
	}()
	for e.retired < len(e.victims) {
		e.retired++
		e.retireOne(&e.victims[e.retired-1])
	}
}

func (e *eviction[K, V]) retireOne(x *victim[K, V]) {
	defer func() {
		a := e.a
		a.mu.Lock()
		defer a.mu.Unlock()
		x.keys.outside(e.part, a.gaps.put)
	}()
	e.a.onRetire(x.r, x.v)
}
