package rangelock_test

import (
	"cmp"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// testMany compares GetMany with Get, for keys in ranges and in gaps.
func testMany[K, V any](t *testing.T, m *rangelock.Map[K, V], key func(i int) K, value func(i int) V, same func(a, b V) bool) {
	t.Helper()
	const n = 2000
	w := m.Lock()
	for i := 0; i < n; i += 3 {
		must(t, w.Insert(rangelock.Span(key(i), key(i+2)), value(i)))
	}
	w.Unlock()
	for _, size := range []int{0, 1, 15, 16, 17, 100} {
		keys := make([]K, size)
		for i := range keys {
			keys[i] = key(rand.IntN(n))
		}
		next := 0
		m.GetMany(keys, func(i int, v V, ok bool) {
			if i != next {
				t.Errorf("number %d after %d", i, next-1)
			}
			next++
			want, there := m.Get(keys[i])
			if ok != there || ok && !same(v, want) {
				t.Errorf("of %d keys number %d, %v, has %v, %v, want %v, %v", size, i, keys[i], v, ok, want, there)
			}
		})
		if next != size {
			t.Errorf("%d answers for %d keys", next, size)
		}
	}
}

func equal[V comparable](a, b V) bool { return a == b }

// TestGetMany checks that GetMany gives for each key what Get returns.
func TestGetMany(t *testing.T) {
	number := func(i int) int { return i }
	t.Run("int", func(t *testing.T) {
		testMany(t, rangelock.New[int, int](nil), func(i int) int { return i - 1000 }, number, equal[int])
	})
	t.Run("int, string", func(t *testing.T) {
		testMany(t, rangelock.New[int, string](nil), number, strconv.Itoa, equal[string])
	})
	t.Run("string", func(t *testing.T) {
		testMany(t, rangelock.New[string, string](nil), func(i int) string { return strconv.Itoa(10_000 + i) }, strconv.Itoa, equal[string])
	})
	t.Run("func", func(t *testing.T) {
		testMany(t, rangelock.NewFunc[int, string](cmp.Compare[int], nil), number, strconv.Itoa, equal[string])
	})
}
