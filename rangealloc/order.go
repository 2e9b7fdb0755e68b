package rangealloc

import "github.com/spanlock/spanlock/rangelock"

// Integer is the constraint of keys: every integer kind, and every type that is based on one.
type Integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 |
		~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

// order turns keys of every kind into positions, and back. A position is a uint64, and positions
// are ordered as the keys are. For an unsigned kind the position is the key. For a signed kind it
// is the key with the top bit flipped, so that negative keys come first. The lower 63 bits are
// those of the key, so a key and its position are multiples of the same powers of two, as far as
// a key can be one.
//
// All arithmetic is done on positions, with the last key of a range instead of the first key
// after it, and with the number of keys less one. So the largest key, and a range of all 2^64
// keys, need no special case, and nothing wraps. On keys, the tempting lo+size <= hi is wrong at
// the top of every kind, and hi-lo is negative for more than half of a signed kind.
type order[K Integer] struct {
	bias uint64 // 1<<63 for signed kinds, else 0
	top  uint64 // the position of the largest key
}

// newOrder returns the order of K.
func newOrder[K Integer]() order[K] {
	if ^K(0) > 0 {
		return order[K]{top: uint64(^K(0))}
	}
	var largest K
	for next := K(1); next > largest; next = next<<1 | 1 {
		largest = next
	}
	o := order[K]{bias: 1 << 63}
	o.top = o.position(largest)
	return o
}

// position returns the position of a key.
func (o order[K]) position(k K) uint64 { return uint64(k) ^ o.bias }

// key returns the key at a position that has one.
func (o order[K]) key(p uint64) K { return K(p ^ o.bias) }

// stretch returns the keys of r, and reports whether r is valid.
func (o order[K]) stretch(r rangelock.Range[K]) (gap, bool) {
	if r.Unbounded {
		return gap{o.position(r.Lo), o.top}, true
	}
	if r.Lo >= r.Hi {
		return gap{}, false
	}
	return gap{o.position(r.Lo), o.position(r.Hi) - 1}, true
}

// rangeOf returns the range of the keys of s. A range that holds the largest key is unbounded,
// because no key above it can be its Hi.
func (o order[K]) rangeOf(s gap) rangelock.Range[K] {
	if s.last == o.top {
		return rangelock.From(o.key(s.lo))
	}
	return rangelock.Span(o.key(s.lo), o.key(s.last+1))
}
