package inspect

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A layout maps the keys of a map to places.
type layout struct {
	scale scale
	whole window // includes the place of every range

	// The text of the end of whole, in a query and for people. It is not always the scale's text
	// of the place after whole: a map without an end has none, and the last key can lie within
	// its place.
	end, endLabel string
}

// noEnd is the text of the end of an unbounded range, and of a map that has one.
const noEnd = "∞"

// orderLayout returns the layout of n ranges by their order.
func orderLayout(n int, why string) layout {
	l := layout{scale: scale{kind: byOrder, why: why}}
	l.whole.last = uint64(max(1, n)) - 1
	l.end = l.scale.after(l.whole.last)
	l.endLabel = "#" + l.end
	return l
}

// newLayout returns a layout by the keys of m and of the ranges that have left it, or by order if
// the keys cannot be used.
func newLayout(m source, ranges int) layout {
	keys := m.keyType()
	lo, hi, unbounded, some := m.extent()
	ordered := true
	m.survey(func(s *spot) bool {
		if !s.Detached {
			return false
		}
		unbounded = unbounded || s.unbounded
		last := s.hi
		if s.unbounded {
			last = s.lo
		}
		ordered = ordered && keys.compare(s.lo, last) <= 0
		if !some || keys.compare(s.lo, lo) < 0 {
			lo = s.lo.kept()
		}
		if !some || keys.compare(last, hi) > 0 {
			hi = last.kept()
		}
		some = true
		return true
	})
	if !some {
		return orderLayout(ranges, "")
	}
	l := layout{scale: newScale(keys, lo, hi)}
	if l.scale.kind == byOrder {
		return orderLayout(ranges, l.scale.why)
	}
	if !ordered || keys.compare(lo, hi) > 0 {
		return orderLayout(ranges, unorderedKeys)
	}
	first, b := l.scale.at(lo), l.scale.at(hi)
	if unbounded { // an unbounded range is drawn a tenth as long as the rest
		l.whole = window{first, b + min((b-first)/10, l.scale.top-b)}
		l.end, l.endLabel = noEnd, noEnd
		return l
	}
	l.whole = window{first, l.scale.below(first, b, hi)}
	l.end, l.endLabel = l.scale.after(l.whole.last), l.scale.label(b)
	if l.scale.kind == byFloat {
		l.end, l.endLabel = strconv.FormatFloat(hi.float(), 'g', -1, 64), strconv.FormatFloat(hi.float(), 'g', 6, 64)
	}
	return l
}

// Why ranges are laid out by order although their keys have places.
const (
	unorderedKeys = "the map does not order its keys by value"
	alikeKeys     = "most of these keys begin alike"
)

// from and to return the ends of w for a query, and fromLabel and toLabel for people. The place
// of to is not in w.
func (l *layout) from(w window) string      { return l.scale.text(w.lo) }
func (l *layout) fromLabel(w window) string { return l.scale.label(w.lo) }

func (l *layout) to(w window) string {
	if w.last == l.whole.last {
		return l.end
	}
	return l.scale.after(w.last)
}

func (l *layout) toLabel(w window) string {
	if w.last == l.whole.last {
		return l.endLabel
	}
	return l.scale.label(w.last + 1)
}

// around returns the places from a to z with a margin, wide enough that the places stay inside
// after a query has rounded the ends.
func (l *layout) around(a, z uint64) window {
	w := window{l.whole.clamp(a), l.whole.clamp(z)}.cut(-0.1, 1.1, l.whole)
	n := l.scale.rounding()
	w.lo -= min(n, w.lo-l.whole.lo)
	w.last += min(n, l.whole.last-w.last)
	return w
}

// zoom is the part of a map that a request asks for: from and to are places as the layout writes
// them, and cut is a part of what is between them.
type zoom struct{ from, to, cut string }

// window returns that part of the layout. A bound outside of the layout is moved inside.
func (z zoom) window(l *layout) (window, error) {
	v := l.whole
	if z.from != "" {
		p, _, err := l.parse("from", z.from)
		if err != nil {
			return v, err
		}
		v.lo = l.whole.clamp(p)
	}
	if z.to != "" && z.to != noEnd {
		p, beyond, err := l.parse("to", z.to)
		if err != nil {
			return v, err
		}
		if !beyond {
			p -= min(p, 1)
		}
		v.last = l.whole.clamp(p)
	}
	v.last = max(v.lo, v.last)
	if z.cut == "" {
		return v, nil
	}
	a, b, ok := strings.Cut(z.cut, ",")
	x, err1 := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	if !ok || err1 != nil || err2 != nil || !(x < y) || math.Abs(x) > 1e6 || math.Abs(y) > 1e6 {
		return v, fmt.Errorf("cut=%q: want two numbers a,b with a < b; 0,1 is the whole view", clean(z.cut))
	}
	return v.cut(x, y, l.whole), nil
}

func (l *layout) parse(name, text string) (p uint64, beyond bool, err error) {
	if p, beyond, err = l.scale.parse(text); err != nil {
		err = fmt.Errorf("%s=%q is not a %s of this map: %w", name, clean(text), map[bool]string{true: "number", false: "key"}[l.scale.kind == byOrder], err)
	}
	return p, beyond, err
}
