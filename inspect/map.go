package inspect

import (
	"fmt"
	"iter"

	"github.com/spanlock/spanlock/rangelock"
)

// A Map is a map that a [Handler] can show. Use [Named] to make one; the zero Map is not valid. A
// Map may be copied, and given to any number of handlers.
type Map struct{ source }

// A Source is a *rangelock.Map or a rangealloc.Map with any types of keys and values. The methods
// are those of [rangelock.Map].
type Source[K, V any] interface {
	Stats() rangelock.Stats
	Bounds() (first, last rangelock.Range[K], ok bool)
	Survey() iter.Seq2[rangelock.Range[K], rangelock.RangeState]
	TryAcquire(key K) (rangelock.Guard[K, V], error)
}

// Options are the settings of a [Map]: how keys and values become text, and what is an alarm.
// Several goroutines may call the functions at the same time. They are called for the few hundred
// ranges that are listed, and never for all ranges of a large map. Their results are escaped and
// shortened, and unprintable characters are replaced. If a function panics, the value of the
// panic is shown instead.
type Options[K, V any] struct {
	// Key returns the text of a bound. If it is nil, [Handler] describes what is shown. It is
	// called without a guard, possibly with the bound of a range that has left the map.
	Key func(key K) string

	// Value returns the text of a range's value. If it is nil, no value is shown. It is called
	// under a guard of TryAcquire, so that the value is not retired meanwhile. A writer that
	// excludes the range waits for it, so it should be quick. It must not change what v refers
	// to, and must use the map only by TryAcquire.
	Value func(r rangelock.Range[K], v V) string

	// Alarms are the bounds of the map's alarms. The zero Alarms are the defaults.
	Alarms Alarms
}

// Named returns m as a Map with a name for the page, shown as o says; o may be nil. If the name
// is empty, a handler names the map by its number. Named panics if m is nil, holds a nil map, or
// holds a map that was not made by its constructor.
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

// mustBeMap panics if m cannot be used: here, and not at the first request, far from the mistake.
// It calls a method of m, which panics then.
func mustBeMap[K, V any](name string, m Source[K, V]) {
	defer func() {
		if x := recover(); x != nil {
			panic(fmt.Sprintf("inspect: Named %q with a nil map of type %T, or one that was not made: %v", name, m, x))
		}
	}()
	m.Bounds()
}

// source is a map without the types of its keys and values.
type source interface {
	name() string
	stats() rangelock.Stats
	keyType() keyType
	alarms() Alarms // without zeros

	// extent returns the start of the first range in the map, and the end of the last one, or its
	// start if it is unbounded. ok reports whether there is a range. The two are not read at one
	// instant.
	extent() (lo, hi key, unbounded, ok bool)

	// survey calls visit with each range until it returns false. It passes the same spot each
	// time.
	survey(visit func(*spot) bool)

	// valueText returns the text of the value of the range that begins at lo, if there is a
	// format for it and TryAcquire succeeds. lo is a result of spot.first.
	valueText(lo any) string
}

// spot is one range of a survey.
type spot struct {
	lo, hi    key // hi is not valid if unbounded
	unbounded bool
	rangelock.RangeState
	bounds
}

// bounds gives access to a spot's bounds with their type.
type bounds interface {
	// keyText returns the text of a bound, if there is a format for it.
	keyText(hi bool) (string, bool)
	// first returns the first key of the range, for source.valueText, or nil if values have no
	// text.
	first() any
}

// named is a map with the arguments of Named.
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

// walk is a survey, and its current range.
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
		return "" // a writer excludes it, or it has left
	}
	defer g.Release()
	return protect(func() string { return n.options.Value(g.Range(), g.Value()) })
}
