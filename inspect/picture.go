package inspect

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// state is the most important that is to be said of a range.
type state int

// The states, from the dull to the urgent.
const (
	free      state = iota // in the map, nobody is in it
	held                   // guards are held
	exclusive              // the guard admits no other
	excluded               // a writer keeps readers out
	left                   // retired, but guards are still held
	numStates
)

var stateNames = [numStates]string{"free", "held", "exclusive", "excluded", "left"}

// stateMeanings is for those who see the words for the first time.
var stateMeanings = [numStates]string{
	"nobody is in it",
	"guards are held",
	"the guard on it admits no other",
	"a writer keeps readers out",
	"retired but held: out of the map, and alive only for its guards",
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

	stride = 1024 // ranges from one look at the context to the next
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
	waitedFor       time.Duration // by the oldest of those that wait for it
	left            time.Duration // how long ago it left the map
	value           string
	ordinal         int
	visible         bool // it is in view and has a place
	key             any  // what the source finds its value by, or nil
}

// A cell is a part of the line with what lies in it, of all or of a part of it.
type cell struct {
	ranges  int // that begin in it
	guards  int // of those
	waiting int
	touch   [numStates]int // how many ranges reach into it, by state
	covered float64        // how much of it is covered, 0 to 1
}

// A picture is what one walk over a map has seen.
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
	rows       []row  // those in view if they are few
	busy       []row  // if not: those in view that are not free, as far as there is room
	gone       []row  // those in view that have left and are still held, the oldest first
	outside    int    // how many of these are not in view
	longest    row    // the one that has been waited for longest; waitedFor is zero if none is
	waitedLong int    // how many ranges have been waited for for longer than the bound of the alarm
	stale      row    // of those that have left, in view or not, the one that left first
	staleOnes  int    // how many of them have been held for longer than the bound of the alarm
	alarms     []alarm
	at         time.Time // when the walk began
	took       time.Duration

	source   source
	disorder string // why the layout does not fit: the places are not in order, or all the same
}

// aggregated reports whether there is too much in view to list it.
func (p *picture) aggregated() bool { return p.inView > maxRows }

// survey walks over the map and returns what it sees, with the view that zoom asks for.
//
// It returns the failure of ended when ctx has ended, within stride ranges.
func survey(ctx context.Context, index int, name string, m source, zoom zoom) (*picture, error) {
	p := &picture{at: time.Now(), index: index, name: name, stats: m.stats(), source: m}
	for i := range p.stats.Waits {
		p.stats.Waits[i].Range = "" // made of keys, which may not be shown; the walk finds the range
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
	// With a part for each place, where there are few, no part is covered that is not.
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
	// Strings that begin alike have all the same place.
	if p.disorder = ""; p.scale.kind == byBytes && at.flat > at.n/2 {
		p.disorder = alikeKeys
	}
	if n := len(p.gone); p.zoomed {
		// By order these have no place, and are in view with all of the map only.
		p.gone = slices.DeleteFunc(p.gone, func(x row) bool { return p.scale.kind == byOrder || !p.view.has(x.a, x.z) })
		p.outside = n - len(p.gone)
	}
	slices.SortFunc(p.gone, func(x, y row) int {
		return cmp.Or(cmp.Compare(y.left, x.left), cmp.Compare(x.a, y.a))
	})
	if p.disorder == "" {
		for _, rows := range [][]row{p.rows, p.busy, p.gone} {
			for i := range rows {
				if ctx.Err() != nil { // a format may take long
					return ended(ctx)
				}
				p.finish(&rows[i])
			}
		}
	}
	return nil
}

// progress is how far a walk is.
type progress struct {
	walked, n, flat int    // ranges visited, those of them in the map, and those that begin and end at one place
	end             uint64 // the place at which the last one in the map ends
	unordered       bool   // the places are not in order
}

// visit enters one range into the picture, and reports whether to go on.
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
	// A range that has come since whole was measured is at its edge, not nowhere.
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

// finish adds to a row what is worth its while only now that it is known to be listed.
func (p *picture) finish(x *row) {
	x.visible = p.view.has(x.a, x.z) && (p.scale.kind != byOrder || x.state != left)
	if x.key != nil {
		x.value = p.source.valueText(x.key)
	}
}

// newRow writes a range down.
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

// bound returns a bound of r, k, as text, which is empty if it may not be shown, and as JSON
// has it. hi says which of the two it is.
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

// fill enters a range from the place a to z into the cells that it reaches into.
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
