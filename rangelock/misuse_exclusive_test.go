package rangelock_test

import (
	"sync"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// The word of a range with an exclusive guard shows that nobody has a shared one, and a
// mark of an announced guard stands in its slot, so a released copy is seen there.

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

// TestDoubleReleaseAnnounced releases copies of a guard when another range's guard, or one of
// the range's next life, stands in its slot: that guard must not be taken away.
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
