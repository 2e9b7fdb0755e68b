package inspect

import (
	"time"

	"github.com/spanlock/spanlock/internal/seam"
	"github.com/spanlock/spanlock/rangelock"
)

const (
	rateSpan  = time.Minute
	rateEvery = 500 * time.Millisecond // samples that come closer are not kept
	rateMost  = 128                    // samples
	rateLeast = 100 * time.Millisecond // over less no rate is given
)

// sample is what the counters were at one time.
type sample struct {
	at    time.Time
	stats rangelock.Stats
}

// history is the samples of one map over the last minute. Requests leave them; there is
// no goroutine.
type history struct {
	mu      seam.Mutex
	samples []sample // the oldest first
}

// rates is how often things happened per second, on average over a span. The zero rates
// are those of a map at which nobody has looked before.
type rates struct {
	over                                     time.Duration
	retired, fellBack, lockWaits, excludes   float64
	lockWaited, excludeWaited                float64 // seconds of waiting per second
	retiredLine, fellBackLine, lockWaitsLine []float64
}

// add takes a sample and returns the rates from the oldest one that is less than a
// minute old up to it.
func (h *history) add(now time.Time, s rangelock.Stats) rates {
	h.mu.Lock()
	defer h.mu.Unlock()
	old := 0
	for old < len(h.samples) && now.Sub(h.samples[old].at) > rateSpan {
		old++
	}
	if n := len(h.samples) - old; n >= rateMost {
		old += n - rateMost + 1
	}
	h.samples = append(h.samples[:0], h.samples[old:]...)
	r := h.ratesLocked(sample{now, s})
	if n := len(h.samples); n == 0 || now.Sub(h.samples[n-1].at) >= rateEvery {
		h.samples = append(h.samples, sample{now, s})
	}
	return r
}

// ratesLocked returns the rates from the samples to a new one.
//
// Preconditions: the caller holds mu.
func (h *history) ratesLocked(now sample) (r rates) {
	if len(h.samples) == 0 {
		return r
	}
	first := h.samples[0]
	if r.over = now.at.Sub(first.at); r.over < rateLeast {
		return rates{}
	}
	per := func(count func(*rangelock.Stats) int64) float64 {
		return float64(count(&now.stats)-count(&first.stats)) / r.over.Seconds()
	}
	r.retired, r.fellBack, r.lockWaits = per(retiredCount), per(fellBackCount), per(lockWaitCount)
	r.excludes = per(func(s *rangelock.Stats) int64 { return s.ExcludeWaits })
	r.lockWaited = per(func(s *rangelock.Stats) int64 { return int64(s.LockWaited) }) / 1e9
	r.excludeWaited = per(func(s *rangelock.Stats) int64 { return int64(s.ExcludeWaited) }) / 1e9
	before := first
	for _, at := range append(h.samples[1:len(h.samples):len(h.samples)], now) {
		d := at.at.Sub(before.at).Seconds()
		if d < rateLeast.Seconds() {
			continue
		}
		step := func(count func(*rangelock.Stats) int64) float64 {
			return float64(count(&at.stats)-count(&before.stats)) / d
		}
		r.retiredLine = append(r.retiredLine, step(retiredCount))
		r.fellBackLine = append(r.fellBackLine, step(fellBackCount))
		r.lockWaitsLine = append(r.lockWaitsLine, step(lockWaitCount))
		before = at
	}
	return r
}

func retiredCount(s *rangelock.Stats) int64  { return s.Retired }
func fellBackCount(s *rangelock.Stats) int64 { return s.FellBackBusy + s.FellBackMiss + s.FellBackGone }
func lockWaitCount(s *rangelock.Stats) int64 { return s.LockWaits }
