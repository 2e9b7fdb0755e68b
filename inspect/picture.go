package inspect

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// state is the most important fact about a range.
type state int

// The states, from the least to the most urgent.
const (
	free      state = iota // in the map, without guards
	held                   // guards are held
	exclusive              // an exclusive guard is held
	excluded               // a writer keeps readers out
	left                   // retired, but guards are still held
	numStates
)

var stateNames = [numStates]string{"free", "held", "exclusive", "excluded", "left"}

// stateMeanings explains the states to a new user.
var stateMeanings = [numStates]string{
	"no guard is held",
	"guards are held",
	"an exclusive guard is held",
	"a writer keeps readers out",
	"retired: out of the map, but guards are still held",
}

func (s state) String() string { return stateNames[s] }

func stateOf(s *spot) state {
	switch {
	case s.Detached:
		return left
	case s.Excluded:
		return excluded
	case s.Exclusive:
		return exclusive
	case s.Guards > 0:
		return held
	}
	return free
}

const (
	maxRows   = 256 // ranges that are listed one by one
	viewCells = 240 // parts of the view when it has more
	mapCells  = 120 // parts of the whole map

	stride = 1024 // ranges between two checks of the context
)

// A row is a range that is listed.
type row struct {
	a, z            uint64 // its first place and its last
	lo, hi          string // its bounds
	rawLo, rawHi    any    // numbers for JSON, or nil
	unbounded       bool
	state           state
	guards, waiting int
	announced       int // of the guards
	writerWaits     bool
	waitedFor       time.Duration // the age of the oldest wait for it
	left            time.Duration // how long ago it left the map
	value           string
	ordinal         int
	visible         bool // it is in view and has a place
	key             any  // the argument of source.valueText, or nil
}

// A cell is a part of the line with the ranges in it.
type cell struct {
	ranges  int // that begin in the cell
	guards  int // of those
	waiting int
	touch   [numStates]int // how many ranges overlap it, by state
	covered float64        // how much of it is covered, 0 to 1
}

// A picture is the result of one walk over a map.
type picture struct {
	layout
	index      int
	name       string
	stats      rangelock.Stats
	rates      rates
	view       window
	zoomed     bool
	counts     [numStates]int // ranges by state; left among them
	guards     int
	announced  int // of the guards
	waiting    int
	inView     int
	cells      []cell // of the view
	strip      []cell // of the whole
	rows       []row  // the ranges in view if they are few
	busy       []row  // otherwise the ranges in view that are not free, up to maxRows
	gone       []row  // the ranges in view that have left and are still held, the oldest first
	outside    int    // how many ranges that have left are not in view
	longest    row    // the range with the oldest wait; waitedFor is zero if there is none
	waitedLong int    // how many ranges have waits longer than the bound of the alarm
	stale      row    // of the ranges that have left, in view or not, the one that left first
	staleOnes  int    // how many of them are held for longer than the bound of the alarm
	alarms     []alarm
	at         time.Time // when the walk began
	took       time.Duration

	source   source
	disorder string // why the layout cannot be used: the places are not in order, or all the same
}

// aggregated reports whether there are too many ranges in view to list them.
func (p *picture) aggregated() bool { return p.inView > maxRows }

// survey walks over the map and returns a picture of the view that zoom asks for.
//
// It returns the failure of ended if ctx has ended, within stride ranges.
func survey(ctx context.Context, index int, name string, m source, zoom zoom) (*picture, error) {
	p := &picture{at: time.Now(), index: index, name: name, stats: m.stats(), source: m}
	for i := range p.stats.Waits {
		p.stats.Waits[i].Range = "" // keys may not be shown; the walk finds the range
	}
	p.layout = newLayout(m, p.stats.Ranges)
	err := p.walk(ctx, zoom)
	if err == nil && p.disorder != "" {
		p.layout = orderLayout(p.stats.Ranges, p.disorder)
		err = p.walk(ctx, zoom)
	}
	p.took = time.Since(p.at)
	return p, err
}

// walk fills the picture by one survey.
func (p *picture) walk(ctx context.Context, zoom zoom) error {
	var err error
	if p.view, err = zoom.window(&p.layout); err != nil {
		return err
	}
	p.zoomed = p.view != p.whole
	p.counts, p.guards, p.announced, p.waiting, p.inView = [numStates]int{}, 0, 0, 0, 0
	p.rows, p.busy, p.gone, p.outside, p.longest = nil, nil, nil, 0, row{}
	p.waitedLong, p.stale, p.staleOnes = 0, row{}, 0
	// If there are few places, each has its own part, so that no part is drawn covered that is
	// not.
	p.cells, p.strip = make([]cell, p.view.parts(viewCells)), make([]cell, p.whole.parts(mapCells))
	var at progress
	var gone error
	p.source.survey(func(r *spot) bool {
		if at.walked%stride == 0 && ctx.Err() != nil {
			gone = ended(ctx)
			return false
		}
		at.walked++
		return p.visit(r, &at)
	})
	if gone != nil {
		return gone
	}
	if at.unordered {
		p.disorder = unorderedKeys
		return nil
	}
	// Strings that begin alike all have the same place.
	if p.disorder = ""; p.scale.kind == byBytes && at.flat > at.n/2 {
		p.disorder = alikeKeys
	}
	if n := len(p.gone); p.zoomed {
		// By order, ranges that have left have no place, and are in view only with the whole map.
		p.gone = slices.DeleteFunc(p.gone, func(x row) bool { return p.scale.kind == byOrder || !p.view.has(x.a, x.z) })
		p.outside = n - len(p.gone)
	}
	slices.SortFunc(p.gone, func(x, y row) int {
		return cmp.Or(cmp.Compare(y.left, x.left), cmp.Compare(x.a, y.a))
	})
	if p.disorder == "" {
		for _, rows := range [][]row{p.rows, p.busy, p.gone} {
			for i := range rows {
				if ctx.Err() != nil { // a format may be slow
					return ended(ctx)
				}
				p.finish(&rows[i])
			}
		}
	}
	return nil
}

// progress is the progress of a walk.
type progress struct {
	walked, n, flat int    // ranges visited, those of them in the map, and those of these that begin and end at one place
	end             uint64 // the place at which the last one in the map ends
	unordered       bool   // the places are not in order
}

// visit adds one range to the picture, and reports whether to go on.
func (p *picture) visit(r *spot, at *progress) bool {
	st := stateOf(r)
	p.counts[st]++
	p.guards += r.Guards
	p.announced += r.Announced
	p.waiting += r.Waiting
	n := at.n
	a, b, z := uint64(n), uint64(n)+1, uint64(n)
	if p.scale.kind != byOrder {
		a, b, z = p.scale.at(r.lo), math.MaxUint64, p.whole.last
		if !r.unbounded {
			b = p.scale.at(r.hi)
			z = p.scale.below(a, b, r.hi)
		}
	}
	unordered := b < a || a < at.end
	// A range that was inserted after whole was measured is shown at its edge.
	x := p.whole.clamp(a)
	z = p.whole.clamp(max(x, z))
	if st == left {
		gone := p.newRow(r, st, x, z, n)
		if p.gone = append(p.gone, gone); gone.left > p.stale.left {
			p.stale = gone
		}
		if over(gone.left, p.source.alarms().Left) {
			p.staleOnes++
		}
		return true
	}
	if !r.Since.IsZero() {
		waited := time.Since(r.Since)
		if waited > p.longest.waitedFor {
			p.longest = p.newRow(r, st, x, z, n)
		}
		if over(waited, p.source.alarms().Wait) {
			p.waitedLong++
		}
	}
	if at.n++; unordered {
		at.unordered = true
		return false
	}
	if at.end = b; a == b {
		at.flat++
	}
	fill(p.strip, p.whole, x, z, r, st)
	if !p.view.has(x, z) {
		return true
	}
	p.inView++
	fill(p.cells, p.view, x, z, r, st)
	if p.inView <= maxRows {
		p.rows = append(p.rows, p.newRow(r, st, x, z, n))
	} else if p.inView == maxRows+1 {
		p.busy = slices.DeleteFunc(p.rows, func(x row) bool { return x.state == free })
		p.rows = nil
	}
	if p.inView > maxRows && st != free && len(p.busy) < maxRows {
		p.busy = append(p.busy, p.newRow(r, st, x, z, n))
	}
	return true
}

// finish completes a row that will be listed.
func (p *picture) finish(x *row) {
	x.visible = p.view.has(x.a, x.z) && (p.scale.kind != byOrder || x.state != left)
	if x.key != nil {
		x.value = p.source.valueText(x.key)
	}
}

// newRow returns the row of a range.
func (p *picture) newRow(r *spot, st state, a, z uint64, ordinal int) row {
	x := row{
		a: a, z: z, unbounded: r.unbounded, state: st, guards: r.Guards, announced: r.Announced, waiting: r.Waiting, ordinal: ordinal,
		writerWaits: st == excluded && r.Guards > 0,
	}
	if !r.Since.IsZero() {
		x.waitedFor = time.Since(r.Since)
	}
	x.lo, x.rawLo = p.bound(r, r.lo, false)
	if r.unbounded {
		x.hi = noEnd
	} else {
		x.hi, x.rawHi = p.bound(r, r.hi, true)
	}
	if st == left {
		x.left = time.Since(r.Left)
	} else {
		x.key = r.first()
	}
	return x
}

// bound returns the bound k of r as text, which is empty if it may not be shown, and for JSON. hi
// says whether it is the upper bound.
func (p *picture) bound(r *spot, k key, hi bool) (text string, raw any) {
	if t, ok := r.keyText(hi); ok {
		return t, t
	}
	keys := p.source.keyType()
	t, ok := keys.plain(k)
	if !ok {
		return "", nil
	}
	return t, keys.exact(k, t)
}

// fill adds a range from the place a to z to the cells that it overlaps.
func fill(cells []cell, w window, a, z uint64, r *spot, st state) {
	if !w.has(a, z) {
		return
	}
	n := len(cells)
	i, j := w.cells(w.clamp(a), w.clamp(z), n)
	if a >= w.lo {
		c := &cells[i]
		c.ranges++
		c.guards += r.Guards
		c.waiting += r.Waiting
	}
	x, y := w.span(a, z)
	x, y = x*float64(n), y*float64(n)
	for ; i <= j; i++ {
		cells[i].touch[st]++
		cells[i].covered = min(1, cells[i].covered+max(0, min(y, float64(i+1))-max(x, float64(i))))
	}
}
