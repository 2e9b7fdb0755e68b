package rangelock

import (
	"context"
	"fmt"
	"time"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/rangetree"
	"github.com/spanlock/spanlock/internal/seam"
)

// The races of a flight, one by one; the steps are those of “Faulting in” in doc.go:
//
//   - A miss comes while a flight lands. Steps 1 and 2 have the semaphore for reading,
//     5 to 8 for writing, so it sees the flight and no range, or the range and no flight.
//     With step 6 before 5 it would see neither, and load a second time.
//   - A writer retires the range as soon as it is there. It finds the guards of step 7.
//     Counted in step 8, or by the callers themselves, they would come too late.
//   - A caller's context ends while the flight lands. Before step 6 it goes and is not
//     counted; after it, it waits the few steps until the transaction has ended, and
//     returns with its guard. So there is no count that nobody gives back, and no range
//     of an unfinished transaction is seen.
//   - A caller comes to a flight that all others have left, and whose load was
//     cancelled for that. It goes aboard, since a second load at the same time is not
//     allowed; of an error it is not told but looks again.
//   - A transaction inserts a range into the gap while load runs. If that overlaps the
//     loaded one, the loaded one is retired without having been attached. A caller that
//     finds its key covered looks again; one that asked for the flight's key and does not
//     gets ErrOverlap, because the same load would come to the same end.
//   - The map is closed while load runs. Close ends the contexts of all loads, and waits
//     for the list to be empty: in step 5 the flight finds the map closed and retires
//     what it has. No flight begins after that, because step 1 has the semaphore.

// AcquireOrLoad takes a guard on the range that covers key, as [Map.AcquireContext]
// does, and if there is none calls load, inserts the range and the value that load
// returns, and takes a guard on that. A hit is the fast path of Acquire and nothing
// more.
//
// However many ask, load is called once for each missing range: two misses wait for
// one load while no attached range stands between their keys, since one range could
// cover both. When it turns out to cover only the one, the other looks again, and
// loads. So misses in one gap take turns, unless Options.LoadRange says which range
// a key's load is going to return. The load that is called is the first caller's.
//
// Load runs on a goroutine of its own. Its context has the values of the first
// caller's. It ends when nobody waits for the load any more, when the load has become
// stale, or when the map is closed. A caller whose ctx is done leaves, with a
// [WaitError], and the others wait on; one that leaves while the load is landing may get its
// guard all the same. What arrives when all have left is inserted.
//
// # Stale loads
//
// Retire, Remove, Evict, Clear, Swap, Replace and Put invalidate the keys that they are given, and
// Update and Resize those of the range that they find, whether or not a range was there. A
// load under way that returns a range with such a key is stale: its value is not inserted,
// OnRetire is called for it, and the callers look again, and load again. A load whose own
// key is invalidated is stale whatever it returns. An operation that fails invalidates
// nothing. So whoever changes the source first and retires the keys then can rely on this:
//
// A caller that comes after Retire has returned without an error never gets what was read
// before it, neither a value nor an error.
//
// A caller that has waited for 8 stale loads of its key gets [ErrStale].
//
// # Errors
//
// With an error, load keeps what is its own. A value that it returns with a nil error
// belongs to the map, whatever comes: if it cannot be inserted, OnRetire is called for
// it, once, with the range that load returned, be that valid or not. All callers that
// wait, and whose keys are in the new range, get a guard on it before it can leave the
// map. If there is no new range, the callers that asked for the load's own key get
//
//   - the error that load returned. A caller that came to a load which others had given
//     up before, and so cancelled, looks again instead;
//   - a panic that tells the value and the stack of the panic in load, and an error
//     if load ended its goroutine (runtime.Goexit). A panic when nobody waits is
//     dropped, as an error is;
//   - [ErrBadRange], with the range and the key, if the range is not valid, does
//     not cover the key, or is not the one that Options.LoadRange has said;
//   - [ErrOverlap], in a [RangeError], if the range overlaps one that was
//     inserted since. A caller that finds its key covered by then gets a guard on that
//     range;
//   - [ErrStale], in a [KeyError], as said above;
//   - [ErrFull], in a [RangeError], if the map has Options.MaxRanges ranges by then;
//   - [ErrClosed] if the map was closed meanwhile. On a closed map load is not called.
//
// Callers that waited because their keys lie in the same gap get none of these but
// ErrClosed. They look again, and load for themselves. With Options.LoadRange, all keys of
// the load's range are its own: they have asked for the same thing.
//
// With an error the guard is the zero Guard, and the map is as it was. A miss whose
// ctx is done at the call, or that finds no load under way on a closed map, fails
// without calling load; so does a key that is NaN, with ErrBadRange. A nil load panics.
//
// A miss waits for load, and then for its turn as a writer; MaxPending does not hold up
// an insertion. A goroutine that holds a guard of the map, a transaction or a [Reader]
// must not call it; see [Map]. Load may use the map, and AcquireOrLoad for keys
// elsewhere, but not for the gap that it is to fill, nor may it close the map: it would
// wait for itself. AcquireOrLoad panics where it sees that, by the context that load was
// given. The key must stay as it is until load has returned, and so must the bounds of
// what is invalidated meanwhile: the load is compared with them when it returns.
//
// A hit allocates nothing. But a closure that captures variables is allocated where it
// is written, because load may run elsewhere: pass a function that exists already.
//
// In the terminology of the Go memory model, the return of load synchronizes before
// the return of each call with a guard on what it returned.
func (m *Map[K, V]) AcquireOrLoad(ctx context.Context, key K, load func(ctx context.Context, key K) (Range[K], V, error)) (Guard[K, V], error) {
	if load == nil {
		panic("rangelock: AcquireOrLoad with a nil load")
	}
	if debug && ctx.Done() == nil {
		m.mayAcquire("AcquireOrLoad", toLoad, key)
	}
	g, a := m.enter(key)
	var err error
	if a != entered {
		if g, err = m.acquireOrLoadSlow(ctx, key, load, g, a); err == nil {
			g = m.drawn(g)
		}
	}
	if debug {
		g = m.remember(g)
	}
	return g, err
}

// maxStale is how many loads for its key a caller sees become stale before it gives up.
const maxStale = 8

// acquireOrLoadSlow waits for the writer, for its turn at the range, or for a flight,
// and looks again, until there is an answer; g and a are that of the fast path. With
// taken it stands in the range's line at once, as fallBack does.
//
// It goes round again only if its flight did not fly for this key, if somebody else has
// changed the map, or if the flight's load was stale, and that is counted.
func (m *Map[K, V]) acquireOrLoadSlow(ctx context.Context, key K, load loader[K, V], g Guard[K, V], a outcome) (Guard[K, V], error) {
	of := aboutKey("AcquireOrLoad", key)
	if a >= busy {
		m.fellBack(ctx, of, a)
	}
	if a == queued {
		var t *waiter[K, V]
		if g, t = m.queues.enqueue(g.h, g.life, false); t != nil {
			var err error
			if g, err = m.queues.wait(ctx, of, t); err != nil {
				return g, err
			}
		}
		if g.h != nil {
			return g, nil
		}
	}
	if !m.valid(From(key)) {
		return Guard[K, V]{}, &KeyError[K]{Op: "AcquireOrLoad", Key: key, Err: ErrBadRange, why: "no range covers it"}
	}
	var claim Range[K]
	if l := m.options.LoadRange; l != nil {
		if claim = l(key); !m.valid(claim) || !m.contains(claim, key) {
			panic(fmt.Sprintf("rangelock: Options.LoadRange(%v) is %v, which does not cover it", key, claim))
		}
	}
	for stale := 0; ; {
		g, t, f, p, err := m.joinLoad(ctx, of, claim, load)
		if t != nil {
			if g, err = m.queues.wait(ctx, of, t); err == nil && g.h == nil {
				continue // the range has left the map
			}
			return g, err
		}
		if f == nil {
			return g, err
		}
		if err := m.awaitLoad(ctx, of, f, p); err != nil {
			return g, err
		}
		switch {
		case p.panicked != nil:
			panic(p.panicked)
		case p.stale:
			if stale++; stale == maxStale {
				return g, &KeyError[K]{Op: "AcquireOrLoad", Key: key, Err: ErrStale, loads: stale}
			}
			continue
		case p.again:
			continue
		}
		return p.guard, p.err
	}
}

// awaitLoad parks until the flight tells its passenger p what has become of it, or until ctx
// ends first and p has left.
func (m *Map[K, V]) awaitLoad(ctx context.Context, of subject[K], f *loadCall[K, V], p *loadWaiter[K, V]) error {
	defer region(ctx, "rangelock.Load").End()
	t := m.waitInfo(ctx, of, ForLoad)
	m.waitStart(t)
	if !p.parker.Park(ctx.Done()) {
		invariants.At("rangelock: a passenger leaves")
		if m.loads.leave(f, p) {
			return m.afterWait(ctx, t, ForLoad, p.since, false, nil)
		}
		p.parker.Park(nil) // landed: a few steps more, and perhaps a guard to give back
	}
	return m.afterWait(ctx, t, ForLoad, p.since, true, nil)
}

// board looks for the range that covers key and takes a guard on it, or stands in its
// line. If there is none it puts a passenger on the flight that the key belongs to, and
// starts that if there is none either. With an error, a guard or a turn the flight is
// nil.
//
// While it has the semaphore for reading no range appears, and no flight lands with
// one: a flight leaves the list in the transaction that inserts its range. So the key
// cannot fall between the two.
func (m *Map[K, V]) joinLoad(ctx context.Context, of subject[K], claim Range[K], load loader[K, V]) (g Guard[K, V], t *waiter[K, V], f *loadCall[K, V], p *loadWaiter[K, V], err error) {
	if err := m.lockShared(ctx, of); err != nil {
		return g, nil, nil, nil, err
	}
	defer m.sem.RUnlock()
	invariants.At("rangelock: boarding")
	key := of.key
	if h := m.find(key); h != nil {
		g, _, t := m.hold(h, false)
		return g, t, nil, nil, nil
	}
	if ctx.Err() != nil {
		return g, nil, nil, nil, m.notWaited(ctx, ForLoad)
	}
	if m.closed.Load() {
		return g, nil, nil, nil, ErrClosed
	}
	here := m.gapOf(key)
	p = &loadWaiter[K, V]{key: key, since: time.Now(), parker: seam.NewParker()}
	m.loads.mu.Lock()
	defer m.loads.mu.Unlock() // compare may panic
	for _, f := range m.loads.list {
		if here.has(m, f.key) && (m.options.LoadRange == nil || m.contains(f.claim, key)) {
			from, _ := ctx.Value(origin{}).(*ancestry)
			for ; from != nil; from = from.from {
				if from == f.ancestry {
					panic(fmt.Sprintf("rangelock: AcquireOrLoad of %v in the load of %v, of the same gap, waits for itself", key, f.key))
				}
			}
			if m.options.LoadRange != nil {
				p.own = m.same(claim, f.claim)
			} else {
				p.own = m.compare(key, f.key) == 0
			}
			p.late = f.givenUp || f.window.narrowed()
			f.waiters = append(f.waiters, p)
			return g, nil, f, p, nil
		}
	}
	f, fctx := newLoadCall(ctx, p, claim)
	m.loads.start(f)
	seam.Go(func() { m.runLoad(fctx, f, load) })
	return g, nil, f, p, nil
}

// gap is the neighbours of a key without a range; nil at the ends of the map.
type gap[K, V any] struct {
	left, right *header[K, V]
}

// gapOf returns the gap of key, which no range covers.
//
// Preconditions: the caller holds sem.
func (m *Map[K, V]) gapOf(key K) (g gap[K, V]) {
	var c rangetree.Cursor[K]
	m.tree.Seek(&c, key)
	back := c
	g.left = headerOf[K, V](back.Back())
	g.right = headerOf[K, V](c.Entry())
	return g
}

// has reports whether key lies in the gap.
func (g gap[K, V]) has(m *Map[K, V], key K) bool {
	return (g.left == nil || m.endsBy(g.left, key)) &&
		(g.right == nil || m.compare(key, g.right.Lo) < 0)
}

// contains reports whether key lies in r.
func (m *Map[K, V]) contains(r Range[K], key K) bool {
	return m.compare(r.Lo, key) <= 0 && m.before(key, r)
}

// same reports whether a and b have the same bounds.
func (m *Map[K, V]) same(a, b Range[K]) bool {
	return m.compare(a.Lo, b.Lo) == 0 && a.Unbounded == b.Unbounded && (a.Unbounded || m.compare(a.Hi, b.Hi) == 0)
}
