package inspect_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/spanlock/spanlock/inspect"
	"github.com/spanlock/spanlock/rangelock"
)

// TestAnnounced: the page and the JSON say how many guards are announced: those that were taken
// after two readers have met in the range, which here is the third.
func TestAnnounced(t *testing.T) {
	m := rangelock.New[int, int](nil)
	insert(t, m, rangelock.Span(0, 10), 0)
	insert(t, m, rangelock.Span(10, 20), 0)
	h := inspect.Handler(show(m))
	var guards []rangelock.Guard[int, int]
	for n := range 4 {
		var d struct {
			Maps []struct {
				Guards, Announced int
				Ranges            []struct{ Guards, Announced int }
			}
		}
		if err := json.Unmarshal([]byte(get(t, h, "format=json")), &d); err != nil {
			t.Fatal(err)
		}
		want := max(0, n-2)
		x := d.Maps[0]
		if x.Guards != n || x.Announced != want || x.Ranges[0].Guards != n || x.Ranges[0].Announced != want || x.Ranges[1].Announced != 0 {
			t.Errorf("with %d guards: %+v", n, x)
		}
		if got := strings.Contains(get(t, h, ""), ", 1 announced"); got != (want == 1) {
			t.Errorf("with %d guards, of which %d are announced, the page says so: %t", n, want, got)
		}
		g, ok := m.Acquire(5)
		if !ok {
			t.Fatal("no range at 5")
		}
		guards = append(guards, g)
	}
	for i := range guards {
		guards[i].Release()
	}
}
