package inspect

import (
	"time"

	"github.com/spanlock/spanlock/internal/seam"
	"github.com/spanlock/spanlock/rangelock"
)

const (
	rateSpan  = time.Minute            // averages cover this time
	lineSpan  = 5 * time.Minute        // lines cover this time, and samples are kept for it
	lineStep  = 5 * time.Second        // a point of a line is an average over this time
	rateEvery = 500 * time.Millisecond // a sample that is closer to the last one is not kept
	rateLeast = 100 * time.Millisecond // no rate over a shorter time
	stepLeast = time.Second            // no point for a shorter part of a step
)

// counter is a quantity with a rate.
type counter int

const (
	retired counter = iota
	fellBack
	lockWaits
	lockWaited // seconds
	guardWaits // waits for guards and for turns
	guardWaited
	transactions
	writerHeld // seconds in which a writer had the lock, an estimate
	numCounters
)

// counts is the values of all counters.
type counts [numCounters]float64

// sample is the counts at one time.
type sample struct {
	at time.Time
	counts
}

// history is the samples of earlier requests for a map. Requests store them; there is no
// goroutine.
type history struct {
	mu      seam.Mutex
	start   time.Time // of the first request; the steps of lines count from it
	samples []sample  // of the last lineSpan, the oldest first

	last   sample // of the last request, kept in samples or not
	writer bool   // a writer had the lock at the last request
	since  time.Time
}

// rates are the rates per second. They are zero for a map without an earlier request.
type rates struct {
	over  time.Duration // the time that per covers; 0 if there are no rates
	per   counts        // per second, on average
	lines [numCounters][]float64

	// writerFor is how long the current transaction has been seen: all requests in this time have
	// found the same one, so it has lasted at least so long.
	writerFor time.Duration
}

// add adds a result of Stats, and returns the rates up to it.
func (h *history) add(now time.Time, s *rangelock.Stats) (r rates) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.start.IsZero() {
		h.start = now
	}
	x := sample{now, h.countsLocked(now, s)}
	r.writerFor = h.seeWriterLocked(x, s.Sem.Writer)
	h.last = x
	old := 0
	for old < len(h.samples) && now.Sub(h.samples[old].at) > lineSpan {
		old++
	}
	h.samples = append(h.samples[:0], h.samples[old:]...)
	if n := len(h.samples); n > 0 {
		h.averageLocked(&r, x)
		r.lines = lines(h.samples, x, h.start)
		if now.Sub(h.samples[n-1].at) < rateEvery {
			return r
		}
	}
	h.samples = append(h.samples, x)
	return r
}

// countsLocked returns the counters. The time in which a writer has the lock is an estimate: if a
// writer has the lock at a request, the time since the last request counts as written. A client
// that asks once a second for a minute gets the share of sixty instants.
//
// Preconditions: the caller holds mu.
func (h *history) countsLocked(now time.Time, s *rangelock.Stats) counts {
	c := counts{
		retired:      float64(s.Retired),
		fellBack:     float64(s.FellBackBusy + s.FellBackMiss + s.FellBackGone),
		lockWaits:    float64(s.LockWaits),
		lockWaited:   s.LockWaited.Seconds(),
		guardWaits:   float64(s.ExcludeWaits + s.TurnWaits),
		guardWaited:  (s.ExcludeWaited + s.TurnWaited).Seconds(),
		transactions: float64(s.Transactions),
		writerHeld:   h.last.counts[writerHeld],
	}
	if s.Sem.Writer && !h.last.at.IsZero() {
		c[writerHeld] += max(0, now.Sub(h.last.at).Seconds())
	}
	return c
}

// seeWriterLocked returns how long the writer that has the lock has been seen.
//
// Preconditions: the caller holds mu.
func (h *history) seeWriterLocked(now sample, writer bool) time.Duration {
	same := h.writer && now.counts[transactions] == h.last.counts[transactions]
	if h.writer = writer; !writer {
		return 0
	}
	if !same {
		h.since = now.at
	}
	return now.at.Sub(h.since)
}

// averageLocked sets the averages from the oldest sample of the last rateSpan to now. If there is
// none, it starts from the last sample.
//
// Preconditions: the caller holds mu; there is a sample.
func (h *history) averageLocked(r *rates, now sample) {
	first := h.samples[len(h.samples)-1]
	for _, s := range h.samples {
		if now.at.Sub(s.at) <= rateSpan {
			first = s
			break
		}
	}
	over := now.at.Sub(first.at)
	if over < rateLeast {
		return
	}
	r.over = over
	for k := range r.per {
		r.per[k] = (now.counts[k] - first.counts[k]) / over.Seconds()
	}
}

// lines returns the averages per second of the steps of lineSpan; the last step includes now. The
// first steps are missing if there was no sample yet, and the last is missing if it has just
// begun. Events between two samples are spread evenly over the time between them.
func lines(samples []sample, now sample, start time.Time) (all [numCounters][]float64) {
	const n = int(lineSpan / lineStep)
	last := int(now.at.Sub(start) / lineStep)
	base := start.Add(time.Duration(last-n+1) * lineStep)
	var sum [n]counts
	var covered [n]time.Duration
	before := samples[0]
	for i := range len(samples) {
		next := now
		if i+1 < len(samples) {
			next = samples[i+1]
		}
		d := next.at.Sub(before.at)
		for at := before.at; at.Before(next.at); {
			step := max(0, int(at.Sub(base)/lineStep))
			end := base.Add(time.Duration(step+1) * lineStep)
			if at.Before(base) {
				step, end = -1, base
			}
			if next.at.Before(end) {
				end = next.at
			}
			if part := end.Sub(at); step >= 0 && step < n {
				covered[step] += part
				for k := range sum[step] {
					sum[step][k] += (next.counts[k] - before.counts[k]) * float64(part) / float64(d)
				}
			}
			at = end
		}
		before = next
	}
	for step, c := range covered {
		if c < stepLeast {
			continue
		}
		for k := range all {
			all[k] = append(all[k], sum[step][k]/c.Seconds())
		}
	}
	return all
}
