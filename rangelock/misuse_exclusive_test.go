package rangelock_test

import (
	"sync"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// The state word of a range with an exclusive guard shows that there is no shared guard, and the
// mark of an announced guard is in its slot. So the release of a copy is found out in both cases.

// TestDoubleReleaseBesideExclusive releases a copy of a released shared guard while an exclusive
// guard is held on the range. If the copy took a count away, readers could enter beside the
// exclusive guard.
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

// TestDoubleReleaseExclusive releases a copy of a released exclusive guard, first while the range
// has no guard and then while it has a shared one.
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

// TestDoubleReleaseExclusiveRace releases two copies of an exclusive guard at the same time, so
// that both releases may see the guard held. One of them panics, and the state word is then as if
// only the other had run. With an unconditional subtraction in giveBackExclusive it fails in every
// run with -tags invariants.
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
			t.Fatalf("the releases panic: %v, want one", panics)
		}
		if s := m.State(5); s != 0 {
			t.Fatalf("state %#x with no guard on the range", s)
		}
	}
	usable(t, m)
}

// TestDoubleReleaseAnnounced releases copies of an announced guard while its slot has the mark of a
// guard on another range, or of a guard on the same header in its next life. The release must not
// remove that mark.
func TestDoubleReleaseAnnounced(t *testing.T) {
	m, _ := tens("a", "b")
	m.Announcing(15)
	if !m.Announcing(5) {
		t.Fatal("the readers of the range do not announce themselves")
	}
	g := hold(t, m, 5)
	copied, again := g, g
	g.Release()
	other := hold(t, m, 15)
	if n := m.Announced(); n != 1 {
		t.Fatalf("%d guards announced", n)
	}
	wantPanic(t, "the second Release", func() { copied.Release() })
	other.Release()
	if _, err := m.Remove(bg, rg(0, 10)); err != nil {
		t.Fatal(err)
	}
	must(t, m.Drain(bg))
	must(t, m.Insert(bg, rg(0, 10), "c"))
	m.Announcing(5)
	next := hold(t, m, 5)
	wantPanic(t, "the Release in another life", func() { again.Release() })
	next.Release()
	usable(t, m)
}
