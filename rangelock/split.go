package rangelock

import "fmt"

// Split cuts the range that covers at in two, [lo, at) and [at, hi), and gives them
// the values that Options.SplitValue makes of its value; without a SplitValue both
// get it. It excludes the range and waits for the guards on it. Nothing is retired:
// the value moves. If a range starts at at already there is nothing to do.
//
// It returns [ErrNotFound], wrapped with the key, if no range covers at; [ErrClosed]
// on a closed map; a [WaitError] if the transaction's context ends the wait. Then
// nothing has changed. On a map with an OnRetire and no SplitValue it panics, because
// one value would be retired twice.
func (w Writer[K, V]) Split(at K) error {
	m, err := w.change("Split")
	if err != nil {
		return err
	}
	h := m.find(m.root.Load(), at)
	if h == nil {
		return notFound(at)
	}
	if m.options.OnRetire != nil && m.options.SplitValue == nil {
		panic(fmt.Sprintf("rangelock: Split at %v of a map with OnRetire and without SplitValue", at))
	}
	if m.compare(h.lo, at) == 0 {
		return nil
	}
	defer m.done()
	var c cursor[K, V]
	m.seek(&c, m.root.Load(), h.lo)
	c.i--
	m.scratch = append(m.scratch[:0], h)
	if err := m.exclude(); err != nil {
		return err
	}
	r := h.bounds()
	left, right := Span(r.Lo, at), Range[K]{Lo: at, Hi: r.Hi, Unbounded: r.Unbounded}
	lv, rv := h.value, h.value
	if m.options.SplitValue != nil {
		lv, rv = m.options.SplitValue(r, at, h.value)
	}
	m.publishing()
	lh, rh := m.newHeader(left, lv), m.newHeader(right, rv)
	// The left half stands where the whole stood, the right half behind it. Neither
	// reaches over a separator, since the whole did not.
	c.leaf.ranges[c.i].Store(lh)
	c.i++
	m.insertLeaf(&c, rh)
	m.length.Add(2)
	m.touch(lh)
	m.touch(rh)
	m.vacate(h)
	return nil
}
