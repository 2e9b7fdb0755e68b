package rangelock

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// This file has the kinds of waits, and the error of a wait that its context has ended. How a
// reader waits is in wait.go, and the list of the waits under way in waitlist.go.

// WaitFor is what a call waits for.
type WaitFor int

const (
	ForLock   WaitFor = iota // the map's lock: a writer for its turn, a reader until no writer has the lock
	ForGuards                // the release of the guards on a range, in a writer that excludes it
	ForTurn                  // a turn in the queue of a range, for an exclusive guard or beside one
	ForLoad                  // a load of AcquireOrLoad
	ForRetire                // OnRetire for ranges that have left the map, in Drain, DrainRange and Close
	ForRoom                  // room under Options.MaxPending
)

var waitNames = [...]string{"the lock", "the guards", "a turn", "a load", "OnRetire", "room under MaxPending"}

// String returns what the call waits for in a few words, such as "the lock".
func (f WaitFor) String() string {
	if f < 0 || int(f) >= len(waitNames) {
		return "unknown"
	}
	return waitNames[f]
}

// maxHeld is the largest number of ranges in WaitError.Held.
const maxHeld = 16

// WaitError is the error of a call whose context has ended. It says what the call was
// waiting for. It wraps the context's error and its [context.Cause], so [errors.Is] finds both.
// Its text is made only when Error is called.
//
// Returned by: AcquireContext, Map.AcquireContext, Map.AcquireExclusiveContext,
// Map.AcquireNextContext, Map.AcquireOrLoad, Map.AcquirePrevContext, Map.Close, Map.Do, Map.Drain,
// Map.DrainRange, Map.GuardsContext, Map.Insert, Map.LockContext, Map.RLockContext, Map.Remove, Map.Retire, Map.Room,
// Map.Swap, Reader.AcquireContext, Writer.Exclude, Writer.Extract, Writer.Merge, Writer.Put,
// Writer.Remove, Writer.Replace, Writer.Resize, Writer.Split, Writer.Update.
type WaitError[K any] struct {
	For WaitFor // what the call was waiting for

	// Range is the range that the call was waiting for, if For is ForGuards or ForTurn, and
	// Guards is the number of guards on it when the wait ended. In an error of DrainRange,
	// Range is the argument of the call. Otherwise both are zero.
	Range  Range[K]
	Guards int

	// Held are ranges that have left the map and still have guards, at most 16, in the order in
	// which they left. If For is ForRetire or ForRoom, the call may have been waiting for them.
	Held []Range[K]

	// Waited is how long the wait took. It is zero if the context had ended before the call.
	Waited time.Duration

	ranged bool // the call was DrainRange
	ended  ended
}

// ended is why a context has ended.
type ended struct{ err, cause error }

// endedBy returns why ctx has ended.
func endedBy(ctx context.Context) ended { return ended{ctx.Err(), context.Cause(ctx)} }

// Error says what the call was waiting for, for how long, and why the wait has ended.
func (e *WaitError[K]) Error() string {
	var b strings.Builder
	b.WriteString("rangelock: gave up waiting for ")
	switch e.For {
	case ForGuards:
		fmt.Fprintf(&b, "%s on %v", guards(e.Guards), e.Range)
	case ForTurn:
		fmt.Fprintf(&b, "a turn at %v, which has %s", e.Range, guards(e.Guards))
	default:
		b.WriteString(e.For.String())
		if e.ranged {
			fmt.Fprintf(&b, " over %v", e.Range)
		}
	}
	if e.Waited > 0 {
		fmt.Fprintf(&b, " after %v", e.Waited.Round(time.Microsecond))
	}
	for i, r := range e.Held {
		if i == 0 {
			b.WriteString("; still held: ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(r.String())
	}
	if len(e.Held) == maxHeld {
		b.WriteString(" and perhaps more")
	}
	fmt.Fprintf(&b, ": %v", e.ended.err)
	if e.ended.cause != e.ended.err {
		fmt.Fprintf(&b, " (%v)", e.ended.cause)
	}
	return b.String()
}

// guards writes a number of guards in words.
func guards(n int) string {
	if n == 1 {
		return "1 guard"
	}
	return fmt.Sprintf("%d guards", n)
}

// Unwrap returns the context's error and the context's cause.
func (e *WaitError[K]) Unwrap() []error { return []error{e.ended.err, e.ended.cause} }

// notWaited returns the error of a call that would have to wait, but whose ctx has ended already.
func (m *Map[K, V]) notWaited(ctx context.Context, what WaitFor) error {
	return &WaitError[K]{For: what, ended: endedBy(ctx)}
}
