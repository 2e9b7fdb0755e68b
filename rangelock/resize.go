package rangelock

// Resize gives the range that covers key the bounds r; its value moves with it, as
// a mapping does with mremap. It may grow, shrink or move, also to where it does not
// overlap its old place. It excludes the range and waits for the guards on it.
// Nothing is retired.
//
// It returns [ErrNotFound], wrapped with the key, if no range covers it; [ErrBadRange]
// if r is not valid; [ErrOverlap], wrapped with both ranges, if another range is in
// the way; [ErrClosed] on a closed map; a [WaitError] if the transaction's context ends
// the wait. Then nothing has changed.
func (w Writer[K, V]) Resize(key K, r Range[K]) error {
	m, err := w.change("Resize")
	if err != nil {
		return err
	}
	if !m.valid(r) {
		return badRange(r)
	}
	old := m.find(m.root.Load(), key)
	if old == nil {
		return notFound(key)
	}
	defer m.done()
	var s span[K, V]
	m.collectSpan(&s, r)
	for _, h := range m.scratch {
		if h != old {
			return overlap(r, h.bounds())
		}
	}
	m.planStale(old.bounds())
	if len(m.scratch) == 0 {
		return m.move(old, r)
	}
	lower := m.lowered(&s, r)
	if err := m.exclude(); err != nil {
		return err
	}
	m.makeStale()
	m.publishing()
	h := m.newHeader(r, old.value)
	m.supplant(&s, lower, h)
	m.length.Add(1)
	m.touch(h)
	m.vacate(old)
	return nil
}

// move is Resize to a place that does not overlap the old one.
func (m *Map[K, V]) move(old *header[K, V], r Range[K]) error {
	to, err := m.roomFor(r)
	if err != nil {
		return err // cannot be: nothing overlaps r
	}
	var from span[K, V]
	m.collectSpan(&from, old.bounds())
	if err := m.exclude(); err != nil {
		return err
	}
	m.makeStale()
	m.publishing()
	// The new place first. Both are excluded, so that a reader who finds either waits
	// for the end of the transaction; a walk may see both.
	l := to.at.leaf
	m.attach(&to, m.newHeader(r, old.value))
	// That has put a copy in the place of one leaf and changed nothing else, so the way
	// to the old place is known without a comparison.
	if from.l.leaf == l {
		d := from.l.depth - 1
		from.l.leaf = from.l.nodes[d].leaves[from.l.at[d]].Load()
		if to.at.i <= from.l.i {
			from.l.i++
		}
	}
	from.r = from.l
	from.r.i++
	from.tail = from.r.header() == nil
	m.apply(&cut[K, V]{l: &from.l, r: from.end()}, nil)
	m.vacate(old)
	return nil
}

// roomFor returns a place for r that attach can use without a change to an inner node.
// Where there is none it changes the shape of the tree until there is, which is no
// change to the map: the same ranges are found, and the same gaps.
func (m *Map[K, V]) roomFor(r Range[K]) (to slot[K, V], err error) {
	for {
		if err := m.place(&to, r); err != nil {
			return to, err
		}
		switch {
		case to.raise:
			m.setSeparator(&to.next, to.next.separatorDepth(), to.next.header().lo)
		case to.at.leaf.n == leafCap:
			m.splitLeaf(&to.at)
		default:
			return to, nil
		}
	}
}
