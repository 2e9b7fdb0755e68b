//go:build linux

package rangelock_test

import (
	"bytes"
	"runtime/debug"
	"syscall"
	"testing"
	"unsafe"

	"github.com/spanlock/spanlock/rangelock"
)

// TestFaultingKey searches with a key in memory that cannot be read. Under debug.SetPanicOnFault
// the fault is a panic. The panic must not leave a pin behind.
func TestFaultingKey(t *testing.T) {
	bad, err := syscall.Mmap(-1, 0, 4096, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(bad)
	texts := rangelock.New[string, int](nil)
	faultingKey(t, "string", texts, unsafe.String(&bad[0], len(bad)), "a", "b")
	for name, compare := range map[string]func(a, b []byte) int{
		"the user's compare": func(a, b []byte) int { return bytes.Compare(a, b) },
		"bytes.Compare":      bytes.Compare,
	} {
		faultingKey(t, name, rangelock.NewFunc[[]byte, int](compare, nil), bad, []byte("a"), []byte("b"))
	}
}

func faultingKey[K any](t *testing.T, name string, m *rangelock.Map[K, int], bad, lo, hi K) {
	if err := m.Insert(bg, rangelock.Span(lo, hi), 1); err != nil {
		t.Fatal(err)
	}
	for form, read := range map[string]func(){
		"Acquire":          func() { m.Acquire(bad) },
		"TryAcquire":       func() { m.TryAcquire(bad) },
		"Get":              func() { m.Get(bad) },
		"AcquireNext":      func() { m.AcquireNext(bad) },
		"AcquireExclusive": func() { m.AcquireExclusive(bad) },
		"Insert":           func() { m.Insert(bg, rangelock.From(bad), 1) },
	} {
		func() {
			defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
			defer func() {
				if recover() == nil {
					t.Errorf("%s, %s: no panic", name, form)
				}
			}()
			read()
		}()
		if n := m.Stats().Domain.Pins; n != 0 {
			t.Fatalf("%s, %s: %d pins are left behind", name, form, n)
		}
	}
	if err := m.Close(bg); err != nil {
		t.Error(err)
	}
}
