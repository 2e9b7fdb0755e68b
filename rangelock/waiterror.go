package rangelock

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// WaitFor says what a call waits for.
type WaitFor int

const (
	ForLock   WaitFor = iota // its turn as a writer, or for writers to be gone
	ForGuards                // the guards on a range that a writer excludes
	ForTurn                  // its turn at a range with an exclusive guard, or for one
	ForLoad                  // a load of AcquireOrLoad
	ForRetire                // OnRetire for what has left the map, in Drain, DrainRange and Close
	ForRoom                  // room under Options.MaxPending
)

var waitNames = [...]string{"the lock", "the guards", "a turn", "a load", "OnRetire", "room under MaxPending"}

// String returns what is waited for in a few words.
func (f WaitFor) String() string {
	if f < 0 || int(f) >= len(waitNames) {
		return "unknown"
	}
	return waitNames[f]
}

// maxHeld is how many ranges a WaitError names.
const maxHeld = 16

// WaitError is the error of a call whose context has ended. It says what the call was
// waiting for, and wraps the context's error and its [context.Cause]: errors.Is finds
// both. Its text is made when it is asked for.
//
// Returned by: AcquireContext, Map.AcquireContext, Map.AcquireExclusiveContext,
// Map.AcquireNextContext, Map.AcquireOrLoad, Map.AcquirePrevContext, Map.Close, Map.Do, Map.Drain,
// Map.DrainRange, Map.GuardsContext, Map.Insert, Map.LockContext, Map.RLockContext, Map.Remove, Map.Retire, Map.Room,
// Map.Swap, Reader.AcquireContext, Writer.Exclude, Writer.Extract, Writer.Merge, Writer.Put,
// Writer.Remove, Writer.Replace, Writer.Resize, Writer.Split, Writer.Update.
type WaitError[K any] struct {
	For WaitFor

	// Range is the range that was waited for, for ForGuards and ForTurn, and Guards how
	// many guards were held on it when the wait ended. For DrainRange it is that whose keys
	// were asked for. They are zero otherwise.
	Range  Range[K]
	Guards int

	// Held is ranges that have left the map and still have guards, those that left first
	// come first, 16 at most: what ForRetire and ForRoom may have been waiting for.
	Held []Range[K]

	// Waited is how long the wait took. It is zero if the context had ended before.
	Waited time.Duration

	ranged bool // of DrainRange
	ended  ended
}

// ended is why a context has ended.
type ended struct{ err, cause error }

// endedBy returns why ctx, which has ended, has.
func endedBy(ctx context.Context) ended { return ended{ctx.Err(), context.Cause(ctx)} }

// Error says what was waited for, for how long, and why the wait has ended.
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

// guards is so and so many guards.
func guards(n int) string {
	if n == 1 {
		return "1 guard"
	}
	return fmt.Sprintf("%d guards", n)
}

// Unwrap returns the context's error and its cause.
func (e *WaitError[K]) Unwrap() []error { return []error{e.ended.err, e.ended.cause} }

// notWaited returns the error of a call that would have to wait with ctx, which has ended
// already.
func (m *Map[K, V]) notWaited(ctx context.Context, what WaitFor) error {
	return &WaitError[K]{For: what, ended: endedBy(ctx)}
}
