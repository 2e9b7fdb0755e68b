package main

import (
	"slices"
	"testing"
)

// TestPart checks that the parts of a whole have every patch once, and that text that is
// not a part is refused.
func TestPart(t *testing.T) {
	var all []*patch
	for range 10 {
		all = append(all, new(patch))
	}
	for _, n := range []string{"1", "3", "10", "12"} {
		var got []*patch
		for k := range 12 {
			var p part
			if err := p.Set(string(rune('0'+k)) + "/" + n); err != nil {
				continue
			}
			got = append(got, p.of(all)...)
		}
		if n != "12" && len(got) != len(all) {
			t.Errorf("%s parts have %d of %d patches", n, len(got), len(all))
		}
		for _, x := range got {
			if !slices.Contains(all, x) {
				t.Errorf("%s parts have another patch", n)
			}
		}
	}
	if got := (part{}).of(all); len(got) != len(all) {
		t.Errorf("the zero part has %d patches", len(got))
	}
	for _, s := range []string{"", "1", "1/", "/3", "3/3", "-1/3", "0/0", "1/3x", "a/3"} {
		p := part{1, 2}
		if p.Set(s) == nil || p != (part{1, 2}) {
			t.Errorf("%q has become %v", s, p)
		}
	}
	p := part{}
	if err := p.Set("2/3"); err != nil || p.String() != "2/3" {
		t.Errorf("2/3 has become %v, %v", p, err)
	}
}
