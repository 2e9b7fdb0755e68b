// Package samples keeps samples of what is held, for a profile of runtime/pprof: who is drawn,
// which of the drawn are still held, and which objects are to draw at all.
//
// It is beside the protocols: nothing waits for it, and no answer of a map depends on it. So
// it uses locks and atomics that are no scheduling points.
package samples

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"weak"
)

// Profile is where samples are listed: a *pprof.Profile. A program that never calls SetRate
// refers to none, so that the linker leaves the profiles out.
type Profile interface {
	Add(value any, skip int)
	Remove(value any)
}

// On is the bit of a Switch that says that its owner draws.
const On = 1 << 0

// A Switch is a word that an object's fast path loads. It has the bit On, which SetRate
// changes, and above that bits of the owner's, which Init sets. The zero Switch is off, and
// stays so until Enlist.
type Switch struct{ word atomic.Uint32 }

// Load returns the bits.
func (s *Switch) Load() uint32 { return s.word.Load() }

// Init sets the owner's bits, before anybody else has the Switch.
func (s *Switch) Init(bits uint32) { s.word.Store(bits) }

// rate is on average how many are asked for each that is drawn; 0 for none. SetRate stores
// it, Draw loads it.
var rate atomic.Int64

// switches is all that were enlisted, as far as their owners are reachable.
var switches switchList

type switchList struct {
	mu      sync.Mutex // protects the rest
	profile Profile    // nil until there was a rate
	list    []weak.Pointer[Switch]
	most    int // at this length the list is looked through for those that are gone
}

// Enlist lets SetRate switch s, from now on and at once, until the collector finds that nobody
// can reach s. It takes about the time of an allocation.
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

// prune drops those that are gone. It comes when the list has doubled, so that each Enlist
// pays for a constant number of looks.
//
// Preconditions: the caller holds switches.mu.
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

// SetRate sets how many are asked for each that is drawn, on average, and returns what it was;
// a negative n changes nothing. The first n above 0 calls profile for the place where the
// samples are listed. Samples of what is held already stay.
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

// Draw reports whether the caller is to be sampled. It is for those whose Switch is on.
//
//go:noinline
func Draw() bool {
	n := rate.Load()
	return n == 1 || n > 1 && rand.Int64N(n) == 0
}
