package raw

import "testing"

type name string

// TestViews: a view shows the same memory.
func TestViews(t *testing.T) {
	n := name("a name")
	if s := As[string](&n); s != "a name" {
		t.Errorf("As: %q", s)
	}
	b := [3]byte{'x', 'y', 'z'}
	view := Text(Memory(&b))
	if b[1] = '-'; view != "x-z" {
		t.Errorf("Text: %q", view)
	}
	if Text(nil) != "" {
		t.Error("Text of nothing")
	}
}
