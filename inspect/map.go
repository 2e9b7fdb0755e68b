package inspect

import (
	"fmt"
	"iter"

	"github.com/spanlock/spanlock/rangelock"
)

// Map is a map that can be shown. [Named] makes it; the zero Map is none. It may be copied,
// and given to any number of handlers.
type Map struct{ source }

// Source is what a Map is made of: a *rangelock.Map or a rangealloc.Map, whatever its keys
// and values are. The methods are those of [rangelock.Map].
type Source[K, V any] interface {
	Stats() rangelock.Stats
	Bounds() (first, last rangelock.Range[K], ok bool)
	Survey() iter.Seq2[rangelock.Range[K], rangelock.RangeState]
	TryAcquire(key K) (rangelock.Guard[K, V], error)
}

// Options says how a map is shown: how keys and values become text, and what is an alarm. The
// functions are called by several goroutines at once, for the few hundred ranges that are
// listed one by one and never for all of a large map. Whatever they return is escaped,
// shortened, and cleared of what is not printable; what they do when they panic is print the
// panic.
type Options[K, V any] struct {
	// Key returns the text of a bound; nil for the default, see [Handler]. It holds
	// nothing and may be called with the bound of a range that has left the map.
	Key func(key K) string

	// Value returns the text of a range's value; nil to show none. It is called under
	// a guard that was got by TryAcquire, so that the value is not retired meanwhile,
	// and a writer that excludes the range waits for it: it should be quick, must not
	// change what v refers to, and must not use the map but by TryAcquire.
	Value func(r rangelock.Range[K], v V) string

	// Alarms are the bounds of the map's alarms; the zero Alarms are the defaults.
	Alarms Alarms
}

// Named returns m as a Map with a name, which stands on the page, shown as o says, which may
// be nil. Without a name a handler calls it by its number. Named panics if m is
// nil, holds a nil map, or one that nobody has made.
func Named[K, V any](name string, m Source[K, V], o *Options[K, V]) Map {
	mustBeMap(name, m)
	n := &named[K, V]{of: m, label: clean(name)}
	if o != nil {
		n.options = *o
	}
	n.options.Alarms = n.options.Alarms.withDefaults()
	n.keys, n.read = keysOf[K]()
	return Map{n}
}

// mustBeMap panics if m cannot be used, here and not at the first request, far from the
// mistake. It asks m itself, which panics then.
func mustBeMap[K, V any](name string, m Source[K, V]) {
	defer func() {
		if x := recover(); x != nil {
			panic(fmt.Sprintf("inspect: Named %q with a nil map of type %T, or one that was not made: %v", name, m, x))
		}
	}()
	m.Bounds()
}

// source is a map of which the types of keys and values are forgotten.
type source interface {
	name() string
	stats() rangelock.Stats
	keyType() keyType
	alarms() Alarms // without zeros

	// extent returns where the first range in the map begins, and where the last one ends, or
	// begins if it has no end, and whether there is one. The two are not read at one instant.
	extent() (lo, hi key, unbounded, ok bool)

	// survey calls visit with each range until it returns false, with the same spot each time.
	survey(visit func(*spot) bool)

	// valueText returns the text of the value of the range that begins at lo, as spot.first
	// returned it, if there is a format for it and the range can be had.
	valueText(lo any) string
}

// spot is one range of a survey.
type spot struct {
	lo, hi    key // hi means nothing where unbounded
	unbounded bool
	rangelock.RangeState
	bounds
}

// bounds is what can be had of a spot's bounds beyond their place.
type bounds interface {
	// keyText returns the text of a bound, if there is a format for it.
	keyText(hi bool) (string, bool)
	// first returns the key that the range begins with, for source.valueText; nil if values
	// have no text.
	first() any
}

// named is a map with what its owner said of it.
type named[K, V any] struct {
	of      Source[K, V]
	label   string
	options Options[K, V]
	keys    keyType
	read    func(*K) key
}

func (n *named[K, V]) name() string           { return n.label }
func (n *named[K, V]) stats() rangelock.Stats { return n.of.Stats() }
func (n *named[K, V]) keyType() keyType       { return n.keys }
func (n *named[K, V]) alarms() Alarms         { return n.options.Alarms }

func (n *named[K, V]) extent() (lo, hi key, unbounded, ok bool) {
	first, last, ok := n.of.Bounds()
	if !ok {
		return lo, hi, false, false
	}
	end := &last.Hi
	if last.Unbounded {
		end = &last.Lo
	}
	return n.read(&first.Lo).kept(), n.read(end).kept(), last.Unbounded, true
}

// walk is a survey under way, and where it is.
type walk[K, V any] struct {
	n    *named[K, V]
	at   rangelock.Range[K]
	spot spot
}

func (n *named[K, V]) survey(visit func(*spot) bool) {
	w := &walk[K, V]{n: n}
	w.spot.bounds = w
	for r, s := range n.of.Survey() {
		w.at = r
		w.spot.RangeState, w.spot.unbounded = s, r.Unbounded
		w.spot.lo, w.spot.hi = n.read(&w.at.Lo), n.read(&w.at.Hi)
		if !visit(&w.spot) {
			return
		}
	}
}

func (w *walk[K, V]) keyText(hi bool) (string, bool) {
	if w.n.options.Key == nil {
		return "", false
	}
	bound := w.at.Lo
	if hi {
		bound = w.at.Hi
	}
	return protect(func() string { return w.n.options.Key(bound) }), true
}

func (w *walk[K, V]) first() any {
	if w.n.options.Value == nil {
		return nil
	}
	return w.at.Lo
}

func (n *named[K, V]) valueText(lo any) string {
	g, err := n.of.TryAcquire(lo.(K))
	if err != nil {
		return "" // a writer has it, or it has left
	}
	defer g.Release()
	return protect(func() string { return n.options.Value(g.Range(), g.Value()) })
}
