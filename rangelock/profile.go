package rangelock

import (
	"github.com/spanlock/spanlock/internal/announce"
	"github.com/spanlock/spanlock/internal/raw"
	"github.com/spanlock/spanlock/internal/samples"
)

// This file is what maps do for package guardprofile: which guards are sampled, and how
// a Release knows one.

// byWord is the bit of Map.way which says that keys are words, so that a reader needs no pin.
// Beside it stands samples.On.
const byWord = samples.On << 1

// What life is in a sampled guard. The flag sampled makes it differ from every word that Release
// compares it with, so that the fast path of that sends the guard to releaseOther, without
// looking for it. So the flag announced must not stand in it: wasAnnounced does. Both flags
// mean something else in the word of a range, and nothing in other guards.
const (
	sampled      = retired
	wasAnnounced = detached

	// The number of the sample stands above the place of an announced guard, and below limit,
	// which is in an exclusive one.
	numberShift = 10
	numberMask  = (samples.Most - 1) << numberShift
)

// The number has room between its neighbours.
const (
	_ = uint(1<<numberShift - announce.Places)
	_ = uint(limit - 1 - numberMask)
)

// ownName is what the names of this package's functions begin with.
const ownName = "github.com/spanlock/spanlock/rangelock."

// enterSampled is enter for an acquire that has been drawn.
//
//go:noinline
func (m *Map[K, V]) enterSampled(key K) (Guard[K, V], outcome) {
	g, a := m.enterPinned(key)
	if a == entered {
		g = m.sample(g)
	}
	return g, a
}

// drawn returns g, which has just been taken elsewhere than by enter, and with a sample if it
// is drawn. The zero Guard stays what it is.
func (m *Map[K, V]) drawn(g Guard[K, V]) Guard[K, V] {
	if m.way.Load()&samples.On != 0 && g.h != nil && g.life&sampled == 0 && samples.Draw() {
		return m.sample(g)
	}
	return g
}

// sample returns g with a sample, if there is room for one.
//
//go:noinline
func (m *Map[K, V]) sample(g Guard[K, V]) Guard[K, V] {
	number := samples.Add(raw.Address(g.h), ownName)
	if number == 0 {
		return g
	}
	if g.life&announced != 0 {
		g.life ^= announced | wasAnnounced
	}
	g.life |= sampled | uint64(number)<<numberShift
	return g
}

// releaseSampled releases a guard with a sample; life is its life, and s the word of its range.
// A number is used again, so the sample can be another one of the same range by now: then a
// copy of that guard takes the sample away early, and the hold of one of the range's guards, as
// Guard says.
func (m *Map[K, V]) releaseSampled(h *header[K, V], life, s uint64) {
	if !samples.Remove(raw.Address(h), uint32(life&numberMask>>numberShift)) {
		notHeld(life&^lowMask, s)
	}
	if life&wasAnnounced != 0 {
		life |= announced
	}
	g := Guard[K, V]{h: h, life: life &^ (sampled | wasAnnounced | numberMask)}
	g.Release()
}
