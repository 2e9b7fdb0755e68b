package rangelock

import (
	"fmt"

	"github.com/spanlock/spanlock/internal/rangetree"
)

// Split cuts the range that covers at in two, [lo, at) and [at, hi), and gives them
// the values that Options.SplitValue makes of its value; without a SplitValue both
// get it. It excludes the range and waits for the guards on it. Nothing is retired:
// the value moves. If a range starts at at already there is nothing to do.
//
// It returns [ErrNotFound], in a [KeyError], if no range covers at; [ErrFull] if the map has
// Options.MaxRanges ranges; the error of SplitValue, in a [RangeError]; [ErrClosed] on a
// closed map; a [WaitError] if the transaction's context ends the wait. Then nothing has
// changed. On a map with an OnRetire and no SplitValue it panics, because
// one value would be retired twice.
func (w Writer[K, V]) Split(at K) error {
	m, err := w.change("Split")
	if err != nil {
		return err
	}
	h := m.find(at)
	if h == nil {
		return m.notFound(at)
	}
	if m.options.OnRetire != nil && m.options.SplitValue == nil {
		panic(fmt.Sprintf("rangelock: Split at %v of a map with OnRetire and without SplitValue", at))
	}
	if m.compare(h.Lo, at) == 0 {
		return nil
	}
	if err := m.roomFor(1, h.bounds()); err != nil {
		return err
	}
	defer m.done()
	return m.split(h, at)
}

// split cuts h at at, which it covers and does not begin with.
func (m *Map[K, V]) split(h *header[K, V], at K) error {
	r := h.bounds()
	var x rangetree.Cut[K]
	m.collect(&x, r)
	m.tree.Supplant(&x, at, r.Hi, r.Unbounded)
	if err := m.exclude(); err != nil {
		return err
	}
	left, right := Span(r.Lo, at), Range[K]{Lo: at, Hi: r.Hi, Unbounded: r.Unbounded}
	lv, rv := h.value, h.value
	if m.options.SplitValue != nil {
		var err error
		if lv, rv, err = m.options.SplitValue(r, at, h.value); err != nil {
			return m.refuse(err, r)
		}
	}
	m.publishing()
	lh, rh := m.newHeader(left, lv), m.newHeader(right, rv)
	m.tree.Split(&x, &lh.Entry, &rh.Entry)
	m.attached(lh)
	m.attached(rh)
	m.detachMoved(h)
	return nil
}
