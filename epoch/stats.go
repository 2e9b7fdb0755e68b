package epoch

import (
	"fmt"
	"strings"
	"time"
)

// Stats is what Domain.Stats found. The fields are read one after the other while
// the domain is in use, so they need not fit together exactly.
type Stats struct {
	// Epoch counts up, seldom more than a few times for each grace period.
	Epoch uint64

	// Pins is the number of guards held.
	Pins int

	// Retired is the number of callbacks retired so far, and Pending of those that
	// have not returned yet, with PendingCost their summed cost, in the caller's
	// units. Peak is the largest that Pending has been.
	Retired     uint64
	Pending     int
	PendingCost int64
	Peak        int

	// OldestPending is how long ago the oldest pending callback was retired. While
	// callbacks run it may be longer: up to 169 that were retired one after the other
	// share one reading of the clock. 0 if there is none.
	OldestPending time.Duration

	// StalledFor is how long some pin has kept the epoch from advancing, since
	// somebody first tried: a waiting Synchronize, a pending callback, a Cookie.Done.
	// Readers that come and go make it a few microseconds now and then. One that has
	// been forgotten, or does slow work while pinned, makes it grow, and nothing
	// is reclaimed until it ends. 0 if nothing stalls.
	StalledFor time.Duration

	// OldestPin is where the oldest guard was pinned, a stack as in a panic. Only
	// under -tags spanlockdebug, otherwise empty.
	OldestPin string
}

// Stats describes the domain. It looks at every slot and takes the domain's
// locks for a moment; call it once a second rather than once an operation.
//
// To report stalls, call it now and then and complain when StalledFor, or
// OldestPending, passes what the longest reader needs; under -tags spanlockdebug the
// complaint can say which reader it is.
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

// String says the same in a sentence, for a log.
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
