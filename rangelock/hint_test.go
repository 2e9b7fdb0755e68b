package rangelock_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/spanlock/spanlock/internal/textkeys"
	"github.com/spanlock/spanlock/rangelock"
)

// textMap is a map whose keys are texts, strings or bytes.
type textMap struct {
	set    func(lo, hi string, v int) error
	remove func(lo, hi string) error
	get    func(key string) (int, bool)
	verify func() error
}

func stringMap() textMap {
	m := rangelock.New[string, int](nil)
	return textMap{
		set: func(lo, hi string, v int) error { return m.Insert(context.Background(), rangelock.Span(lo, hi), v) },
		remove: func(lo, hi string) error {
			_, err := m.Remove(context.Background(), rangelock.Span(lo, hi))
			return err
		},
		get:    m.Get,
		verify: m.Verify,
	}
}

func bytesMap() textMap {
	m := rangelock.NewFunc[[]byte, int](bytes.Compare, nil)
	span := func(lo, hi string) rangelock.Range[[]byte] { return rangelock.Span([]byte(lo), []byte(hi)) }
	return textMap{
		set:    func(lo, hi string, v int) error { return m.Insert(context.Background(), span(lo, hi), v) },
		remove: func(lo, hi string) error { _, err := m.Remove(context.Background(), span(lo, hi)); return err },
		get:    func(key string) (int, bool) { return m.Get([]byte(key)) },
		verify: m.Verify,
	}
}

// TestHints checks that each of many awkward keys is found in its range, and in no other, while
// ranges are inserted and removed.
func TestHints(t *testing.T) {
	for name, m := range map[string]textMap{"string": stringMap(), "bytes": bytesMap()} {
		t.Run(name, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			rng := rand.New(rand.NewPCG(seed, 0))
			n := 3000
			if testing.Short() {
				n = 600
			}
			keys := textkeys.Awkward(rng, n)
			present := make([]bool, n-1) // whether the range from key i to key i+1 is attached
			for round := range 3 {
				for _, i := range rng.Perm(n - 1) {
					var err error
					switch {
					case !present[i]:
						err = m.set(keys[i], keys[i+1], i)
						present[i] = true
					case rng.IntN(2) == 0:
						err = m.remove(keys[i], keys[i+1])
						present[i] = false
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				if err := m.verify(); err != nil {
					t.Fatal(err)
				}
				for i := range n - 1 {
					for _, key := range []string{keys[i], keys[i] + "\x00", keys[i] + "zz", keys[i+1]} {
						at, exact := slices.BinarySearch(keys, key)
						if !exact {
							at--
						}
						v, ok := m.get(key)
						if want := at < n-1 && present[at]; ok != want || ok && v != at {
							t.Fatalf("round %d: the range of %q is %d, %v, want %d, %v", round, key, v, ok, at, want)
						}
					}
				}
			}
		})
	}
}

// TestHintsLeadAstray checks that a key is found or missed correctly also when it is searched in a
// node whose keys have another prefix.
func TestHintsLeadAstray(t *testing.T) {
	m := rangelock.New[string, int](nil)
	begin := strings.Repeat("m", 20)
	for i := range 500 {
		lo, hi := fmt.Sprintf("%s%04d", begin, i), fmt.Sprintf("%s%04d", begin, i+1)
		if err := m.Insert(context.Background(), rangelock.Span(lo, hi), i); err != nil {
			t.Fatal(err)
		}
	}
	// This range follows all of those and reaches far. The keys in it have any prefix.
	if err := m.Insert(context.Background(), rangelock.Span(begin+"0500", "x"), 500); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{begin + "0500", begin + "1", begin[:19] + "n", "n", "mz", "wxyz", begin + "05000000000000"} {
		if v, ok := m.Get(key); !ok || v != 500 {
			t.Errorf("the range of %q is %d, %v, want 500", key, v, ok)
		}
	}
	// At the bytes in which the node's keys differ, this key is equal to one near the end. If only
	// those bytes were compared it would lie between two of them.
	for n := range 4 {
		key := strings.Repeat("n", len(begin)+n) + "0498"[n:]
		if v, ok := m.Get(key); !ok || v != 500 {
			t.Errorf("the range of %q is %d, %v, want 500", key, v, ok)
		}
	}
	// This range ends before them. The hint of a key in it can be above all of their hints.
	if err := m.Insert(context.Background(), rangelock.Span("b", begin+"0000"), 501); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"b", strings.Repeat("c", 40), begin[:19] + "l99999999", begin} {
		if v, ok := m.Get(key); !ok || v != 501 {
			t.Errorf("the range of %q is %d, %v, want 501", key, v, ok)
		}
	}
	for _, key := range []string{"", "a", "axxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "x", "y"} {
		if v, ok := m.Get(key); ok {
			t.Errorf("%q is in no range, and was found in %d", key, v)
		}
	}
}
