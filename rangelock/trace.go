package rangelock

import (
	"context"
	"log/slog"
	"time"
)

// Trace is a set of hooks that a map calls on its slow paths, in the manner of
// net/http/httptrace.ClientTrace: what waited, for what, for how long, and what was in the
// way. Each may be nil. Each gets one struct, so that fields can be added.
//
// A reader's fast path knows nothing of it, set or unset. A map with a WaitStart or a WaitDone
// also notes which transaction has the lock, and which calls have exclusive guards, and since
// when.
//
// A hook runs on the goroutine that it tells about, which may hold the map's
// semaphore: it must be quick, must not panic and must not use the map. It must not be changed
// after New, and may be called by several goroutines at once.
type Trace[K any] struct {
	// WaitStart is called before a call of the map waits, WaitDone when that wait is over:
	// both or neither. Calls that do not have to wait call neither.
	WaitStart func(WaitInfo[K])
	WaitDone  func(WaitInfo[K])

	// FellBack is called when a reader gives up the fast path and goes to the
	// semaphore, or into a range's line. It may find that it does not have to wait there.
	FellBack func(FellBackInfo[K])

	// Unlocked is called when a transaction has ended.
	Unlocked func(UnlockedInfo[K])

	// Retired is called when a range has been through OnRetire, or, without an
	// OnRetire, has been freed.
	Retired func(RetiredInfo[K])
}

// WaitInfo is the argument of Trace.WaitStart and Trace.WaitDone. It has a LogValue, so that
// one line logs it:
//
//	slog.WarnContext(w.Context, "waited", "wait", w)
type WaitInfo[K any] struct {
	// Context is that of the call, of the transaction for a call in one, and
	// context.Background() for calls that have none.
	Context context.Context

	// Op is the method that waits, without a Context at its end: "Acquire", "Lock",
	// "Remove". One-operation forms are those of their names, also while they wait for the lock;
	// the methods of a Reader have that before them: "Reader.Acquire". View is an "Acquire".
	Op string

	// For is what it waits for, and Exclusive says that it wants that for itself: the lock for
	// writing, or an exclusive guard.
	For       WaitFor
	Exclusive bool

	// Key is the key that the call was given, or nil.
	Key *K

	// Range is the range that it waits for, if For is ForGuards or ForTurn, and otherwise
	// the one that the call was given. It is the zero Range, which is no range, where there
	// is none, and where a range leaves the map just then.
	Range Range[K]

	// Since is when the wait began.
	Since time.Time

	// Holder is the method that was in the way when the wait began, and HolderSince when that
	// had come. If For is ForLock it is what began the transaction that has the lock, named as
	// in Op; it is empty if Readers have the lock. If For is ForTurn it is what has taken the
	// exclusive guard on Range, "AcquireExclusive" or "TryAcquireExclusive"; it is empty if
	// shared guards are in the way. (For a writer that has the range excluded a reader waits in
	// the queue of the lock.) Otherwise it is empty. Both are unknown, and zero, when the holder
	// has just come or is just leaving.
	Holder      string
	HolderSince time.Time

	// Guards is how many guards were on Range when the wait began, if For is ForGuards or
	// ForTurn, and Ahead how many stood in line for it before this call, if that is ForTurn.
	Guards int
	Ahead  int

	// Waited is how long the wait took, and Err nil, or the error of the call, whose
	// context has ended the wait. They are zero in WaitStart.
	Waited time.Duration
	Err    error
}

// FellBackInfo is the argument of Trace.FellBack. Its fields are as in [WaitInfo].
type FellBackInfo[K any] struct {
	Context context.Context
	Op      string
	Key     *K
	Reason  Reason
}

// UnlockedInfo is the argument of Trace.Unlocked.
type UnlockedInfo[K any] struct {
	Context context.Context // of the transaction
	Op      string          // what began it, as in WaitInfo
	Range   Range[K]        // that it was given; the zero Range for "Lock", "Do" and "Close"
	Held    time.Duration   // how long it had the semaphore for itself
}

// RetiredInfo is the argument of Trace.Retired. There is no context: no call is waiting for it.
type RetiredInfo[K any] struct {
	Range Range[K]
	Cost  int64 // in units of Options.Cost
}

// Reason says why a reader fell back from the fast path.
type Reason int

const (
	Busy Reason = iota // a writer has the range excluded, or it is somebody else's turn, or it has 2^28 guards
	Miss               // no range was found, but a writer was changing the set
	Gone               // the range that was found was leaving the map
)

// String returns the reason as one word.
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

// LogValue makes a group of w in a record of log/slog: op, for, exclusive, key, range, holder,
// heldFor, guards, ahead, waited and err, without those that are zero. heldFor is how long the
// holder had been there when the wait began.
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
