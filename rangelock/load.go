package rangelock

import (
	"context"
	"fmt"

	"github.com/spanlock/spanlock/internal/invariants"
)

// This file has AcquireOrLoad, as its callers run it. The loads of a map that are under way are
// load calls: loadcall.go says how one runs, loads.go has the list of them, and stale.go says
// what an invalidation does to them.
//
// A miss on the fast path of Acquire goes on with these steps:
//
//  1. Take the semaphore for reading, and search again. If a range covers the key, take a guard
//     on it, or join its wait queue, and return. If the context has ended, or the map is closed,
//     return that error.
//  2. Find the gap in which the key lies, by the key's neighbours. If the list has a load call
//     whose key lies in the same gap and, with Options.LoadRange, whose range covers this key,
//     join the call. Compare now whether the call is for the same key, or for the same range of
//     LoadRange. If there is no such call, put a new one into the list, and start its goroutine,
//     which goes on with step 4. Release the semaphore.
//  3. Park. A caller that is woken returns what the call has decided for it, or goes back to
//     step 1. A caller whose context ends leaves the call, unless the call has completed. The
//     last caller to leave ends the context of load.
//  4. The call runs load, and holds no lock meanwhile. If load fails, by an error, a panic or
//     runtime.Goexit, the call completes and tells the failure to the waiters that asked for
//     the same key. The other waiters search again. If the call is stale all of them do.
//  5. The call begins a transaction. It checks the range, and whether it is fresh: whether it
//     lies in the call's window. It decides which waiters have keys in the range. All of the
//     user's code that could panic has run now.
//  6. It completes: it leaves the list, whether or not it has a range to insert. From here on
//     no caller can join it or leave it.
//  7. It counts a guard for each waiter with a key in the range on the new header, which is
//     born excluded and which no other goroutine sees. Then it inserts the range.
//  8. It ends the transaction, and wakes the waiters. Those with a key in the range have guards,
//     and the others search again.
//
// The races of these steps:
//
//   - A miss comes while a call completes. Steps 1 and 2 have the semaphore for reading, steps
//     5 to 8 for writing. So the miss sees the call and no range, or the range and no call. With
//     step 6 before step 5 it could see neither, and would load a second time.
//   - A writer retires the range as soon as it is there. It finds the guards of step 7. Guards
//     counted in step 8, or by the callers themselves, would come too late.
//   - A caller's context ends while the call completes. Before step 6 the caller leaves, and no
//     guard is counted for it. After step 6 it waits the few steps until the transaction has
//     ended, and returns with its guard. So every guard that is counted has an owner to release
//     it, and no caller sees a range of an unfinished transaction.
//   - A caller comes to a call that all other callers have left, so that the context of load has
//     ended. It joins the call, because a second load at the same time is not allowed. If load
//     fails the caller is not told the error, but searches again.
//   - A transaction inserts a range into the gap while load runs. If the two overlap, the loaded
//     range is retired without having been attached. A caller whose key is covered by then
//     searches again. A caller that asked for the call's own key, which is not covered, gets
//     ErrOverlap, because the same load would end in the same way.
//   - The map is closed while load runs. Close ends the contexts of all loads, and waits until
//     the list is empty: in step 5 a call finds the map closed, and retires what it has. No call
//     begins after that, because step 1 looks at closed with the semaphore held.

// AcquireOrLoad takes a guard on the range that covers key, as [Map.AcquireContext] does. If no
// range covers key it calls load, inserts the range and the value that load returns, and takes
// a guard on that range. A hit is the fast path of [Map.Acquire] and nothing more.
//
// Load is called once for each missing range, however many callers miss it. Two misses wait for
// one load if no attached range lies between their keys, because one range could cover both. If
// the range that is loaded covers only one of the keys, the caller with the other key searches
// again, and loads. So misses in one gap take turns, unless Options.LoadRange says which range
// the load of a key will return. The load that is called is that of the first caller.
//
// Load runs on a goroutine of its own. Its context has the values of the first caller's context.
// The context ends when no caller waits for the load any more, when the load has become stale, or
// when the map is closed. A caller whose ctx ends stops waiting and returns a [WaitError]; the
// other callers continue to wait. A caller whose ctx ends while the loaded range is being inserted
// may get its guard nevertheless. If all callers have stopped waiting before load returns, the
// range is inserted nevertheless.
//
// # Stale loads
//
// Retire, Remove, Evict, Clear, Swap, Replace and Put invalidate the keys that they are given,
// whether or not there is a range. Update, Resize and Extract invalidate the keys of the range
// that they find. An operation that fails invalidates nothing.
//
// A load under way that returns a range with such a key is stale: the value is not inserted,
// OnRetire is called for it, and the callers search and load again. A load whose own key is
// invalidated is stale whatever it returns. So a program that first changes the source, and then
// retires the keys, can rely on this:
//
// A call that begins after Retire has returned without an error never returns what was read
// before Retire was called, neither a value nor an error.
//
// A caller that has waited for 8 stale loads of its key gets [ErrStale].
//
// # Errors
//
// If load returns an error, nothing of what it returns becomes the map's. A value that it
// returns with a nil error belongs to the map in every case: if it cannot be inserted, OnRetire
// is called for it, once, with the range that load returned, valid or not. Each caller that
// waits for the load, and whose key is in the new range, gets a guard on the range before the
// range can leave the map. If there is no new range, the callers that asked for the load's own
// key get one of these:
//
//   - the error that load returned. A caller that came after all earlier callers had stopped
//     waiting, so that the load's context had ended, searches again instead;
//   - a panic with the value and the stack of the panic in load, or an error if load ended its
//     goroutine by [runtime.Goexit]. If no caller waits, a panic is dropped, as an error is;
//   - [ErrBadRange], with the range and the key, if the range is not valid, does not cover the
//     key, or is not the one that Options.LoadRange has said;
//   - [ErrOverlap], in a [RangeError], if the range overlaps one that was inserted meanwhile. A
//     caller whose key is covered by then gets a guard on that range instead;
//   - [ErrStale], in a [KeyError], as described above;
//   - [ErrFull], in a [RangeError], if the map has Options.MaxRanges ranges by then;
//   - [ErrClosed] if the map was closed meanwhile.
//
// A caller that waited only because its key lies in the same gap gets none of these errors but
// ErrClosed. It searches again, and loads for itself. With Options.LoadRange all keys in the
// load's range are the load's own keys.
//
// With an error the guard is the zero Guard, and the map is unchanged. A miss fails without a
// call of load if ctx has ended before the call, if the map is closed, or if key is NaN; for NaN
// the error is ErrBadRange. AcquireOrLoad panics if load is nil.
//
// # Waiting
//
// A miss waits for load, and then until the load has had its turn as a writer. MaxPending does
// not delay the insertion. A goroutine that holds a guard of the map, a transaction or a [Reader]
// must not call AcquireOrLoad; see [Map].
//
// Load may use the map, and may call AcquireOrLoad for keys elsewhere. It must not call it for a
// key in the gap that it is to fill, and it must not close the map, because it would wait for
// itself. AcquireOrLoad panics where the context that load was given shows this.
//
// The key must not change until load has returned, and neither must the bounds of a range that
// is invalidated meanwhile, because the loaded range is compared with them.
//
// A hit does not allocate. But a function literal that captures variables is allocated where it
// is written, because load may run on another goroutine; pass a function that exists already.
//
// In the terminology of the Go memory model, the return of load synchronizes before the return
// of each call with a guard on what load returned.
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

// maxStale is how many stale loads of its key a caller waits for before it gives up.
const maxStale = 8

// acquireOrLoadSlow does steps 1 to 3 until there is an answer. g and a are what the fast path
// has found. If a is queued it first joins the wait queue of the range at once, as fallBack does.
//
// It begins again only if the load call was not for this key, if another goroutine has changed
// the map, or if the load was stale. Stale loads are counted, so the loop ends.
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
		g, t, c, w, err := m.loads.join(ctx, of, claim, load)
		if t != nil {
			if g, err = m.queues.wait(ctx, of, t); err == nil && g.h == nil {
				continue // the range has left the map
			}
			return g, err
		}
		if c == nil {
			return g, err
		}
		if err := m.awaitLoad(ctx, of, c, w); err != nil {
			return g, err
		}
		switch {
		case w.panicked != nil:
			panic(w.panicked)
		case w.stale:
			if stale++; stale == maxStale {
				return g, &KeyError[K]{Op: "AcquireOrLoad", Key: key, Err: ErrStale, loads: stale}
			}
			continue
		case w.again:
			continue
		}
		return w.guard, w.err
	}
}

// awaitLoad parks until the call c has decided for its waiter w, or until ctx ends first and w
// has left.
func (m *Map[K, V]) awaitLoad(ctx context.Context, of subject[K], c *loadCall[K, V], w *loadWaiter[K, V]) error {
	defer region(ctx, "rangelock.Load").End()
	t := m.waitInfo(ctx, of, ForLoad)
	m.waitStart(t)
	if !w.parker.Park(ctx.Done()) {
		invariants.At("rangelock: a passenger leaves")
		if m.loads.leave(c, w) {
			return m.afterWait(ctx, t, ForLoad, w.since, false, nil)
		}
		w.parker.Park(nil) // completed: it is woken in a few steps, perhaps with a guard
	}
	return m.afterWait(ctx, t, ForLoad, w.since, true, nil)
}
