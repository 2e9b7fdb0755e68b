package rangelock

import (
	"context"
	"log/slog"
	"time"
)

// Trace is a set of hooks that a map calls on its slow paths, like
// [net/http/httptrace.ClientTrace]. They tell what has waited, for what, for how long, and what
// was in the way. Any hook may be nil. Each hook is called with one struct, so that fields can be
// added later.
//
// A Trace costs nothing on a reader's fast path. A map with a WaitStart or a WaitDone hook also
// records which transaction holds the lock, which calls hold exclusive guards, and since when.
//
// A hook runs on the goroutine that it reports on. That goroutine may hold the map's lock, so a
// hook must be quick, must not panic and must not use the map. Hooks may be called by several
// goroutines at once. A Trace must not be changed after the map was made.
type Trace[K any] struct {
	// WaitStart is called when a call of the map is about to wait, and WaitDone when that wait
	// is over. A call that does not have to wait calls neither.
	WaitStart func(WaitInfo[K])
	WaitDone  func(WaitInfo[K])

	// FellBack is called when a reader gives up the fast path and turns to the map's lock or
	// to the queue of a range. It may find there that it does not have to wait.
	FellBack func(FellBackInfo[K])

	// Unlocked is called when a transaction has ended.
	Unlocked func(UnlockedInfo[K])

	// Retired is called when OnRetire has returned for a range, or when a range is freed in a
	// map without an OnRetire.
	Retired func(RetiredInfo[K])
}

// WaitInfo is the argument of the hooks WaitStart and WaitDone of a [Trace]. It has a LogValue
// method, so it can be logged in one line:
//
//	slog.WarnContext(w.Context, "waited", "wait", w)
type WaitInfo[K any] struct {
	// Context is the context of the call. For a call in a transaction it is the context of the
	// transaction. For a call without a context it is context.Background().
	Context context.Context

	// Op is the method that waits, without the suffix Context: "Acquire", "Lock", "Remove". A
	// one-operation form has its own name, also while it waits for the lock. A method of a
	// Reader has the prefix Reader: "Reader.Acquire". For View it is "Acquire".
	Op string

	// For is what the call waits for. Exclusive reports whether the call wants it exclusively:
	// the lock for writing, or an exclusive guard.
	For       WaitFor
	Exclusive bool

	// Key is the key that the call was given, or nil if it was given none.
	Key *K

	// Range is the range that the call waits for, if For is ForGuards or ForTurn. Otherwise it
	// is the range that the call was given. It is the zero Range, which contains no key, if
	// there is none, or if the range is just leaving the map.
	Range Range[K]

	// Since is when the wait began.
	Since time.Time

	// Holder is the method that was in the way when the wait began, and HolderSince is when it
	// got what this call waits for.
	//
	// If For is ForLock, Holder is the method that began the transaction under way, named as
	// in Op; it is empty if Readers hold the lock. If For is ForTurn, Holder is the method that
	// took the exclusive guard on Range, "AcquireExclusive" or "TryAcquireExclusive"; it is
	// empty if shared guards are in the way. (A reader of a range that a writer has excluded
	// waits for the lock.) For all other values of For it is empty. Both fields may also be
	// zero because the holder has just come, or is about to leave.
	Holder      string
	HolderSince time.Time

	// Guards is the number of guards on Range when the wait began, if For is ForGuards or
	// ForTurn. Ahead is the number of waiters that were before this call in the queue of Range,
	// if For is ForTurn.
	Guards int
	Ahead  int

	// Waited is how long the wait took. Err is the error of the call if its context has ended
	// the wait, and otherwise nil. Both are zero in WaitStart.
	Waited time.Duration
	Err    error
}

// FellBackInfo is the argument of the hook FellBack of a [Trace]. The fields are as in [WaitInfo].
type FellBackInfo[K any] struct {
	Context context.Context
	Op      string
	Key     *K
	Reason  Reason
}

// UnlockedInfo is the argument of the hook Unlocked of a [Trace].
type UnlockedInfo[K any] struct {
	Context context.Context // context of the transaction
	Op      string          // method that began the transaction, named as in WaitInfo.Op
	Range   Range[K]        // range that Op was given; the zero Range for "Lock", "TryLock", "Do" and "Close"
	Held    time.Duration   // how long the transaction held the map's lock
}

// RetiredInfo is the argument of the hook Retired of a [Trace]. It has no context, because no
// call waits for a range to be retired.
type RetiredInfo[K any] struct {
	Range Range[K]
	Cost  int64 // in units of Options.Cost
}

// Reason is why a reader fell back from the fast path.
type Reason int

const (
	Busy Reason = iota // a writer has excluded the range, or it has an exclusive guard or a queue, or 2^28 guards
	Miss               // no range was found, but a writer was changing the set of ranges
	Gone               // the range that was found was leaving the map
)

// String returns the reason in lower case: "busy", "miss" or "gone".
func (r Reason) String() string {
	switch r {
	case Busy:
		return "busy"
	case Miss:
		return "miss"
	case Gone:
		return "gone"
	}
	return "unknown"
}

// LogValue returns w as a group for package log/slog. Its attributes are op, for, key, range,
// holder, exclusive, heldFor, guards, ahead, waited and err; those that are zero are left out,
// except op and for. heldFor is how long the holder had been there when the wait began.
func (w WaitInfo[K]) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("op", w.Op), slog.String("for", w.For.String())}
	if w.Key != nil {
		attrs = append(attrs, slog.Any("key", *w.Key))
	}
	if r, none := w.Range.String(), (Range[K]{}).String(); r != none {
		attrs = append(attrs, slog.String("range", r))
	}
	if w.Holder != "" {
		attrs = append(attrs, slog.String("holder", w.Holder))
	}
	var held time.Duration
	if !w.HolderSince.IsZero() {
		held = w.Since.Sub(w.HolderSince)
	}
	attrs = append(attrs, nonZero(
		slog.Bool("exclusive", w.Exclusive),
		slog.Duration("heldFor", held),
		slog.Int("guards", w.Guards),
		slog.Int("ahead", w.Ahead),
		slog.Duration("waited", w.Waited),
	)...)
	if w.Err != nil {
		attrs = append(attrs, slog.Any("err", w.Err))
	}
	return slog.GroupValue(attrs...)
}
