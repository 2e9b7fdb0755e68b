package rangelock

import (
	"slices"
	"time"

	"github.com/spanlock/spanlock/internal/seam"
)

// lingering is the ranges that have left the map while somebody had a guard on them,
// from their detachment to their end, and when they left. Nothing else leads to them:
// the tree has forgotten them, and they are pushed to freed only by the last guard. It
// is for Survey; no protocol depends on it.
type lingering[K, V any] struct {
	mu     seam.Mutex
	ranges map[*header[K, V]]time.Time
	n      seam.Int64 // at least how many; loaded without mu
	most   int        // how many there have been in this table, which does not shrink by itself
}

// maxLingeringTable is how large a table is kept when nothing is in it.
const maxLingeringTable = 1024

// add enters a range that could not be finished at its detachment.
//
// It may have been finished since, and even be buried: then it is left out. Who is seen
// not to be finished here is buried after this, and taken out again by that.
//
// Preconditions: the caller is the writer that has detached h, so h begins no other
// life meanwhile.
func (l *lingering[K, V]) add(h *header[K, V]) {
	l.n.Add(1) // before the look: it pairs with the load in remove, which comes after finishing
	l.mu.Lock()
	defer l.mu.Unlock()
	if h.State.Load()&retired != 0 {
		l.n.Add(-1)
		return
	}
	if l.ranges == nil {
		l.ranges = make(map[*header[K, V]]time.Time)
	}
	l.ranges[h] = time.Now()
	l.most = max(l.most, len(l.ranges))
}

// remove takes a range out that is about to be buried, if it is in. Afterwards nobody
// reads its bounds by way of the table.
func (l *lingering[K, V]) remove(h *header[K, V]) {
	if l.n.Load() == 0 {
		return // who is buried now was entered before, if at all
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.ranges[h]; ok {
		delete(l.ranges, h)
		l.n.Add(-1)
	}
	if len(l.ranges) == 0 && l.most > maxLingeringTable {
		l.ranges, l.most = nil, 0
	}
}

// readLingering appends to buf those that still have a guard, max at most, in no order.
func (m *Map[K, V]) readLingering(buf []surveyed[K], max int, look *look) []surveyed[K] {
	l := &m.lingering
	l.mu.Lock()
	defer l.mu.Unlock()
	for h, since := range l.ranges {
		if len(buf) >= max {
			break
		}
		// Who is in the table is not recycled while mu is held: see remove.
		if w := m.readWord(h, look); w.guards > 0 && w.detached {
			buf = append(buf, surveyed[K]{h.bounds(), w, since})
		}
	}
	return buf
}

// heldRanges returns the ranges that have left the map and still have guards, those that
// left first come first, maxHeld at most.
func (m *Map[K, V]) heldRanges() []Range[K] {
	buf := m.readLingering(nil, maxLingering, new(look))
	slices.SortFunc(buf, func(a, b surveyed[K]) int { return a.left.Compare(b.left) })
	held := make([]Range[K], 0, min(len(buf), maxHeld))
	for _, x := range buf[:min(len(buf), maxHeld)] {
		held = append(held, x.r)
	}
	return held
}
