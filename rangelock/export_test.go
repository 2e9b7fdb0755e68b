package rangelock

import "fmt"

// Debug says whether guards remember who took them.
const Debug = debug

// Limit is how many guards one range can have.
const Limit = limit

// LeafCap is how many ranges a leaf of the tree holds in this build.
const LeafCap = leafCap

// Hint is the hint of a key in a node whose keys begin with skip bytes that are the same.
func Hint(key string, skip int) uint64 { return hint(key, skip) }

// Verify walks the whole tree and returns what is wrong with its structure. Nobody
// may write meanwhile.
func (m *Map[K, V]) Verify() error {
	root := m.root.Load()
	if root == nil || root.level < 1 {
		return fmt.Errorf("no root")
	}
	v := &verifier[K, V]{m: m}
	if err := v.inner(root, nil, nil, true); err != nil {
		return err
	}
	if n := m.Len(); n != v.ranges {
		return fmt.Errorf("Len is %d, the tree holds %d", n, v.ranges)
	}
	return nil
}

type verifier[K, V any] struct {
	m      *Map[K, V]
	ranges int
	last   *header[K, V]
}

func (v *verifier[K, V]) inner(p *inner[K, V], lo, hi *K, top bool) error {
	if p.n < 1 || p.n > innerCap {
		return fmt.Errorf("inner node of level %d with %d children", p.level, p.n)
	}
	if top && p.level > 1 && p.n < 2 {
		return fmt.Errorf("root of level %d with one child", p.level)
	}
	if err := checkHints(v.m, any(p)); err != nil {
		return err
	}
	for i := p.n; i < innerCap; i++ {
		if p.kids[i].Load() != nil || p.leaves[i].Load() != nil {
			return fmt.Errorf("child behind the last of an inner node")
		}
	}
	for i := range p.n {
		clo, chi := lo, hi
		if i > 0 {
			clo = &p.keys[i]
		}
		if i+1 < p.n {
			chi = &p.keys[i+1]
		}
		if clo != nil && chi != nil && v.m.compare(*clo, *chi) >= 0 {
			return fmt.Errorf("separators %v, %v out of order", *clo, *chi)
		}
		c := p.child(i)
		if c.none() {
			return fmt.Errorf("no child %d of %d", i, p.n)
		}
		if c.inner != nil {
			if c.inner.level != p.level-1 {
				return fmt.Errorf("level %d under level %d", c.inner.level, p.level)
			}
			if err := v.inner(c.inner, clo, chi, false); err != nil {
				return err
			}
			continue
		}
		if err := v.leaf(c.leaf, clo, chi, top && p.n == 1); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier[K, V]) leaf(l *leaf[K, V], lo, hi *K, only bool) error {
	if l.n > leafCap || l.n == 0 && !only {
		return fmt.Errorf("leaf with %d ranges", l.n)
	}
	if err := checkHints(v.m, any(l)); err != nil {
		return err
	}
	for i := l.n; i < leafCap; i++ {
		if l.ranges[i].Load() != nil {
			return fmt.Errorf("range behind the last of a leaf")
		}
	}
	for i := range l.n {
		h := l.ranges[i].Load()
		if h == nil || v.m.compare(h.lo, l.keys[i]) != 0 {
			return fmt.Errorf("key %v and its range differ", l.keys[i])
		}
		r := h.bounds()
		if !v.m.valid(r) {
			return fmt.Errorf("%v is not valid", r)
		}
		if lo != nil && v.m.compare(h.lo, *lo) < 0 {
			return fmt.Errorf("%v starts before separator %v", r, *lo)
		}
		if hi != nil && !v.m.endsBy(h, *hi) {
			return fmt.Errorf("%v reaches over separator %v", r, *hi)
		}
		if v.last != nil && !v.m.endsBy(v.last, h.lo) {
			return fmt.Errorf("%v overlaps %v", v.last.bounds(), r)
		}
		if h.state.Load()&(detached|retired) != 0 {
			return fmt.Errorf("%v in the tree with state %#x", r, h.state.Load())
		}
		v.last = h
		v.ranges++
	}
	return nil
}

// SetReaders makes the count of readers of the range that covers key n, as if that
// many guards were held.
func (m *Map[K, V]) SetReaders(key K, n uint64) {
	h := m.find(m.root.Load(), key)
	h.state.Store(h.state.Load()&^uint64(readerMask) | n)
}

// SetGeneration puts the range that covers key into another life, to start next to
// the wrap-around.
func (m *Map[K, V]) SetGeneration(key K, gen uint32) {
	h := m.find(m.root.Load(), key)
	h.state.Store(h.state.Load()&lowMask | uint64(gen)*generation)
}

// Generation returns which life of its header a state word says.
func Generation(state uint64) uint64 { return state / generation }

// KeepCold keeps every range of the map that is not hot yet from becoming it, for tests
// that count in the state word. Stats must not be asked after it.
func (m *Map[K, V]) KeepCold() { m.pool.mu.Lock() }

// Promote makes the range that covers key hot and reports whether it is.
func (m *Map[K, V]) Promote(key K) bool {
	pin := m.domain.Pin()
	defer pin.Unpin()
	h := m.find(m.root.Load(), key)
	m.promote(h)
	return h.state.Load()&hot != 0
}

// HotSets returns how many ranges can be hot at one time, and how many sets of stripes
// have been made.
func (m *Map[K, V]) HotSets() (most, made int) {
	m.pool.mu.Lock()
	defer m.pool.mu.Unlock()
	return maxSets, m.pool.made
}

// IdleSets returns how many sets of stripes wait for a range.
func (m *Map[K, V]) IdleSets() int {
	m.pool.mu.Lock()
	defer m.pool.mu.Unlock()
	return len(m.pool.idle)
}

// Sweep looks for ranges that are not used much any more, as if the time for it had come.
func (m *Map[K, V]) Sweep() {
	pin := m.domain.Pin()
	defer pin.Unpin()
	m.pool.mu.Lock()
	defer m.pool.mu.Unlock()
	m.pool.swept -= sweepEvery
	m.sweepLocked()
}

// InLine returns how many goroutines stand in line for the range that covers key.
func (m *Map[K, V]) InLine(key K) int {
	_, n := m.waitingSince(m.find(m.root.Load(), key), reserved)
	return n
}

// Lines returns how many ranges have a line.
func (m *Map[K, V]) Lines() int {
	m.turns.mu.Lock()
	defer m.turns.mu.Unlock()
	return len(m.turns.lines)
}

// State returns the state word of the range that covers key.
func (m *Map[K, V]) State(key K) uint64 { return m.find(m.root.Load(), key).state.Load() }

// Publication returns the publication sequence.
func (m *Map[K, V]) Publication() uint64 { return m.pub.Load() }

// SetPublication sets it, to start next to the wrap-around; v must be even.
func (m *Map[K, V]) SetPublication(v uint64) { m.pub.Store(v) }

// Height returns how many levels of inner nodes the tree has.
func (m *Map[K, V]) Height() int { return m.root.Load().level }

// FreeListBounds returns how many cleared leaves, inner nodes and headers a map
// keeps at most in each of its two lists.
func FreeListBounds() (leaves, inners, headers int) {
	return maxSpareLeaves, maxSpareInners, maxSpareHeaders
}

// FreeLists returns how many cleared leaves, inner nodes and headers the map keeps,
// and how many objects wait for a grace period. No transaction may be under way.
func (m *Map[K, V]) FreeLists() (leaves, inners, headers, limbo int) {
	m.limbo.mu.Lock()
	defer m.limbo.mu.Unlock()
	for i := range m.limbo.bags {
		limbo += m.limbo.bags[i].nodes.count()
	}
	c, s := &m.limbo.clean, &m.spare
	return c.leaves.n + s.leaves.n, c.inners.n + s.inners.n, c.headers.n + s.headers.n, limbo
}

// Excluded reports whether the range that covers key is excluded.
func (m *Map[K, V]) Excluded(key K) bool {
	h := m.find(m.root.Load(), key)
	return h != nil && h.state.Load()&excluded != 0
}

// Lingering returns how many ranges are entered as having left under a guard.
func (m *Map[K, V]) Lingering() int {
	m.lingering.mu.Lock()
	defer m.lingering.mu.Unlock()
	return len(m.lingering.ranges)
}

// Latecomer takes a guard on a range that is out of the tree and not yet detached: what
// a reader gets that has found it just before. It looks among the dead of the
// transaction, so only the test that holds the writer there may call it.
func (m *Map[K, V]) Latecomer(key K) Guard[K, V] {
	for _, h := range m.scratch {
		if m.compare(h.lo, key) <= 0 && m.compare(key, h.hi) < 0 {
			return Guard[K, V]{h: h, life: h.state.Add(1) &^ lowMask}
		}
	}
	panic("no such range")
}

// HoldPending locks what counts pending ranges until release is called.
func (m *Map[K, V]) HoldPending() (release func()) {
	m.pending.mu.Lock()
	return m.pending.mu.Unlock
}

// checkHints returns what is wrong with the hints of a node, of which a search takes no
// harm but gets slow.
func checkHints[K, V any](m *Map[K, V], node any) error {
	o := m.hinting
	if o == nil {
		return nil
	}
	switch x := node.(type) {
	case *leaf[K, V]:
		return hintsOf(o, x.keys[:x.n], x.hints, x.skip)
	case *inner[K, V]:
		return hintsOf(o, x.keys[1:x.n], x.hints[min(1, len(x.hints)):], x.skip)
	}
	return fmt.Errorf("hints in a %T", node)
}

func hintsOf[K any](o *hinting[K], keys []K, hints []uint64, skip int) error {
	if len(keys) == 0 {
		return nil
	}
	if len(hints) < len(keys) {
		return fmt.Errorf("%d hints of %d keys", len(hints), len(keys))
	}
	if common := o.shared(keys[0], keys[len(keys)-1]); skip > common || skip < common-2 {
		return fmt.Errorf("hints skip %d bytes of keys that have %d in common", skip, common)
	}
	for i, k := range keys {
		if hints[i] != o.hint(k, skip) {
			return fmt.Errorf("the hint of %v is %#x, want %#x", k, hints[i], o.hint(k, skip))
		}
	}
	return nil
}
