package epoch

import (
	"fmt"
	"strings"
	"time"
)

// Stats is what Domain.Stats reports. The fields are read one after the other while the
// domain is in use, so they need not fit together exactly.
type Stats struct {
	// Epoch counts up, seldom by more than a few for each grace period.
	Epoch uint64

	// Pins is the number of guards held.
	Pins int

	// Retired is the number of callbacks retired so far. Pending is the number of those
	// that have not returned yet, and PendingCost is their total cost, in the caller's
	// units. Peak is the largest value that Pending has had.
	Retired     uint64
	Pending     int
	PendingCost int64
	Peak        int

	// OldestPending is how long ago the oldest pending callback was retired. While
	// callbacks run it may be too long, because up to 169 callbacks in a row share one
	// reading of the clock. It is 0 if there is none.
	OldestPending time.Duration

	// StalledFor is how long some pin has kept the epoch from advancing. It counts from
	// the first attempt, which a waiting Synchronize, a pending callback or a
	// Cookie.Done makes. Readers that come and go make it a few microseconds now and
	// then. A reader that has been forgotten, or that does slow work while pinned,
	// makes it grow, and nothing is reclaimed until that reader unpins. It is 0 if
	// nothing stalls.
	StalledFor time.Duration

	// OldestPin is the stack at which the oldest guard was pinned, printed as in a
	// panic. It is empty except under -tags spanlockdebug.
	OldestPin string
}

// Stats describes the domain. It reads every slot and takes the domain's locks for a
// moment, so call it once a second rather than once an operation.
//
// To report stalls, call it now and then, and complain when StalledFor or OldestPending
// exceeds what the longest reader needs. Under -tags spanlockdebug the complaint can
// name that reader.
func (d *Domain) Stats() Stats {
	st := d.state.Load()
	if st == nil {
		return Stats{}
	}
	var s Stats
	for i := range st.slots {
		for j := range st.slots[i].active {
			s.Pins += int(st.slots[i].active[j].Load() &^ waitBit)
		}
	}
	s.Epoch = st.epoch.Load()
	since, stalled := st.stalledSince(s.Epoch)
	st.mu.Lock()
	s.Retired = st.retired
	pending := st.retired - st.batch.ran.Load()
	s.PendingCost = st.cost - st.batch.ranCost.Load()
	s.Peak = int(st.peak)
	oldest := st.batch.since.Load()
	if !st.batch.held.Load() && !st.backlog.empty() {
		oldest = st.backlog.head.since
	}
	st.mu.Unlock()
	s.Pending = int(pending)
	now := st.clock()
	if pending > 0 {
		s.OldestPending = time.Duration(max(0, now-oldest))
	}
	if stalled {
		s.StalledFor = time.Duration(max(0, now-since))
	}
	if debug {
		s.OldestPin = st.pins.oldest()
	}
	return s
}

// String returns the same in a sentence, for a log.
func (s Stats) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "epoch %d: %d pins, %d callbacks pending (cost %d, peak %d)",
		s.Epoch, s.Pins, s.Pending, s.PendingCost, s.Peak)
	if s.OldestPending > 0 {
		fmt.Fprintf(&b, ", the oldest for %v", s.OldestPending)
	}
	if s.StalledFor > 0 {
		fmt.Fprintf(&b, ", stalled by a pin for %v", s.StalledFor)
	}
	if s.OldestPin != "" {
		fmt.Fprintf(&b, "; the oldest pin was taken at\n%s", s.OldestPin)
	}
	return b.String()
}
