package rangelock_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// TestWalkSeesNoFalseGap walks over ranges whose boundaries a writer changes all the
// time, in the manner of Linux's proc-maps-race: it splits and merges, moves the
// boundary between two neighbours, replaces several by one and one by several; all keys
// from 0 to 1000 are covered before and after each transaction. A walk that sees a gap
// there has seen half of a transaction. Believing a next range without the publication
// sequence makes this fail in every run.
func TestWalkSeesNoFalseGap(t *testing.T) {
	for _, procs := range []int{1, 2, 4, 8} {
		t.Run(fmt.Sprint("procs=", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			walkEpisode(t)
		})
	}
}

func walkEpisode(t *testing.T) {
	const end = 1000
	m := rangelock.New(&rangelock.Options[int, int]{
		MergeValue: func(_, _ rangelock.Range[int], l, _ int) (int, bool) { return l, true },
	})
	w := m.Lock()
	for lo := 0; lo < end; lo += 100 {
		if err := w.Insert(rangelock.Span(lo, lo+100), lo); err != nil {
			t.Fatal(err)
		}
	}
	w.Unlock()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			changeBoundaries(t, m, i)
		}
	})
	walks := 0
	for start := time.Now(); time.Since(start) < 150*time.Millisecond && !t.Failed(); walks++ {
		from := walks % 300
		at := from
		for g := range m.Guards(rangelock.Span(from, end)) {
			r := g.Range()
			if r.Lo > at {
				t.Errorf("a gap [%d, %d)", at, r.Lo)
			}
			at = r.Hi
		}
		if at != end {
			t.Errorf("the walk ends at %d", at)
		}
	}
	close(stop)
	wg.Wait()
	if err := m.Verify(); err != nil {
		t.Error(err)
	}
}

// changeBoundaries is one transaction that leaves all keys covered.
func changeBoundaries(t *testing.T, m *rangelock.Map[int, int], i int) {
	at := 100 + i*37%8*100
	w := m.Lock()
	defer w.Unlock()
	must := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	switch i % 3 {
	case 0: // the boundary moves up and the right range shrinks
		must(w.Resize(at, rangelock.Span(at+50, at+100)))
		must(w.Resize(at-1, rangelock.Span(at-100, at+50)))
		must(w.Resize(at-1, rangelock.Span(at-100, at)))
		must(w.Resize(at+50, rangelock.Span(at, at+100)))
	case 1:
		must(w.Split(at + 30))
		must(w.Merge(at))
		must(w.Split(at))
		must(w.Merge(at + 30))
	case 2: // a hole in between
		_, err := w.Retire(rangelock.Span(at-100, at+100))
		must(err)
		must(w.Insert(rangelock.Span(at, at+100), i))
		must(w.Insert(rangelock.Span(at-100, at), i))
	}
}
