package inspect

import (
	"fmt"
	"iter"
	"reflect"

	"github.com/spanlock/spanlock/rangelock"
)

// Map is a map that can be shown: a *rangelock.Map of any type, a rangealloc.Map, or
// what [Named] makes of them. Its methods are those of [rangelock.Map].
type Map interface {
	Stats() rangelock.Stats
	Extent() (lo, hi reflect.Value, unbounded bool)
	Survey() iter.Seq[*rangelock.RangeState]
}

// Source is a Map whose values can be shown, because it hands out guards.
type Source[K, V any] interface {
	Map
	TryAcquire(key K) (rangelock.Guard[K, V], error)
}

// Format says how keys and values become text. Both functions are called by several
// goroutines at once, for the few hundred ranges that are listed one by one and never
// for all of a large map. Whatever they return is escaped, shortened, and cleared of
// what is not printable; what they do when they panic is print the panic.
type Format[K, V any] struct {
	// Key returns the text of a bound; nil for the default, see [Handler]. It holds
	// nothing and may be called with the bound of a range that has left the map.
	Key func(key K) string

	// Value returns the text of a range's value; nil to show none. It is called under
	// a guard that was got by TryAcquire, so that the value is not retired meanwhile,
	// and a writer that excludes the range waits for it: it should be quick, must not
	// change what v refers to, and must not use the map but by TryAcquire.
	Value func(r rangelock.Range[K], v V) string
}

// Named returns m with a name, which stands on the page, and with the formats of f,
// which may be nil. It panics if m is nil, or holds a nil map.
func Named[K, V any](name string, m Source[K, V], f *Format[K, V]) Map {
	if isNil(m) {
		panic(fmt.Sprintf("inspect: Named %q with a nil map of type %T", name, m))
	}
	n := &named[K, V]{Source: m, label: clean(name)}
	if f != nil {
		n.format = *f
	}
	return n
}

// isNil reports whether there is no map in m: m is nil, or a nil pointer, or a struct of
// nothing but a nil pointer, as the zero rangealloc.Map is. Each would panic at the first
// request, far from the mistake.
func isNil(m Map) bool {
	if m == nil {
		return true
	}
	v := reflect.ValueOf(m)
	if v.Kind() == reflect.Struct && v.NumField() == 1 {
		v = v.Field(0)
	}
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// named is a map with what its owner said of it.
type named[K, V any] struct {
	Source[K, V]
	label  string
	format Format[K, V]
}

// presenter is what only a named map can do.
type presenter interface {
	name() string
	// keyText returns the text of a bound, if there is a format for it.
	keyText(key reflect.Value) (string, bool)
	// valueText returns the text of the value of the range that begins at lo, if there
	// is a format for it and the range can be had.
	valueText(lo reflect.Value) string
}

func (n *named[K, V]) name() string { return n.label }

func (n *named[K, V]) keyText(key reflect.Value) (string, bool) {
	if n.format.Key == nil {
		return "", false
	}
	return protect(func() string { return n.format.Key(key.Interface().(K)) }), true
}

func (n *named[K, V]) valueText(lo reflect.Value) string {
	if n.format.Value == nil {
		return ""
	}
	g, err := n.TryAcquire(lo.Interface().(K))
	if err != nil {
		return "" // a writer has it, or it has left
	}
	defer g.Release()
	return protect(func() string { return n.format.Value(g.Range(), g.Value()) })
}
