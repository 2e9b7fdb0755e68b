package rangelock

import (
	"fmt"
	"strings"
)

// RangeError is the error of an operation on a range. [errors.Is] finds its Err, and [errors.As]
// finds the RangeError with its bounds. Its text is made only when Error is called.
type RangeError[K any] struct {
	Op    string   // the operation, for example "Insert"
	Range Range[K] // the argument, or the range that the operation would change
	Other Range[K] // the range in its way, if there is one; else the zero Range
	Err   error    // ErrBadRange, ErrOverlap, ErrPartial, ErrFull, or the error of SplitValue

	how string // the verb of the sentence "Range how Other"

	cut bool // Err is of SplitValue, which was to cut Range at the key at
	at  K
}

// Error says what has failed and why.
func (e *RangeError[K]) Error() string {
	what := e.Op + " " + e.Range.String()
	if e.how != "" {
		what += " " + e.how + " " + e.Other.String()
	}
	if e.cut {
		what += ": SplitValue at " + keyText(e.at)
	}
	return because(e.Err, what)
}

// Unwrap returns Err.
func (e *RangeError[K]) Unwrap() error { return e.Err }

// KeyError is the error of an operation on a key. [errors.Is] finds its Err, and [errors.As]
// finds the KeyError with its key. Its text is made only when Error is called.
type KeyError[K any] struct {
	Op  string // the operation, for example "Update"
	Key K
	Err error // ErrNotFound, ErrBadRange or ErrStale

	why   string
	loads int // how many loads became stale
}

// Error says what has failed and why.
func (e *KeyError[K]) Error() string {
	what := e.Op + " " + keyText(e.Key)
	switch {
	case e.loads > 0:
		what += fmt.Sprintf(": in each of %d loads", e.loads)
	case e.why != "":
		what += ": " + e.why
	}
	return because(e.Err, what)
}

// Unwrap returns Err.
func (e *KeyError[K]) Unwrap() error { return e.Err }

// because joins an error and what it is about. An error of the user's comes last.
func because(err error, what string) string {
	if text := err.Error(); strings.HasPrefix(text, "rangelock: ") {
		return text + ": " + what
	}
	return fmt.Sprintf("rangelock: %s: %v", what, err)
}

// refuse returns err for r, as an error of the operation under way.
//
// Preconditions: the caller holds sem for writing. This holds for the next two functions.
func (m *Map[K, V]) refuse(err error, r Range[K]) error {
	return &RangeError[K]{Op: m.txn.op.name, Range: r, Err: err}
}

// inTheWay returns err for r and for other, which is in its way. how is the verb between the two.
func (m *Map[K, V]) inTheWay(err error, r Range[K], how string, other Range[K]) error {
	return &RangeError[K]{Op: m.txn.op.name, Range: r, Other: other, Err: err, how: how}
}

// notFound returns ErrNotFound for key.
func (m *Map[K, V]) notFound(key K) error {
	return &KeyError[K]{Op: m.txn.op.name, Key: key, Err: ErrNotFound}
}

// BacklogError is an [ErrBacklog] with its figures, in units of Options.Cost. A figure that is
// larger than an int64 can hold is the largest int64.
type BacklogError[K any] struct {
	Range      Range[K] // the range that the operation was to remove
	Cost       int64    // the cost of the ranges that it was to remove
	Pending    int64    // the cost of the ranges that were pending
	MaxPending int64    // the bound

	rangeless bool // of Map.Room, which has no range
}

// Error says what would not fit.
func (e *BacklogError[K]) Error() string {
	what := "that"
	if !e.rangeless {
		what = e.Range.String()
	}
	return fmt.Sprintf("%v: %s would add %d to the %d that are pending, more than MaxPending %d",
		ErrBacklog, what, e.Cost, e.Pending, e.MaxPending)
}

// Unwrap returns ErrBacklog.
func (e *BacklogError[K]) Unwrap() error { return ErrBacklog }

// loadError is the error of a range of Load that was not inserted.
type loadError struct {
	err error
	n   int // the index of the range, from 0
}

// Error says which range was not inserted, and why.
func (e *loadError) Error() string { return fmt.Sprintf("%v (range %d of Load)", e.err, e.n) }

// Unwrap returns the error of the insertion.
func (e *loadError) Unwrap() error { return e.err }

// loadedError is an ErrBadRange for a range that a load has returned.
type loadedError[K any] struct {
	of  RangeError[K]
	key K // the key that was to be loaded
}

// Error says which range the load has returned, and for which key.
func (e *loadedError[K]) Error() string { return e.of.Error() + " (load of " + keyText(e.key) + ")" }

// Unwrap returns the RangeError.
func (e *loadedError[K]) Unwrap() error { return &e.of }

// closedError is the error of a load that Close has ended.
type closedError struct{ load error }

// Error says that the map is closed, and what the load has returned.
func (e *closedError) Error() string { return fmt.Sprintf("%v (load: %v)", ErrClosed, e.load) }

// Unwrap returns ErrClosed and the error of the load.
func (e *closedError) Unwrap() []error { return []error{ErrClosed, e.load} }
