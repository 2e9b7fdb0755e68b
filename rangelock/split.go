package rangelock

import (
	"fmt"

	"github.com/spanlock/spanlock/internal/rangetree"
)

// Split cuts the range [lo, hi) that covers at into [lo, at) and [at, hi). The two get the values
// that Options.SplitValue makes of its value; without a SplitValue both get that value. Split
// excludes the range and waits for the guards on it. It retires nothing: the value moves. If a
// range already starts at that key there is nothing to do.
//
// It returns [ErrNotFound], in a [KeyError], if no range covers at; [ErrFull] if the map has
// Options.MaxRanges ranges; the error of SplitValue, in a [RangeError]; [ErrClosed] on a closed
// map; a [WaitError] if the transaction's context ends the wait. On error nothing has changed.
// Split panics in a map with an OnRetire and without a SplitValue, because one value would be
// retired twice.
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

// split cuts h at the key at, which lies in h and is not its first.
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
			return &RangeError[K]{Op: m.txn.op.name, Range: r, Err: err, cut: true, at: at}
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
