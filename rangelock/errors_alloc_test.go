//go:build !spanlockdebug

package rangelock_test

import "testing"

// TestErrorsCost refuses operations in a loop: an error is one small object, and its text is not
// made until it is asked for.
//
// It kills 194_error_written_at_once.
func TestErrorsCost(t *testing.T) {
	m, _ := tens("a", "b")
	w := m.Lock()
	defer w.Unlock()
	for name, do := range map[string]func() error{
		"Insert": func() error { return w.Insert(rg(5, 15), "x") },
		"Remove": func() error { return second(w.Remove(rg(5, 20))) },
		"Update": func() error { return w.Update(77, "x") },
		"Split":  func() error { return w.Split(77) },
	} {
		if n := testing.AllocsPerRun(100, func() {
			if do() == nil {
				t.Fatalf("%s succeeds", name)
			}
		}); n > 1 {
			t.Errorf("a refused %s allocates %v times", name, n)
		}
	}
}
