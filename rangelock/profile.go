package rangelock

import (
	"github.com/spanlock/spanlock/internal/announce"
	"github.com/spanlock/spanlock/internal/raw"
	"github.com/spanlock/spanlock/internal/samples"
)

// This file is the map's part of package guardprofile: it decides which guards are sampled, and how
// a Release recognizes a sampled guard.

// byWord is the bit of Map.way which says that keys are words, so a reader needs no pin. The other
// bit of Map.way is samples.On.
const byWord = samples.On << 1

// The bits of life in a sampled guard. The flag sampled makes life differ from every state that
// Release compares it with, so the fast path of Release sends the guard to releaseOther without
// a check of its own. The flag announced would send it elsewhere, so wasAnnounced replaces
// announced. Both flags mean something else in a state word, and nothing in other guards.
const (
	sampled      = retired
	wasAnnounced = detached

	// The number of the sample is above the place of an announced guard, and below limit, which
	// is in an exclusive guard.
	numberShift = 10
	numberMask  = (samples.Most - 1) << numberShift
)

// The number fits between its neighbours.
const (
	_ = uint(1<<numberShift - announce.Places)
	_ = uint(limit - 1 - numberMask)
)

// ownName is the prefix of the names of this package's functions.
const ownName = "github.com/spanlock/spanlock/rangelock."

// enterSampled is enter for an acquire that was drawn to be sampled.
//
//go:noinline
func (m *Map[K, V]) enterSampled(key K) (Guard[K, V], outcome) {
	g, a := m.enterPinned(key)
	if a == entered {
		g = m.sample(g)
	}
	return g, a
}

// drawn returns g, with a sample if it is drawn. g was just taken by another function than enter.
// The zero Guard is returned unchanged.
func (m *Map[K, V]) drawn(g Guard[K, V]) Guard[K, V] {
	if m.way.Load()&samples.On != 0 && g.h != nil && g.life&sampled == 0 && samples.Draw() {
		return m.sample(g)
	}
	return g
}

// sample returns g with a sample, or unchanged if there is no room for a sample.
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

// releaseSampled releases a sampled guard of the given life, whose range is in state s. Numbers are
// used again, so the sample may belong to another guard on the same range by now. Then a released
// copy of the first guard removes that sample too early, and takes away the hold of one of the
// range's guards, as the documentation of Guard says.
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
