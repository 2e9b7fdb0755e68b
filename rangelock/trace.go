package rangelock

import (
	"context"
	"time"
)

// Trace is a set of hooks that a map calls on its slow paths, in the manner of
// net/http/httptrace.ClientTrace: what waited, for how long, and why. Each may be nil.
// The fast paths know nothing of it, set or unset.
//
// A hook runs on the goroutine that it tells about, which may hold the map's
// semaphore: it must be quick, must not panic and must not use the map. It must not be changed after
// New, and may be called by several goroutines at once.
type Trace struct {
	// FellBack is called when a reader gives up the fast path and goes to the
	// semaphore, or into a range's line.
	FellBack func(reason Reason)

	// LockWait is called before a wait for the semaphore, by a writer or by a reader,
	// LockGot when the wait is over: err is nil, or the error of the context that
	// ended it. Who does not have to wait calls neither.
	LockWait func(writer bool)
	LockGot  func(writer bool, waited time.Duration, err error)

	// Unlocked is called when a transaction has ended, with how long it had the
	// semaphore for itself.
	Unlocked func(held time.Duration)

	// ExcludeWait is called before a writer waits for the guards on a range, and
	// ExcludeGot when the wait is over: err is nil, or the error of the transaction's
	// context.
	ExcludeWait func()
	ExcludeGot  func(waited time.Duration, err error)

	// TurnWait is called before a reader waits for its turn at a range that has, or is to
	// have, an exclusive guard, and TurnGot when the wait is over: err is nil, or the
	// error of the context that ended it. exclusive says what kind of guard it wants.
	TurnWait func(exclusive bool)
	TurnGot  func(exclusive bool, waited time.Duration, err error)

	// Retired is called when n ranges have been through OnRetire, or, without an
	// OnRetire, have been freed.
	Retired func(n int)
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

// fellBack counts a fall-back and tells the trace.
func (m *Map[K, V]) fellBack(a answer) {
	reason := Busy
	switch a {
	case unproved:
		reason = Miss
	case gone:
		reason = Gone
	}
	m.tally.fellBack[reason].Add(1)
	if t := m.options.Trace; t != nil && t.FellBack != nil {
		t.FellBack(reason)
	}
}

// lockWaiting waits for the semaphore with wait, which takes it for writing or for
// reading, and counts and tells how long that takes.
func (m *Map[K, V]) lockWaiting(ctx context.Context, writer bool, wait func(context.Context) error) error {
	t := m.options.Trace
	if t != nil && t.LockWait != nil {
		t.LockWait(writer)
	}
	start := time.Now()
	err := wait(ctx)
	waited := time.Since(start)
	if err != nil {
		err = &WaitError[K]{For: ForLock, Waited: waited, ended: endedBy(ctx)}
	}
	m.tally.lockWaits.Add(1)
	m.tally.lockWaited.Add(int64(waited))
	if t != nil && t.LockGot != nil {
		t.LockGot(writer, waited, err)
	}
	return err
}

// excludeWaiting tells the trace that the writer is about to park.
func (m *Map[K, V]) excludeWaiting() {
	if t := m.options.Trace; t != nil && t.ExcludeWait != nil {
		t.ExcludeWait()
	}
}

// excludeWaited counts a wait of the writer that is over, and tells the trace.
func (m *Map[K, V]) excludeWaited(waited time.Duration, err error) {
	m.tally.excludeWaits.Add(1)
	m.tally.excludeWaited.Add(int64(waited))
	if t := m.options.Trace; t != nil && t.ExcludeGot != nil {
		t.ExcludeGot(waited, err)
	}
}

// turnWaiting tells the trace that a reader is about to park in a range's line.
func (m *Map[K, V]) turnWaiting(exclusive bool) {
	if t := m.options.Trace; t != nil && t.TurnWait != nil {
		t.TurnWait(exclusive)
	}
}

// turnWaited counts a wait in a range's line that is over, and tells the trace.
func (m *Map[K, V]) turnWaited(exclusive bool, waited time.Duration, err error) {
	m.tally.turnWaits.Add(1)
	m.tally.turnWaited.Add(int64(waited))
	if t := m.options.Trace; t != nil && t.TurnGot != nil {
		t.TurnGot(exclusive, waited, err)
	}
}

// countRetired counts ranges that are through, and tells the trace.
func (m *Map[K, V]) countRetired(n int) {
	m.tally.retired.Add(int64(n))
	if t := m.options.Trace; t != nil && t.Retired != nil {
		t.Retired(n)
	}
}
