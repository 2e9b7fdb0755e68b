package inspect

import (
	"cmp"
	"context"
	"reflect"
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
	hot                    // so many that they count in several places
	exclusive              // the guard admits no other
	excluded               // a writer keeps readers out
	left                   // retired, but guards are still held
	numStates
)

var stateNames = [numStates]string{"free", "held", "hot", "exclusive", "excluded", "left"}

func (s state) String() string { return stateNames[s] }

func stateOf(s *rangelock.RangeState) state {
	switch {
	case s.Detached:
		return left
	case s.Excluded:
		return excluded
	case s.Exclusive:
		return exclusive
	case s.Hot:
		return hot
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
	a, b            uint64 // its places
	lo, hi          string // its bounds
	rawLo, rawHi    any    // numbers for JSON, or nil
	unbounded       bool
	state           state
	guards, waiting int
	writerWaits     bool
	left            time.Duration // how long ago it left the map
	value           string
	ordinal         int
	visible         bool // it is in view and has a place
	key             reflect.Value
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
	index   int
	name    string
	stats   rangelock.Stats
	rates   rates
	scale   scale
	whole   window
	view    window
	zoomed  bool
	counts  [numStates]int // ranges by state; left among them
	guards  int
	waiting int
	inView  int
	cells   []cell // of the view
	strip   []cell // of the whole
	rows    []row  // those in view if they are few
	busy    []row  // if not: those in view that are not free, as far as there is room
	gone    []row  // that have left and are still held, the oldest first
	took    time.Duration

	presenter presenter
	disorder  bool // the scale does not fit: the places are not in order, or all the same
}

// aggregated reports whether there is too much in view to list it.
func (p *picture) aggregated() bool { return p.inView > maxRows }

// survey walks over the map and returns what it sees, with the view that zoom asks for.
//
// It returns the failure of ended when ctx has ended, within stride ranges.
func survey(ctx context.Context, index int, name string, m Map, zoom zoom) (*picture, error) {
	start := time.Now()
	p := &picture{index: index, name: name, stats: m.Stats()}
	p.presenter, _ = m.(presenter)
	lo, hi, unbounded := m.Extent()
	if lo.IsValid() {
		p.scale = newScale(lo, hi)
		p.whole = newWindow(p.scale.at(lo), p.scale.at(hi))
		p.disorder = p.scale.at(hi) < p.scale.at(lo)
	} else {
		p.whole = window{0, 1}
	}
	if p.scale.kind != byOrder && !p.disorder {
		p.whole = withGone(m, p.scale, p.whole)
		if unbounded {
			// What has no end is drawn as far again as a tenth of the rest.
			p.whole = newWindow(p.whole.lo, p.whole.hi+min((p.whole.hi-p.whole.lo)/10+1, ^p.whole.hi))
		}
		if err := p.walk(ctx, m, zoom); err != nil || !p.disorder {
			p.took = time.Since(start)
			return p, err
		}
	}
	p.scale = scale{kind: byOrder}
	p.whole = newWindow(0, uint64(max(1, p.stats.Ranges)))
	err := p.walk(ctx, m, zoom)
	p.took = time.Since(start)
	return p, err
}

// withGone widens w by what has left the map and is still held.
func withGone(m Map, s scale, w window) window {
	for r := range m.Survey() {
		if !r.Detached {
			break
		}
		w.lo = min(w.lo, s.at(r.Lo))
		if !r.Unbounded {
			w.hi = max(w.hi, s.at(r.Hi))
		}
	}
	return w
}

// walk fills the picture by one survey.
func (p *picture) walk(ctx context.Context, m Map, zoom zoom) error {
	var err error
	if p.view, err = zoom.window(p.scale, p.whole); err != nil {
		return err
	}
	p.zoomed = p.view != p.whole
	p.counts, p.guards, p.waiting, p.inView = [numStates]int{}, 0, 0, 0
	p.rows, p.busy, p.gone = nil, nil, nil
	p.cells, p.strip = make([]cell, viewCells), make([]cell, mapCells)
	n, flat, end := 0, 0, uint64(0)
	walked := 0
	for r := range m.Survey() {
		if walked%stride == 0 && ctx.Err() != nil {
			return ended(ctx)
		}
		walked++
		st := stateOf(r)
		p.counts[st]++
		p.guards += r.Guards
		p.waiting += r.Waiting
		a, b := uint64(n), uint64(n)+1
		if p.scale.kind != byOrder {
			a, b = p.scale.at(r.Lo), p.whole.hi
			if !r.Unbounded {
				b = p.scale.at(r.Hi)
			}
		}
		if st == left {
			p.gone = append(p.gone, p.newRow(r, st, a, b, n))
			continue
		}
		n++
		if a == b {
			flat++
		}
		if b < a || a < end {
			if p.scale.kind == byFloat {
				b = max(a, b) // rounded
			} else {
				p.disorder = true
				return nil
			}
		}
		end = b
		fill(p.strip, p.whole, a, b, r, st)
		if b = max(b, a+1); a < p.view.hi && b > p.view.lo {
			p.inView++
			fill(p.cells, p.view, a, b, r, st)
			if p.inView <= maxRows {
				p.rows = append(p.rows, p.newRow(r, st, a, b, n-1))
			} else if p.inView == maxRows+1 {
				p.busy = slices.DeleteFunc(p.rows, func(x row) bool { return x.state == free })
				p.rows = nil
			}
			if p.inView > maxRows && st != free && len(p.busy) < maxRows {
				p.busy = append(p.busy, p.newRow(r, st, a, b, n-1))
			}
		}
	}
	// Strings that begin alike have all the same place.
	p.disorder = p.scale.kind == byBytes && flat > n/2
	slices.SortFunc(p.gone, func(x, y row) int {
		return cmp.Or(cmp.Compare(y.left, x.left), cmp.Compare(x.a, y.a))
	})
	if !p.disorder {
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

// finish adds to a row what is worth its while only now that it is known to be listed.
func (p *picture) finish(x *row) {
	x.visible = x.a < p.view.hi && x.b > p.view.lo && (p.scale.kind != byOrder || x.state != left)
	if x.key.IsValid() {
		x.value = p.presenter.valueText(x.key)
	}
}

// newRow writes a range down.
func (p *picture) newRow(r *rangelock.RangeState, st state, a, b uint64, ordinal int) row {
	x := row{
		a: a, b: b, unbounded: r.Unbounded, state: st, guards: r.Guards, waiting: r.Waiting, ordinal: ordinal,
		writerWaits: st == excluded && r.Guards > 0,
	}
	x.lo, x.rawLo = p.key(r.Lo)
	if r.Unbounded {
		x.hi = "∞"
	} else {
		x.hi, x.rawHi = p.key(r.Hi)
	}
	if st == left {
		x.left = time.Since(r.Left)
	} else if p.presenter != nil {
		x.key = reflect.New(r.Lo.Type()).Elem()
		x.key.Set(r.Lo) // the survey uses r again
	}
	return x
}

// key returns a bound as text, which is empty if it may not be shown, and as JSON has it.
func (p *picture) key(v reflect.Value) (text string, raw any) {
	if p.presenter != nil {
		if t, ok := p.presenter.keyText(v); ok {
			return t, t
		}
	}
	t, ok := plainKey(v)
	if !ok {
		return "", nil
	}
	return t, exact(v, t)
}

// fill enters a range into the cells that it reaches into; b may be a.
func fill(cells []cell, w window, a, b uint64, r *rangelock.RangeState, st state) {
	if a >= w.hi || a < w.lo && b <= w.lo {
		return
	}
	from, to := max(a, w.lo), min(max(b, a+1), w.hi)
	if to <= from {
		to = from + 1
	}
	n := len(cells)
	i, j := w.cell(from, n), w.cell(to-1, n)
	if a >= w.lo {
		c := &cells[i]
		c.ranges++
		c.guards += r.Guards
		c.waiting += r.Waiting
	}
	x, y := w.share(from)*float64(n), w.share(to)*float64(n)
	for ; i <= j; i++ {
		cells[i].touch[st]++
		cells[i].covered = min(1, cells[i].covered+max(0, min(y, float64(i+1))-max(x, float64(i))))
	}
}
