package main

import (
	"slices"
	"testing"
	"time"
)

// model is the simplest implementation of what every store does.
type model struct {
	ranges map[int]int // number of a range to its value
}

func (m *model) read(key uint64) int { return m.ranges[int(key/width)] }

func (m *model) walk() (sum int) {
	for _, v := range m.ranges {
		sum += v
	}
	return sum
}

// Every store, ours and the rivals, gives the same results as the model after random
// changes, made one at a time and several at once.
func TestStoresConform(t *testing.T) {
	t.Run("uint64", func(t *testing.T) { conform(t, uint64Kind) })
	t.Run("string", func(t *testing.T) { conform(t, stringKind) })
	t.Run("bytes", func(t *testing.T) { conform(t, bytesKind) })
}

func conform[K any](t *testing.T, k *kind[K]) {
	const n = 300
	if names := names(newStores(k)); !slices.Equal(names, storeNames) {
		t.Fatalf("stores are %v, storeNames %v", names, storeNames)
	}
	for _, s := range newStores(k) {
		t.Run(s.name(), func(t *testing.T) {
			m := &model{make(map[int]int)}
			for i := 0; i < n; i += 2 {
				m.ranges[i] = i + 1
			}
			s.load(makeRanges(k, n, 2))
			rng := random(42)
			value := 1000
			for step := range 400 {
				var cs []change[K]
				used := make(map[int]bool)
				for range rng.next()%3 + 1 {
					i := int(rng.next() % n)
					if used[i] {
						continue
					}
					used[i] = true
					value++
					v := value
					r := ranged[K]{k.key(uint64(i) * width), k.key(uint64(i+1) * width), &v}
					switch _, there := m.ranges[i]; {
					case !there:
						cs = append(cs, change[K]{insert, r})
						m.ranges[i] = v
					case rng.next()%2 == 0:
						cs = append(cs, change[K]{swap, r})
						m.ranges[i] = v
					default:
						cs = append(cs, change[K]{remove, r})
						delete(m.ranges, i)
					}
				}
				wait := time.Duration(0)
				if step%50 == 0 {
					wait = time.Microsecond
				}
				s.apply(cs, wait)
				for range 20 {
					key := rng.next() % (n * width)
					if got, want := s.read(k.key(key)), m.read(key); got != want {
						t.Fatalf("step %d: read(%d) = %d, want %d", step, key, got, want)
					}
				}
				for i := range n { // both ends of every range
					for _, key := range []uint64{uint64(i) * width, uint64(i)*width + width - 1} {
						if got, want := s.read(k.key(key)), m.read(key); got != want {
							t.Fatalf("step %d: read(%d) = %d, want %d", step, key, got, want)
						}
					}
				}
				if got, want := s.walk(), m.walk(); got != want {
					t.Fatalf("step %d: walk() = %d, want %d", step, got, want)
				}
			}
			release := s.hold(k.key(0))
			release()
			release = s.hold(k.key(0))
			release()
		})
	}
}

func names[K any](stores []store[K]) []string {
	var names []string
	for _, s := range stores {
		names = append(names, s.name())
	}
	return names
}

// A store that cannot make a change panics.
func TestStoresRefuse(t *testing.T) {
	v := 1
	there := ranged[uint64]{0, width, &v}
	absent := ranged[uint64]{5 * width, 6 * width, &v}
	for which, name := range storeNames {
		for what, c := range map[string]change[uint64]{
			"insert of what is there": {insert, there},
			"removal of what is not":  {remove, absent},
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				s := newStores(uint64Kind)[which]
				s.load([]ranged[uint64]{there})
				defer func() {
					if recover() == nil {
						t.Error("no panic")
					}
				}()
				s.apply([]change[uint64]{c}, 0)
			})
		}
	}
}

// A lookup allocates nothing: a rival that allocated would be slower than necessary.
func TestReadsDoNotAllocate(t *testing.T) {
	readsDoNotAllocate(t, uint64Kind)
	readsDoNotAllocate(t, stringKind)
	readsDoNotAllocate(t, bytesKind)
}

func readsDoNotAllocate[K any](t *testing.T, k *kind[K]) {
	f := newFixture(k, 1000, false)
	i := 0
	for _, s := range f.stores {
		got := testing.AllocsPerRun(1000, func() {
			s.read(f.keys[i&(len(f.keys)-1)])
			i++
		})
		if got != 0 {
			t.Errorf("%s, %s: %v allocations", s.name(), k.name, got)
		}
	}
}

// All keys lie in ranges of the stores, and the missing ranges lie in gaps.
func TestFixture(t *testing.T) {
	const n = 100
	f := newFixture(bytesKind, n, true)
	v := 1
	for _, s := range f.stores {
		for _, key := range f.keys[:1000] {
			if s.read(key) == 0 {
				t.Fatalf("%s: no range at %x", s.name(), key)
			}
		}
		for j := range n {
			if s.read(missing(bytesKind, j, &v).lo) != 0 {
				t.Fatalf("%s: range %d is there", s.name(), j)
			}
		}
	}
}
