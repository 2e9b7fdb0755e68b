package inspect_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/inspect"
	"github.com/spanlock/spanlock/rangelock"
)

// TestStuckWriter: a writer that waits for a guard is shown on the page, in the text and in JSON,
// with its range and its age, and as an alarm after a second.
func TestStuckWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := rangelock.New[int, string](nil)
		for i := range 3 {
			if err := m.Insert(t.Context(), rangelock.Span(10*i, 10*i+10), "x"); err != nil {
				t.Fatal(err)
			}
		}
		g, _ := m.Acquire(15)
		done := make(chan struct{})
		go func() {
			defer close(done)
			m.Remove(t.Context(), rangelock.Span(10, 20))
		}()
		synctest.Wait()
		h := inspect.Handler(show(m))
		const alarm = `class="alarm"`
		time.Sleep(999 * time.Millisecond)
		if page := get(t, h, ""); strings.Contains(page, alarm) {
			t.Errorf("an alarm before a second is over")
		}
		time.Sleep(2001 * time.Millisecond)
		page := get(t, h, "")
		for _, want := range []string{alarm, "1 wait, the first for 3s, for the guards", "longest at 10-20, for 3s"} {
			if !strings.Contains(page, want) {
				t.Errorf("no %q on the page", want)
			}
		}
		if text := get(t, h, "format=text"); !strings.Contains(text, "10-20\texcluded\t1\ta writer waits, the first for 3s") {
			t.Errorf("text is\n%s", text)
		}
		if doc := get(t, h, "format=json"); !strings.Contains(doc, `"waitedFor": 3`) || strings.Contains(doc, "[10, 20)") {
			t.Errorf("JSON is\n%s", doc)
		}
		g.Release()
		<-done
		if page := get(t, h, ""); strings.Contains(page, alarm) || strings.Contains(page, "longest at") {
			t.Errorf("a wait is shown after it has ended")
		}
		m.Close(t.Context())
	})
}
