package inspect_test

import (
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/spanlock/spanlock/inspect"
	"github.com/spanlock/spanlock/rangelock"
)

// Keys are shown as the operator writes them, here offsets in hexadecimal. Waits are normal in this
// program, so a wait is no alarm. Without a Value the values are not shown.
func ExampleOptions() {
	m := rangelock.New[int, string](nil)
	w := m.Lock()
	if err := w.Insert(rangelock.Span(0x1000, 0x2000), "1.seg"); err != nil {
		fmt.Println(err)
	}
	w.Unlock()

	h := inspect.Handler(inspect.Named("segments", m, &inspect.Options[int, string]{
		Key:    func(off int) string { return fmt.Sprintf("%#x", off) },
		Alarms: inspect.Alarms{Wait: -1},
	}))
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest("GET", "/debug/spanlock?format=text", nil))
	for line := range strings.Lines(answer.Body.String()) {
		if !strings.HasPrefix(line, "#") {
			fmt.Print(strings.ReplaceAll(line, "\t", "  "))
		}
	}
	// Output: 0x1000-0x2000  free  0
}
