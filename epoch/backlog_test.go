package epoch_test

import (
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"
	"weak"

	"github.com/spanlock/spanlock/epoch"
)

// A million retirements behind one pin drain in less than a second once the pin ends.
func TestDrain(t *testing.T) {
	n := 1_000_000
	if checking {
		n /= 20
	}
	var d epoch.Domain
	g := d.Pin()
	ran := 0
	f := func() { ran++ }
	for range n {
		d.Retire(f)
	}
	for asleep := false; !asleep; runtimeYield() {
		_, asleep, _ = d.Waiting()
	}
	if s := d.Stats(); s.Pending != n || s.StalledFor == 0 || s.OldestPending == 0 {
		t.Errorf("under the pin: %v", s)
	}
	g.Unpin()
	start := time.Now()
	if err := d.Barrier(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("%d callbacks took %v", n, took)
	}
	if ran != n {
		t.Errorf("%d of %d callbacks ran", ran, n)
	}
	if n, bound := d.FreeBags(); n > bound {
		t.Errorf("%d empty bags are kept, want at most %d", n, bound)
	}
}

// A burst of retirements reuses the memory of the burst before it, even where that is more
// than the domain keeps. If give drops what it does not keep, this fails each time.
func TestBurstReusesMemory(t *testing.T) {
	if checking {
		return // with the race detector a sync.Pool drops values on purpose
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // the collector may empty the pool
	var d epoch.Domain
	f := func() {}
	burst := func() (bytes uint64) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		g := d.Pin()
		for range 50_000 {
			d.Retire(f)
		}
		g.Unpin()
		if err := d.Barrier(t.Context()); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	first, second := burst(), burst()
	if second > 300_000 { // three words for each callback are 1.2 million
		t.Errorf("a second burst takes %d bytes; the first took %d", second, first)
	}
	if n, bound := d.FreeBags(); n > bound {
		t.Errorf("%d empty bags are kept, want at most %d", n, bound)
	}
}

// After a callback has run, the collector can have what it held. While callbacks are
// pending, the collector can have the domain's owner.
func TestNothingIsKeptAlive(t *testing.T) {
	type object struct{ _ [100]byte }
	type owner struct {
		domain epoch.Domain
		_      [1000]byte
	}
	var g epoch.Guard
	o := new(owner)
	var pending, gone []weak.Pointer[object]
	retire := func(list []weak.Pointer[object]) []weak.Pointer[object] {
		v := new(object)
		o.domain.Retire(func() { runtime.KeepAlive(v) })
		return append(list, weak.Make(v))
	}
	for range 2*epoch.BagSize + 1 {
		gone = retire(gone)
	}
	if err := o.domain.Barrier(t.Context()); err != nil {
		t.Fatal(err)
	}
	g = o.domain.Pin()
	for range 3 {
		pending = retire(pending)
	}
	left := weak.Make(o)
	o = nil
	collected := func(f func() bool) bool {
		for range 50 {
			runtime.GC()
			if f() {
				return true
			}
			runtime.Gosched()
		}
		return false
	}
	if !collected(func() bool {
		return !slices.ContainsFunc(gone, func(p weak.Pointer[object]) bool { return p.Value() != nil })
	}) {
		t.Error("values of callbacks that have run are kept alive")
	}
	if !collected(func() bool { return left.Value() == nil }) {
		t.Error("pending callbacks keep the domain's owner alive")
	}
	for i, p := range pending {
		if p.Value() == nil {
			t.Errorf("the value of pending callback %d is gone", i)
		}
	}
	g.Unpin()
	if !collected(func() bool {
		return !slices.ContainsFunc(pending, func(p weak.Pointer[object]) bool { return p.Value() != nil })
	}) {
		t.Error("values of the last callbacks are kept alive")
	}
}

func TestNoGoroutineIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 20 {
		var d epoch.Domain
		g := d.Pin()
		for range 10 {
			d.Retire(func() {})
		}
		g.Unpin()
		if err := d.Barrier(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtimeYield() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}
