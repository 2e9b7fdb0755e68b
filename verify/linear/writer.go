package main

import (
	"context"
	"errors"
	"slices"

	"github.com/spanlock/spanlock/rangelock"
)

// outcomeOf turns an error into the model's terms.
func outcomeOf(ctx context.Context, err error) outcome {
	switch {
	case err == nil:
		return done
	case errors.Is(err, rangelock.ErrOverlap):
		return overlap
	case errors.Is(err, rangelock.ErrNotFound):
		return notFound
	case errors.Is(err, rangelock.ErrPartial):
		return partial
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return ended
	}
	return unknown
}

// bounds chooses a place for a range.
func (w *worker) bounds() (lo, hi int) {
	lo = w.rng.IntN(wall)
	return lo, min(lo+1+w.rng.IntN(4), wall)
}

// write does one transaction.
func (w *worker) write() {
	i := w.rng.IntN(len(w.hoods))
	h := w.hoods[i]
	ctx, cancel := mayEnd(w.rng)
	defer cancel()
	if w.rng.IntN(4) == 0 {
		w.single(ctx, i)
		return
	}
	op := &transaction{did: "transaction"}
	call := w.clock.now()
	var tx rangelock.Writer[int32, *item]
	switch w.rng.IntN(3) {
	case 0:
		tx = w.m.Lock()
		ctx = context.Background()
	case 1:
		var err error
		if tx, err = w.m.LockContext(ctx); err != nil {
			if !errors.Is(err, ctx.Err()) {
				w.wrong("LockContext: %v", err)
			}
			return
		}
	case 2:
		var ok bool
		if tx, ok = w.m.TryLock(); !ok {
			return
		}
		ctx = context.Background()
	}
	for range 1 + w.rng.IntN(4) {
		w.act(ctx, tx, h, op)
		pause()
	}
	if w.rng.IntN(4) > 0 {
		tx.Unlock()
		w.hist[i].add(w.n, call, w.clock.now(), op)
		return
	}
	op.did = "downgraded"
	r := tx.Downgrade()
	w.hist[i].add(w.n, call, w.clock.now(), op)
	w.look(i, r, w.clock.now(), "downgraded Reader")
	r.Unlock()
}

// attach records which items an operation has put in, if it has succeeded.
func attach(o outcome, its ...*item) {
	if o == done {
		for _, it := range its {
			it.attached = true
		}
	}
}

// act does one operation of a transaction and adds it to op.
func (w *worker) act(ctx context.Context, tx rangelock.Writer[int32, *item], h *hood, op *transaction) {
	var a act
	a.lo, a.hi = w.bounds()
	a.at = w.rng.IntN(wall)
	key := h.base + int32(a.at)
	r := h.span(a.lo, a.hi)
	var err error
	switch w.rng.IntN(19) {
	case 15, 16:
		w.put(ctx, tx, h, op)
		return
	case 17:
		a.kind = "Evict"
		gone, failed := tx.Evict(r)
		for range gone {
			a.n++
		}
		err = failed
	case 18:
		a.kind = "Extract"
		s, it, failed := tx.Extract(key)
		if err = failed; err == nil {
			a.found = []found{h.see(s, it)}
			it.moved = true // to this goroutine, which has it exclusively from now on
			if n := it.inside.Add(alone); n != alone {
				w.wrong("Extract of a range object with %#x inside", n-alone)
			}
		}
	case 0, 1:
		it := w.make()
		a.kind, a.ids[0] = "Insert", it.id
		err = tx.Insert(r, it)
		attach(outcomeOf(ctx, err), it)
	case 2:
		a.kind = "Remove"
		a.n, err = tx.Remove(r)
	case 3:
		a.kind = "Retire"
		a.n, err = tx.Retire(r)
	case 4, 5:
		it := w.make()
		a.kind, a.ids[0] = "Swap", it.id
		err = tx.Swap(r, it)
		attach(outcomeOf(ctx, err), it)
	case 6:
		it := w.make()
		a.kind, a.ids[0] = "Replace", it.id
		err = tx.Replace(r, it)
		attach(outcomeOf(ctx, err), it)
	case 7:
		a.kind = "Split"
		l, r := w.make(), w.make()
		a.ids = [2]uint32{l.id, r.id}
		w.into = [][2]*item{{l, r}}
		at, old, ok := tx.Find(key)
		if err = tx.Split(key); err == nil && ok && at.Lo != key {
			old.moved = true
			attach(done, l, r)
		}
	case 8:
		w.merge(tx, h, &a, &err)
	case 9, 10:
		a.kind = "Resize"
		if w.rng.IntN(8) == 0 {
			r.Hi, a.hi = h.base+cells, cells // into the wall
		}
		err = tx.Resize(key, r)
	case 11:
		it := w.make()
		a.kind, a.ids[0] = "Update", it.id
		err = tx.Update(key, it)
		attach(outcomeOf(ctx, err), it)
	case 12:
		a.kind = "Exclude"
		if w.rng.IntN(2) == 0 {
			a.kind = "TryExclude"
			if !tx.TryExclude(r) {
				return
			}
		} else {
			err = tx.Exclude(r)
		}
		if err == nil {
			for _, it := range tx.Overlapping(r) {
				if n := it.inside.Load(); n != 0 {
					w.wrong("%s of a range with %#x inside", a.kind, n)
				}
			}
		}
	case 13:
		a.kind = "Overlapping"
		for s, it := range tx.Overlapping(r) {
			a.found = append(a.found, h.see(s, it))
		}
		if w.rng.IntN(2) == 0 {
			a.kind, a.found = "Find", make([]found, 1)
			if s, it, ok := tx.Find(key); ok {
				a.found[0] = h.see(s, it)
			}
		}
	case 14:
		w.load(tx, h, op)
		return
	}
	a.outcome = outcomeOf(ctx, err)
	op.acts = append(op.acts, a)
}

// put is the operation Put. In the model it is a Swap after the splits that Put does.
func (w *worker) put(ctx context.Context, tx rangelock.Writer[int32, *item], h *hood, op *transaction) {
	lo, hi := w.bounds()
	r := h.span(lo, hi)
	var acts []act
	var cut [][2]*item
	var moved []*item
	split := func(at int, of *item) (right *item) {
		l, r := w.make(), w.make()
		cut = append(cut, [2]*item{l, r})
		moved = append(moved, of)
		acts = append(acts, act{kind: "Split", at: at, ids: [2]uint32{l.id, r.id}})
		return r
	}
	left, old, ok := tx.Find(r.Lo)
	if ok && left.Lo < r.Lo {
		old = split(lo, old)
	}
	if last, of, ok := tx.Find(r.Hi); ok && last.Lo < r.Hi {
		if last == left && len(cut) > 0 {
			of = old // the upper part of the range that was split at lo
		}
		split(hi, of)
	}
	it := w.make()
	acts = append(acts, act{kind: "Swap", lo: lo, hi: hi, ids: [2]uint32{it.id}})
	w.into = cut
	if o := outcomeOf(ctx, tx.Put(r, it)); o != done {
		op.acts = append(op.acts, act{kind: "Put", lo: lo, hi: hi, outcome: o})
		return
	}
	for i, x := range cut {
		attach(done, x[0], x[1])
		moved[i].moved = true
	}
	attach(done, it)
	op.acts = append(op.acts, acts...)
}

// merge is the operation Merge, by which two items leave without being retired.
func (w *worker) merge(tx rangelock.Writer[int32, *item], h *hood, a *act, err *error) {
	a.kind, a.at = "Merge", 1+w.rng.IntN(wall-1)
	key := h.base + int32(a.at)
	it := w.make()
	w.merged, w.refuse = it, w.rng.IntN(4) == 0
	a.ids[0], a.refuse = it.id, w.refuse
	_, l, _ := tx.Find(key - 1)
	_, r, _ := tx.Find(key)
	if *err = tx.Merge(key); *err == nil {
		l.moved, r.moved = true, true
		attach(done, it)
	}
}

// load is the operation Load, or, in a map with one neighbourhood, Clear and a new
// wall. In the model they are several operations.
func (w *worker) load(tx rangelock.Writer[int32, *item], h *hood, op *transaction) {
	var acts []act
	its := map[uint32]*item{}
	if len(w.hoods) == 1 && w.rng.IntN(2) == 0 {
		n, err := tx.Clear()
		op.acts = append(op.acts, act{kind: "Clear", hi: cells, n: n, outcome: outcomeOf(context.Background(), err)})
		it := w.make()
		its[it.id] = it
		acts = append(acts, act{kind: "Insert", lo: wall, hi: cells, ids: [2]uint32{it.id}})
	} else {
		for range 1 + w.rng.IntN(3) {
			lo, hi := w.bounds()
			it := w.make()
			its[it.id] = it
			acts = append(acts, act{kind: "Insert", lo: lo, hi: hi, ids: [2]uint32{it.id}})
		}
		slices.SortFunc(acts, func(a, b act) int { return a.lo - b.lo })
	}
	n, err := tx.Load(func(yield func(keys, *item) bool) {
		for i := range acts {
			if !yield(h.span(acts[i].lo, acts[i].hi), its[acts[i].ids[0]]) {
				return
			}
		}
	})
	for i := range acts[:n] {
		its[acts[i].ids[0]].attached = true
	}
	if err != nil {
		acts[n].outcome = outcomeOf(context.Background(), err)
		acts = acts[:n+1]
	}
	op.acts = append(op.acts, acts...)
}

// single is a transaction by one of the map's own methods.
func (w *worker) single(ctx context.Context, i int) {
	h := w.hoods[i]
	var a act
	a.lo, a.hi = w.bounds()
	r := h.span(a.lo, a.hi)
	it := w.make()
	var err error
	call := w.clock.now()
	switch w.rng.IntN(4) {
	case 0:
		a.kind = "Remove"
		a.n, err = w.m.Remove(ctx, r)
	case 1:
		a.kind = "Retire"
		a.n, err = w.m.Retire(ctx, r)
	case 2:
		a.kind, a.ids[0] = "Insert", it.id
		err = w.m.Insert(ctx, r, it)
	case 3:
		a.kind, a.ids[0] = "Swap", it.id
		err = w.m.Swap(ctx, r, it)
	}
	ret := w.clock.now()
	a.outcome = outcomeOf(ctx, err)
	it.attached = a.outcome == done && a.ids[0] != 0
	w.hist[i].add(w.n, call, ret, &transaction{did: "Map", acts: []act{a}})
}
