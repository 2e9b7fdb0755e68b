//go:build invariants || race

package rangelock_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestSurveyLooksWhilePinned holds a survey that has found the ranges of a leaf and has not yet
// looked at them, while those ranges are retired and others are inserted. No header of the old
// ranges may be recycled before the survey has looked at it.
//
// It kills 46_read_after_unpin.
func TestSurveyLooksWhilePinned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := tens("a", "b")
		found := windowAt(t, "rangelock: leaf found")
		var seen []int
		surveying := start("Survey", func() {
			for r, s := range m.Survey() {
				if !s.Detached {
					seen = append(seen, r.Lo)
				}
			}
		})
		found.await(t)
		if n, err := m.Retire(bg, rg(0, 20)); n != 2 || err != nil {
			t.Fatal(n, err)
		}
		time.Sleep(time.Second) // headers that no pin protects are recycled after this
		must(t, m.Insert(bg, rg(1000, 1010), "d"), m.Insert(bg, rg(900, 910), "c"))
		found.letGo()
		surveying.returns(t)
		if !slices.Equal(seen, []int{900, 1000}) {
			t.Errorf("the survey has seen ranges that begin at %d, want 900 and 1000", seen)
		}
		usable(t, m)
	})
}
