package rangelock

// Swap retires every range that lies in r, as Retire does, and attaches r with the
// value v in their place. The ranges need not fill r; where there is none Swap is
// Insert. It never waits for a reader. Readers see the old ranges until the swap,
// then wait for the end of the transaction, then see the new one; never a gap.
// Guards that are held keep the old ranges.
//
// Its errors are those of [Writer.Retire]; then nothing has changed.
func (w Writer[K, V]) Swap(r Range[K], v V) error { return w.install("Swap", r, v, false) }

// Replace takes every range that lies in r out of the map, after it has excluded
// them and waited until the guards on them are released, and attaches r with the
// value v in their place. Readers see the old ranges until they are excluded, then
// wait for the end of the transaction, then see the new one; never a hole. Where
// nothing overlaps r it is an Insert. It is to [Writer.Swap] as [Writer.Remove] is
// to [Writer.Retire], and does for whole ranges what mmap does with MAP_FIXED.
//
// Its errors are those of [Writer.Remove]; then nothing has changed.
func (w Writer[K, V]) Replace(r Range[K], v V) error { return w.install("Replace", r, v, true) }

// install attaches r with v in the place of the ranges that lie in it; wait says
// whether to exclude them first.
func (w Writer[K, V]) install(method string, r Range[K], v V, wait bool) error {
	m, err := w.change(method)
	if err != nil {
		return err
	}
	if !m.valid(r) {
		return badRange(r)
	}
	defer m.done()
	var s span[K, V]
	if err := m.collectWhole(&s, r); err != nil {
		return err
	}
	m.planStale(r)
	if len(m.scratch) == 0 {
		if err := m.insert(r, v); err != nil {
			return err
		}
		m.makeStale()
		return nil
	}
	lower := m.lowered(&s, r)
	same := m.plainKeys && len(m.scratch) == 1 && m.compare(m.scratch[0].lo, r.Lo) == 0
	if wait {
		if err := m.exclude(); err != nil {
			return err
		}
	}
	m.makeStale()
	m.publishing()
	h := m.newHeader(r, v)
	if same && (s.tail || s.r.leaf == s.l.leaf) {
		// The new range stands at the old one's key and reaches over no separator: one
		// store, no copy. Not for keys with pointers: the leaf would keep the old key.
		s.l.leaf.ranges[s.l.i].Store(h)
	} else {
		m.supplant(&s, lower, h)
	}
	m.length.Add(1)
	m.touch(h)
	m.detachAll()
	return nil
}

// lowered returns the depth of the separator before the ranges in s, if r starts
// before it, or -1: a range in their place needs it lowered to r.Lo.
//
// Preconditions: m.scratch is not empty.
func (m *Map[K, V]) lowered(s *span[K, V], r Range[K]) int {
	if s.l.i > 0 || m.compare(m.scratch[0].lo, r.Lo) == 0 {
		return -1
	}
	if d := s.l.separatorDepth(); d >= 0 && m.compare(r.Lo, s.l.separator(d)) < 0 {
		return d
	}
	return -1
}

// supplant puts h into the tree in the place of the ranges in s; lower is what lowered
// returned for h's bounds.
func (m *Map[K, V]) supplant(s *span[K, V], lower int, h *header[K, V]) {
	if lower >= 0 {
		m.setSeparator(&s.l, lower, h.lo)
	}
	m.apply(&cut[K, V]{l: &s.l, r: s.end()}, h)
}
