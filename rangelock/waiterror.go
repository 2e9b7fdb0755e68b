package rangelock

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// This file has the kinds of waits, and the error of a wait that its context has ended. How a
// reader waits is in wait.go, and the list of the waits under way in waitlist.go.

// WaitFor is what a call waits for.
type WaitFor int

const (
	ForLock   WaitFor = iota // the map's lock, as a writer, as a Reader, or behind a writer
	ForGuards                // the guards on a range that a writer excludes
	ForTurn                  // its turn in the queue of a range, for a guard or an exclusive guard
	ForLoad                  // a load of AcquireOrLoad
	ForRetire                // OnRetire for ranges that have left the map, in Drain, DrainRange and Close
	ForRoom                  // room under Options.MaxPending
)

var waitNames = [...]string{"the lock", "the guards", "a turn", "a load", "OnRetire", "room under MaxPending"}

// String names what a call waits for.
func (f WaitFor) String() string {
	if f < 0 || int(f) >= len(waitNames) {
		return "unknown"
	}
	return waitNames[f]
}

// MarshalText implements [encoding.TextMarshaler] by calling String. So JSON has the words and not
// the number.
func (f WaitFor) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]. It accepts what MarshalText returns.
func (f *WaitFor) UnmarshalText(text []byte) error {
	i := slices.Index(waitNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("rangelock: %q is no WaitFor", text)
	}
	*f = WaitFor(i)
	return nil
}

// maxHeld is the largest number of ranges in WaitError.Held.
const maxHeld = 16

// WaitError is the error of a call that was waiting when its context ended, or that would have
// had to wait with a context that had ended before. It says what the call was waiting for, and
// wraps the context's error and its [context.Cause]: errors.Is finds both. Its text is made only
// when Error is called.
//
// Returned by: AcquireContext, Map.AcquireContext, Map.AcquireExclusiveContext,
// Map.AcquireNextContext, Map.AcquireOrLoad, Map.AcquirePrevContext, Map.Close, Map.Do,
// Map.Drain, Map.DrainRange, Map.GuardsContext, Map.Insert, Map.LockContext, Map.RLockContext,
// Map.Remove, Map.Retire, Map.Room, Map.Swap, Reader.AcquireContext, Writer.Exclude,
// Writer.Extract, Writer.Merge, Writer.Put, Writer.Remove, Writer.Replace, Writer.Resize,
// Writer.Split, Writer.Update.
type WaitError[K any] struct {
	For WaitFor // what the call was waiting for

	// For ForGuards and ForTurn, Range is the range that the call was waiting for, and Guards is
	// how many guards were held on it when the wait ended. For DrainRange, Range is the argument.
	// Otherwise both are zero.
	Range  Range[K]
	Guards int

	// Held has, for ForRetire and ForRoom, the ranges that have left the map and still have
	// guards: the call may have been waiting for them. The range that left first comes first.
	// There are at most 16.
	Held []Range[K]

	// Waited is how long the call waited. It is zero if the context had ended before.
	Waited time.Duration

	ranged bool // Range is the argument of DrainRange
	ended  ended
	of     subject[K] // the call, for ForLock, ForGuards and ForTurn
}

// ended is why a context has ended.
type ended struct{ err, cause error }

// endedBy returns why ctx has ended. ctx has ended.
func endedBy(ctx context.Context) ended { return ended{ctx.Err(), context.Cause(ctx)} }

// Error says what the call was, what it was waiting for, for how long, and why the wait ended.
func (e *WaitError[K]) Error() string {
	var b strings.Builder
	b.WriteString("rangelock: ")
	if e.of.op != "" {
		b.WriteString(e.of.text() + ": ")
	}
	b.WriteString("gave up waiting for ")
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

// text returns the method and its argument, if the call had one.
func (of *subject[K]) text() string {
	if of.keyed {
		return of.op + " " + keyText(of.key)
	}
	// A valid range has two different bounds, so none is written as the zero Range is.
	if r := of.r.String(); r != (Range[K]{}).String() {
		return of.op + " " + r
	}
	return of.op
}

// guards returns a text for n guards.
func guards(n int) string {
	if n == 1 {
		return "1 guard"
	}
	return fmt.Sprintf("%d guards", n)
}

// Unwrap returns the context's error and the context's cause.
func (e *WaitError[K]) Unwrap() []error { return []error{e.ended.err, e.ended.cause} }

// notWaited returns the error of a call that would have to wait with ctx, which had ended before.
func (m *Map[K, V]) notWaited(ctx context.Context, what WaitFor) error {
	return &WaitError[K]{For: what, ended: endedBy(ctx)}
}
