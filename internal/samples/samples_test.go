package samples_test

import (
	"runtime"
	"testing"

	"github.com/spanlock/spanlock/internal/samples"
)

// book is a profile.
type book struct {
	t    *testing.T
	list map[any]bool
}

func (b *book) Add(value any, skip int) {
	if b.list[value] {
		b.t.Error("added twice")
	}
	b.list[value] = true
}

func (b *book) Remove(value any) {
	if !b.list[value] {
		b.t.Error("removed what is not there")
	}
	delete(b.list, value)
}

// pages is the profile of all tests here, because only the first rate sets it.
var pages = &book{list: make(map[any]bool)}

func rate(t *testing.T, n int) int {
	pages.t = t
	return samples.SetRate(n, func() samples.Profile { return pages })
}

// TestNumbers: numbers are not 0 and below Most, and each sample has its own. A free number
// is used again. Only the owner can end a sample, and only once. Beyond Most there are no
// samples.
func TestNumbers(t *testing.T) {
	rate(t, 1)
	defer rate(t, 0)
	owner := make(map[uint32]uint64)
	for i := range samples.Most - 1 {
		n := samples.Add(uint64(i+1), "none")
		if n == 0 || n >= samples.Most || owner[n] != 0 {
			t.Fatalf("sample %d has the number %d of sample %d", i, n, owner[n])
		}
		owner[n] = uint64(i + 1)
	}
	if n := samples.Add(1, "none"); n != 0 {
		t.Errorf("one too many has the number %d", n)
	}
	if len(pages.list) != samples.Most-1 {
		t.Errorf("%d are listed", len(pages.list))
	}
	for _, x := range []struct {
		owner  uint64
		number uint32
		want   bool
	}{{owner[8], 7, false}, {0, 0, false}, {1, samples.Most, false}, {owner[7], 7, true}, {owner[7], 7, false}} {
		if got := samples.Remove(x.owner, x.number); got != x.want {
			t.Errorf("Remove(%d, %d) = %t", x.owner, x.number, got)
		}
	}
	if n := samples.Add(77, "none"); n != 7 {
		t.Errorf("the free number 7 is not used again, but %d", n)
	}
	samples.Remove(77, 7)
	for n := uint32(1); n < samples.Most; n++ {
		if n != 7 && !samples.Remove(owner[n], n) {
			t.Fatalf("no sample %d", n)
		}
	}
	if len(pages.list) != 0 {
		t.Errorf("%d are still listed", len(pages.list))
	}
}

// TestSwitches: an enlisted switch follows the rate, and keeps its owner's bits.
func TestSwitches(t *testing.T) {
	const bits = samples.On << 1
	var a, b, loose samples.Switch
	for _, s := range []*samples.Switch{&a, &b, &loose} {
		s.Init(bits)
	}
	samples.Enlist(&a)
	if got := rate(t, 3); got != 0 {
		t.Errorf("the rate was %d", got)
	}
	samples.Enlist(&b)
	want := func(when string, on uint32) {
		t.Helper()
		if a.Load() != bits|on || b.Load() != bits|on || loose.Load() != bits {
			t.Errorf("%s: %b, %b, and %b without a rate", when, a.Load(), b.Load(), loose.Load())
		}
	}
	want("at 3", samples.On)
	if got := rate(t, -1); got != 3 {
		t.Errorf("the rate is %d", got)
	}
	want("still at 3", samples.On)
	if got := rate(t, 0); got != 3 {
		t.Errorf("the rate was %d", got)
	}
	want("at 0", 0)
	if samples.Draw() {
		t.Error("drawn at 0")
	}
}

// TestForgotten: the list does not grow with the switches that are gone.
func TestForgotten(t *testing.T) {
	for range 50 {
		for range 1000 {
			samples.Enlist(&new(struct {
				_ [64]byte
				s samples.Switch
			}).s)
		}
		runtime.GC()
	}
	if n := samples.Enlisted(); n > 10_000 {
		t.Errorf("%d switches in the list, of which nearly all are gone", n)
	}
}
