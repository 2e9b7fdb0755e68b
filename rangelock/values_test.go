package rangelock_test

import (
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// TestValueSizes checks that a guard returns the value that was inserted, for values that contain
// pointers, one of them large. TestValueKinds has more sizes.
func TestValueSizes(t *testing.T) {
	checkValue[uintptr, any](t, nil, "x")
	checkValue[int](t, new(int), nil)
	type large struct {
		s string
		p *int
		a [700]byte
	}
	checkValue[int](t, large{s: "a", p: new(int)}, large{s: "b", a: [700]byte{699: 1}})
}

func checkValue[K int | uintptr | uint8 | uint32, V comparable](t *testing.T, a, b V) {
	t.Helper()
	retired := make(chan V, 10)
	m := rangelock.New(&rangelock.Options[K, V]{OnRetire: func(_ rangelock.Range[K], v V) { retired <- v }})
	if err := m.Insert(bg, rangelock.Span[K](0, 10), a); err != nil {
		t.Fatal(err)
	}
	if err := m.Insert(bg, rangelock.From[K](10), b); err != nil {
		t.Fatal(err)
	}
	ga, _ := m.Acquire(3)
	gb, _ := m.Acquire(255)
	if err := m.Swap(bg, rangelock.From[K](0), b); err != nil {
		t.Fatal(err)
	}
	if ga.Value() != a || gb.Value() != b {
		t.Errorf("the guards' values of type %T are %v and %v", a, ga.Value(), gb.Value())
	}
	if v, ok := m.Get(3); !ok || v != b {
		t.Errorf("Get = %v, %t, want %v", v, ok, b)
	}
	ga.Release()
	gb.Release()
	if err := m.Close(bg); err != nil {
		t.Fatal(err)
	}
	for i, want := range []V{a, b, b} {
		if v := <-retired; v != want {
			t.Errorf("%T %d retired is %v, want %v", a, i, v, want)
		}
	}
}
