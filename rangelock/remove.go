package rangelock

import "github.com/spanlock/spanlock/internal/rangetree"

// Remove takes every range that lies in r out of the map and returns how many they
// were. It excludes them and waits until the guards on them are released: when it
// returns, nobody uses them. OnRetire runs for each, later, on another goroutine. A
// caller that has a guard on one of them waits for itself.
//
// What a load of [Map.AcquireOrLoad] under way brings for keys in r is stale from then on,
// whether or not a range was there. The bounds of r are kept while such loads run.
//
// It returns [ErrPartial], in a [RangeError], if it would cut a range;
// [ErrBadRange] if r is not valid; [ErrBacklog] as Options.MaxPending says;
// [ErrClosed] on a closed map; a [WaitError] if the transaction's context ends the
// wait. Then nothing has changed. Where r overlaps no range it returns (0, nil).
func (w Writer[K, V]) Remove(r Range[K]) (int, error) { return w.remove("Remove", r, true) }

// Retire is like [Writer.Remove] but never waits for a reader and excludes nothing
// before it takes the ranges out: guards that are held keep their range, with its
// bounds and value, and the last of them lets OnRetire run. Readers that come during
// the transaction wait for its end.
//
// It returns [ErrPartial], [ErrBadRange], [ErrBacklog] and [ErrClosed] as Remove does;
// then nothing has changed.
func (w Writer[K, V]) Retire(r Range[K]) (int, error) { return w.remove("Retire", r, false) }

func (w Writer[K, V]) remove(method string, r Range[K], wait bool) (int, error) {
	m, err := w.changeRange(method, r)
	if err != nil {
		return 0, err
	}
	defer m.done()
	var x rangetree.Cut[K]
	if err := m.collectWhole(&x, r); err != nil {
		return 0, err
	}
	m.loads.planStale(r)
	if len(m.scratch) == 0 {
		m.loads.makeStale()
		return 0, nil
	}
	if wait {
		if err := m.exclude(); err != nil {
			return 0, err
		}
	}
	m.loads.makeStale()
	m.publishing()
	m.tree.Remove(&x)
	return m.detachAll(), nil
}

// collectWhole fills m.scratch with the ranges that overlap r, and refuses if one
// of them would be cut or if they would be too much to have pending.
func (m *Map[K, V]) collectWhole(x *rangetree.Cut[K], r Range[K]) error {
	m.collect(x, r)
	n := len(m.scratch)
	if n == 0 {
		return nil
	}
	for _, h := range []*header[K, V]{m.scratch[0], m.scratch[n-1]} {
		if !m.covers(r, h) {
			return m.inTheWay(ErrPartial, r, "would cut", h.bounds())
		}
	}
	return m.weigh(m.scratch, r, true)
}

// Update gives the range that covers key a new value and retires the old one, also
// when they are equal; the bounds stay. It excludes the range and waits for the
// guards on it. To change in place what a value points to, [Writer.Exclude] the
// range instead.
//
// It returns [ErrNotFound], in a [KeyError], if no range covers it;
// [ErrBacklog] as Options.MaxPending says; [ErrClosed] on a closed map; a [WaitError]
// if the transaction's context ends the wait. Then nothing has changed.
func (w Writer[K, V]) Update(key K, v V) error {
	m, err := w.change("Update")
	if err != nil {
		return err
	}
	var x rangetree.Cut[K]
	old := m.collectAt(&x, key)
	if old == nil {
		return m.notFound(key)
	}
	defer m.done()
	if err := m.weigh(m.scratch, old.bounds(), true); err != nil {
		return err
	}
	m.tree.Supplant(&x, old.Lo, old.Hi, old.Unbounded())
	m.loads.planStale(old.bounds())
	if err := m.exclude(); err != nil {
		return err
	}
	m.loads.makeStale()
	m.publishing()
	h := m.newHeader(old.bounds(), v)
	m.tree.Replace(&x, &h.Entry)
	m.attached(h)
	m.detachAll()
	return nil
}

// Clear retires all ranges, as Retire of everything, and returns how many they
// were. It never waits for a reader. It returns [ErrBacklog], and does nothing, if
// that would leave more pending than Options.MaxPending allows, and [ErrClosed] on a
// closed map.
func (w Writer[K, V]) Clear() (int, error) {
	m, err := w.change("Clear")
	if err != nil {
		return 0, err
	}
	return m.clear(true)
}

// clear is Clear; bounded says whether MaxPending counts.
func (m *Map[K, V]) clear(bounded bool) (int, error) {
	defer m.done()
	m.scratch = m.scratch[:0]
	var c rangetree.Cursor[K]
	m.tree.First(&c)
	for e := c.Entry(); e != nil; e = c.Entry() {
		m.scratch = append(m.scratch, headerOf[K, V](e))
		c.Next()
	}
	if len(m.scratch) == 0 {
		m.loads.makeAllStale()
		return 0, nil
	}
	all := Range[K]{Lo: m.scratch[0].Lo, Unbounded: true}
	if err := m.weigh(m.scratch, all, bounded); err != nil {
		return 0, err
	}
	m.loads.makeAllStale()
	m.publishing()
	m.tree.Clear()
	return m.detachAll(), nil
}
