package rangelock

import (
	"fmt"
	"strings"
)

// RangeError is what an operation refuses of a range, or of a range that is in its way.
// [errors.Is] finds its Err, and [errors.As] the RangeError with its bounds. Its text is made
// when it is asked for.
type RangeError[K any] struct {
	Op    string   // the operation, as "Insert"
	Range Range[K] // what it was asked for, or what it would change
	Other Range[K] // the range in its way, if there is one; else the zero Range
	Err   error    // ErrBadRange, ErrOverlap, ErrPartial, ErrFull, or what SplitValue has returned

	how string // what Range would do to Other
}

// Error says what was refused and why.
func (e *RangeError[K]) Error() string {
	what := e.Op + " " + e.Range.String()
	if e.how != "" {
		what += " " + e.how + " " + e.Other.String()
	}
	return because(e.Err, what)
}

// Unwrap returns Err.
func (e *RangeError[K]) Unwrap() error { return e.Err }

// KeyError is what an operation refuses of a key. [errors.Is] finds its Err, and [errors.As]
// the KeyError with its key. Its text is made when it is asked for.
type KeyError[K any] struct {
	Op  string // the operation, as "Update"
	Key K
	Err error // ErrNotFound, ErrBadRange or ErrStale

	why   string
	loads int // how many loads became stale
}

// Error says what was refused and why.
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

// because joins an error and what it was found of. An error of the user's comes last.
func because(err error, what string) string {
	if text := err.Error(); strings.HasPrefix(text, "rangelock: ") {
		return text + ": " + what
	}
	return fmt.Sprintf("rangelock: %s: %v", what, err)
}

// refuse returns err for r, as the operation under way has it.
//
// Preconditions: the caller holds sem for writing; so for the next two.
func (m *Map[K, V]) refuse(err error, r Range[K]) error {
	return &RangeError[K]{Op: m.txn.op.name, Range: r, Err: err}
}

// inTheWay returns err for r, which would do something to other.
func (m *Map[K, V]) inTheWay(err error, r Range[K], how string, other Range[K]) error {
	return &RangeError[K]{Op: m.txn.op.name, Range: r, Other: other, Err: err, how: how}
}

// notFound returns ErrNotFound for key.
func (m *Map[K, V]) notFound(key K) error {
	return &KeyError[K]{Op: m.txn.op.name, Key: key, Err: ErrNotFound}
}

// BacklogError is an [ErrBacklog] with its figures, in units of Options.Cost. A figure
// that is larger than an int64 is the largest int64.
type BacklogError[K any] struct {
	Range      Range[K] // what was to leave the map
	Cost       int64    // of what was to leave
	Pending    int64    // cost of what had left and was still pending
	MaxPending int64    // the bound

	rangeless bool // it was asked for room alone
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

// loadError is the error of the range of a Load that was not inserted.
type loadError struct {
	err error
	n   int // the number of the range, from 0
}

// Error says which range it was.
func (e *loadError) Error() string { return fmt.Sprintf("%v (range %d of Load)", e.err, e.n) }

// Unwrap returns why it was not inserted.
func (e *loadError) Unwrap() error { return e.err }

// loadedError is an ErrBadRange of what a load has returned.
type loadedError[K any] struct {
	of  RangeError[K]
	key K // that was to be loaded
}

// Error says what was loaded, and what it should have been.
func (e *loadedError[K]) Error() string { return e.of.Error() + " (load of " + keyText(e.key) + ")" }

// Unwrap returns the RangeError.
func (e *loadedError[K]) Unwrap() error { return &e.of }

// closedError is an ErrClosed that has ended a load.
type closedError struct{ load error }

// Error says what the load has returned then.
func (e *closedError) Error() string { return fmt.Sprintf("%v (load: %v)", ErrClosed, e.load) }

// Unwrap returns ErrClosed and the error of the load.
func (e *closedError) Unwrap() []error { return []error{ErrClosed, e.load} }
