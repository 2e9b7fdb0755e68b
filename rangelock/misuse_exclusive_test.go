package rangelock_test

import (
	"sync"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// The word of a range with an exclusive guard shows that nobody has a shared one, and a
// hot range shows which stripes are its own, so a released copy is seen there, whoever
// else has a guard.

// alone acquires an exclusive guard that must be there.
func alone(t *testing.T, m *intMap, key int) intGuard {
	t.Helper()
	g, err := m.TryAcquireExclusive(key)
	if err != nil {
		t.Fatalf("TryAcquireExclusive(%d) = %v", key, err)
	}
	return g
}

// TestDoubleReleaseBesideExclusive releases copies of released guards while somebody
// else is alone on the range. If the copy of a shared one took a count away, readers
// would come in beside the exclusive guard.
func TestDoubleReleaseBesideExclusive(t *testing.T) {
	m, _ := tens("a")
	g := hold(t, m, 5)
	copied := g
	g.Release()
	e := alone(t, m, 5)
	before := m.State(5)
	wantPanic(t, "the second Release", func() { copied.Release() })
	if after := m.State(5); after != before {
		t.Errorf("state %#x before the second Release, %#x after", before, after)
	}
	wantTry(t, m, 5, rangelock.ErrBusy)
	e.Release()
	usable(t, m)
}

// TestDoubleReleaseExclusive releases a copy of a released exclusive guard while nobody,
// and while somebody with a shared guard, is on the range.
func TestDoubleReleaseExclusive(t *testing.T) {
	m, _ := tens("a")
	e := alone(t, m, 5)
	copied := e
	e.Release()
	again := copied
	wantPanic(t, "the second Release", func() { again.Release() })
	g := hold(t, m, 5)
	before := m.State(5)
	wantPanic(t, "the third Release", func() { copied.Release() })
	if after := m.State(5); after != before {
		t.Errorf("state %#x before the third Release, %#x after", before, after)
	}
	g.Release()
	usable(t, m)
}

// TestDoubleReleaseExclusiveRace releases two copies of an exclusive guard at the same
// time, so that both may see the guard held. One of them panics, and the word is as if
// only the other had been. With an unconditional subtraction in releaseOther it fails in
// every run with -tags invariants.
func TestDoubleReleaseExclusiveRace(t *testing.T) {
	m, _ := tens("a")
	for range byBuild(3000, 300) {
		e := alone(t, m, 5)
		var panics [2]bool
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := range panics {
			copied := e
			wg.Go(func() {
				defer func() { panics[i] = recover() != nil }()
				<-start
				copied.Release()
			})
		}
		close(start)
		wg.Wait()
		if panics[0] == panics[1] {
			t.Fatalf("panics %v, want one", panics)
		}
		if s := m.State(5); s != 0 {
			t.Fatalf("state %#x with nobody on the range", s)
		}
	}
	usable(t, m)
}

// TestDoubleReleaseOfStripe releases a copy of a guard from a stripe when the set of
// stripes has become another range's, on which somebody has a guard: that guard must
// not be taken away.
func TestDoubleReleaseOfStripe(t *testing.T) {
	m, _ := tens("a", "b")
	if !m.Promote(5) {
		t.Fatal("the range is not hot")
	}
	var copies []intGuard
	for range 64 { // in all stripes
		g := hold(t, m, 5)
		copies = append(copies, g)
		g.Release()
	}
	m.Sweep() // 64 readers are few
	if n := m.Stats().Hot; n != 0 {
		t.Fatalf("%d hot ranges after the sweep", n)
	}
	if !comesTrue(func() bool { return m.IdleSets() == 1 }) || !m.Promote(15) {
		t.Fatal("the set has not become the other range's")
	}
	var guards []intGuard
	for range 64 {
		guards = append(guards, hold(t, m, 15))
	}
	for i := range copies {
		wantPanic(t, "the second Release", func() { copies[i].Release() })
	}
	for i := range guards {
		guards[i].Release()
	}
	usable(t, m)
}
