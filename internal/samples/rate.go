// Package samples keeps samples of what is held, for a profile of runtime/pprof. It decides
// which callers are sampled, keeps the samples that are still held, and tells objects
// whether to draw at all.
//
// It is outside the protocols: nothing waits for it, and no result of a map depends on it.
// So it uses locks and atomics that are not scheduling points.
package samples

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"weak"
)

// Profile is where samples are listed: a *pprof.Profile. A program that never calls SetRate
// refers to none, so the linker leaves the profiles out.
type Profile interface {
	Add(value any, skip int)
	Remove(value any)
}

// On is the bit of a Switch that tells its owner to draw.
const On = 1 << 0

// A Switch is a word that an object's fast path loads. It has the bit On, which SetRate
// changes, and above it the owner's bits, which Init sets. The zero Switch is off, and
// stays off until Enlist.
type Switch struct{ word atomic.Uint32 }

// Load returns all bits.
func (s *Switch) Load() uint32 { return s.word.Load() }

// Init sets the owner's bits. The Switch must not be shared yet.
func (s *Switch) Init(bits uint32) { s.word.Store(bits) }

// rate is the average number of draws for each one that is sampled, or 0 for no samples.
// SetRate stores it, Draw loads it.
var rate atomic.Int64

// switches holds the enlisted switches whose owners are reachable.
var switches switchList

type switchList struct {
	mu      sync.Mutex // protects the fields below
	profile Profile    // nil until the first rate above 0
	list    []weak.Pointer[Switch]
	most    int // at this length, prune removes the switches that are gone
}

// Enlist lets SetRate change s. The present rate applies at once. This ends when s is no
// longer reachable. Enlist takes about the time of an allocation.
func Enlist(s *Switch) {
	w := weak.Make(s)
	l := &switches
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) >= l.most {
		l.prune()
	}
	l.list = append(l.list, w)
	if rate.Load() > 0 {
		s.word.Or(On)
	}
}

// prune removes the switches that are gone. It is called when the list has doubled, so that
// each Enlist pays for a constant number of looks.
//
// Preconditions: switches.mu is held.
func (l *switchList) prune() {
	kept := l.list[:0]
	for _, w := range l.list {
		if w.Value() != nil {
			kept = append(kept, w)
		}
	}
	clear(l.list[len(kept):])
	l.list, l.most = kept, max(64, 2*len(kept))
}

// SetRate sets the average number of draws for each one that is sampled, and returns the
// previous number. A negative n changes nothing. The first n above 0 calls profile for the
// place where the samples are listed. Samples of what is already held stay.
func SetRate(n int, profile func() Profile) (previous int) {
	l := &switches
	l.mu.Lock()
	defer l.mu.Unlock()
	previous = int(rate.Load())
	if n < 0 {
		return previous
	}
	if n > 0 && l.profile == nil {
		l.profile = profile()
	}
	rate.Store(int64(n))
	for _, w := range l.list {
		s := w.Value()
		switch {
		case s == nil:
		case n > 0:
			s.word.Or(On)
		default:
			s.word.And(^uint32(On))
		}
	}
	return previous
}

// Draw reports whether to sample the caller. It is for callers whose Switch is on.
//
//go:noinline
func Draw() bool {
	n := rate.Load()
	return n == 1 || n > 1 && rand.Int64N(n) == 0
}
