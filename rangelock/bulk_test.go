package rangelock_test

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"weak"

	"github.com/spanlock/spanlock/rangelock"
)

// TestLoadModel runs random transactions on two maps. What one map gets by Load the other gets by
// one Insert after the other. The sequences are in order or out of order, go into empty maps and
// into filled ones, and have ranges that overlap or are not valid. They panic midway, and use the
// transaction in between. The two maps must be equal, in the transaction and after it.
//
// It kills 158_load_unseen.
func TestLoadModel(t *testing.T) {
	t.Run("uint64", func(t *testing.T) {
		loadModel(t, rangelock.New[uint64, int], func(i int) uint64 { return uint64(i) * 3 })
	})
	t.Run("string", func(t *testing.T) {
		loadModel(t, rangelock.New[string, int], func(i int) string {
			return []string{"", "a", "a common beginning "}[i/1500%3] + fmt.Sprintf("%c%05d", 'a'+i/1500, i)
		})
	})
	t.Run("func", func(t *testing.T) {
		create := func(o *rangelock.Options[place, int]) *rangelock.Map[place, int] {
			return rangelock.NewFunc(comparePlaces, o)
		}
		loadModel(t, create, func(i int) place { return place{file: fmt.Sprintf("%05d", i/50), off: int64(i % 50)} })
	})
}

// twins is two maps that must be equal.
type twins[K any] struct {
	t    *testing.T
	rng  *rand.Rand
	key  func(int) K               // increases, up to loadKeys
	maps [2]*rangelock.Map[K, int] // filled by Load and by Insert
	ws   [2]rangelock.Writer[K, int]
	next int // the next value
	top  int // no range was ever inserted behind it
}

const loadKeys = 6000

func loadModel[K any](t *testing.T, create func(*rangelock.Options[K, int]) *rangelock.Map[K, int], key func(int) K) {
	seed := rand.Uint64()
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	x := &twins[K]{t: t, rng: rand.New(rand.NewPCG(seed, 0)), key: key}
	for i := range x.maps {
		x.maps[i] = create(nil)
	}
	for range byBuild(40, 150) {
		for i, m := range x.maps {
			x.ws[i] = m.Lock()
		}
		for range 1 + x.rng.IntN(3) {
			if x.rng.IntN(3) > 0 {
				x.load()
			} else {
				x.both(x.something())
			}
			if a, b := x.maps[0].Len(), x.maps[1].Len(); a != b {
				t.Fatalf("Len is %d in the transaction, want %d", a, b)
			}
		}
		downgrade := x.rng.IntN(2) == 0
		for _, w := range x.ws {
			if downgrade {
				w.Downgrade().Unlock()
			} else {
				w.Unlock()
			}
		}
		x.alike()
		if t.Failed() {
			return
		}
	}
}

// operation does something with a map in a transaction and returns the result as text.
type operation[K any] func(m *rangelock.Map[K, int], w rangelock.Writer[K, int]) string

// both runs do on both maps, and compares the results.
func (x *twins[K]) both(name string, do operation[K]) {
	x.t.Helper()
	if got, want := do(x.maps[0], x.ws[0]), do(x.maps[1], x.ws[1]); got != want {
		x.t.Fatalf("%s is %s where ranges were loaded, and %s where they were inserted", name, got, want)
	}
}

// something returns a random operation that is not Load.
func (x *twins[K]) something() (string, operation[K]) {
	lo := x.rng.IntN(min(x.top+10, loadKeys))
	key, r := x.key(lo), rangelock.Span(x.key(lo), x.key(lo+1+x.rng.IntN(20)))
	v := x.next
	x.next++
	switch x.rng.IntN(8) {
	case 0:
		return "Insert", func(_ *rangelock.Map[K, int], w rangelock.Writer[K, int]) string { return fmt.Sprint(w.Insert(r, v)) }
	case 1:
		return "Remove", func(_ *rangelock.Map[K, int], w rangelock.Writer[K, int]) string { return fmt.Sprint(w.Remove(r)) }
	case 2:
		return "Retire", func(_ *rangelock.Map[K, int], w rangelock.Writer[K, int]) string {
			return fmt.Sprint(w.Retire(rangelock.From(key)))
		}
	case 3:
		return "Overlapping", func(_ *rangelock.Map[K, int], w rangelock.Writer[K, int]) string { return pairs(w.Overlapping(r)) }
	case 4:
		return "Exclude", func(_ *rangelock.Map[K, int], w rangelock.Writer[K, int]) string { return fmt.Sprint(w.Exclude(r)) }
	case 5:
		if x.rng.IntN(10) == 0 {
			x.top = 0
			return "Clear", func(_ *rangelock.Map[K, int], w rangelock.Writer[K, int]) string { return fmt.Sprint(w.Clear()) }
		}
		fallthrough
	case 6:
		return "TryAcquire", func(m *rangelock.Map[K, int], _ rangelock.Writer[K, int]) string {
			g, err := m.TryAcquire(key)
			if err != nil {
				return err.Error()
			}
			defer g.Release()
			return fmt.Sprint(g.Range(), g.Value())
		}
	}
	return "Find", func(_ *rangelock.Map[K, int], w rangelock.Writer[K, int]) string { return fmt.Sprint(w.Find(key)) }
}

// step is a range that a sequence yields, or what the sequence does instead.
type step[K any] struct {
	r      rangelock.Range[K]
	v      int
	name   string
	do     operation[K]
	panics bool
}

// steps returns a random sequence.
func (x *twins[K]) steps() (steps []step[K]) {
	at, inOrder := x.top, x.rng.IntN(4) > 0
	if x.rng.IntN(4) == 0 {
		at = x.rng.IntN(loadKeys)
	}
	n := x.rng.IntN([]int{5, 40, 200, 1500}[x.rng.IntN(4)])
	odd := 20 * (1 + x.rng.IntN(100)) // about one step in so many is of each other kind than a good range
	for range n {
		if !inOrder {
			at = x.rng.IntN(loadKeys)
		}
		lo := at + x.rng.IntN(2)
		hi := lo + 1 + x.rng.IntN(3)
		if hi > loadKeys {
			break
		}
		s := step[K]{r: rangelock.Span(x.key(lo), x.key(hi)), v: x.next}
		x.next++
		switch x.rng.IntN(odd) {
		case 0:
			s.r = rangelock.Span(x.key(hi), x.key(lo))
		case 1:
			s.r = rangelock.Span(x.key(max(0, lo-5)), x.key(hi))
		case 2:
			s.r = rangelock.From(x.key(lo))
		case 3:
			s.panics = true
		case 4, 5, 6, 7, 8, 9:
			s.name, s.do = x.something()
		}
		at = hi
		x.top = max(x.top, hi)
		steps = append(steps, s)
	}
	return steps
}

// load calls Load on one map, and inserts the same ranges into the other.
func (x *twins[K]) load() {
	steps := x.steps()
	var did, wantDid []string
	n, err := -1, error(nil)
	func() {
		defer func() {
			if v := recover(); v != nil && v != "midway" {
				panic(v)
			}
		}()
		n, err = x.ws[0].Load(func(yield func(rangelock.Range[K], int) bool) {
			for _, s := range steps {
				if s.panics {
					panic("midway")
				}
				if s.do != nil {
					did = append(did, s.name+" "+s.do(x.maps[0], x.ws[0]))
				} else if !yield(s.r, s.v) {
					return
				}
			}
		})
	}()
	wantN, wantErr := 0, ""
	for _, s := range steps {
		if s.panics {
			wantN = -1
			break
		}
		if s.do != nil {
			wantDid = append(wantDid, s.name+" "+s.do(x.maps[1], x.ws[1]))
			continue
		}
		if err := x.ws[1].Insert(s.r, s.v); err != nil {
			wantErr = fmt.Sprintf("%s (range %d of Load)", strings.Replace(err.Error(), ": Insert ", ": Load ", 1), wantN)
			break
		}
		wantN++
	}
	if n != wantN || err == nil && wantErr != "" || err != nil && err.Error() != wantErr {
		x.t.Fatalf("Load of %d = %d, %v, want %d, %s", len(steps), n, err, wantN, wantErr)
	}
	if err != nil && !errors.Is(err, rangelock.ErrOverlap) && !errors.Is(err, rangelock.ErrBadRange) {
		x.t.Fatalf("the error wraps nothing: %v", err)
	}
	if !slices.Equal(did, wantDid) {
		x.t.Fatalf("within Load: %q, want %q", did, wantDid)
	}
}

// alike compares the maps while no transaction is under way.
func (x *twins[K]) alike() {
	x.t.Helper()
	for i, m := range x.maps {
		if err := m.Verify(); err != nil {
			x.t.Fatalf("%d: %v", i, err)
		}
	}
	a, b := x.maps[0], x.maps[1]
	if got, want := pairs(a.All()), pairs(b.All()); got != want {
		x.t.Fatalf("loaded were\n%s\ninserted were\n%s", got, want)
	}
	for range 20 {
		key := x.key(x.rng.IntN(loadKeys))
		if v, ok := a.Get(key); fmt.Sprint(v, ok) != fmt.Sprint(b.Get(key)) {
			x.t.Fatalf("Get(%v) is %d, %t, and not as in the map with inserts", key, v, ok)
		}
	}
}

// pairs returns as text what all yields.
func pairs[K, V any](all iter.Seq2[rangelock.Range[K], V]) string {
	var s []byte
	for r, v := range all {
		s = fmt.Append(s, r, "=", v, " ")
	}
	return string(s)
}

// rising yields n ranges of ten keys each, from lo on.
func rising(lo, n int) iter.Seq2[intRange, string] {
	return func(yield func(intRange, string) bool) {
		for i := range n {
			if !yield(rg(lo+10*i, lo+10*i+10), "new") {
				return
			}
		}
	}
}

// TestLoadNotEarly checks that no reader can enter a range of a Load before the transaction ends,
// whether or not the transaction has searched the map after the Load.
//
// It kills 156_load_open_early.
func TestLoadNotEarly(t *testing.T) {
	for name, look := range map[string]func(w intWriter){
		"unseen": func(intWriter) {},
		"seen":   func(w intWriter) { w.Find(0) },
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := tens()
			w := m.Lock()
			if n, err := w.Load(rising(0, 50)); n != 50 || err != nil {
				t.Fatal(n, err)
			}
			look(w)
			for i := range 50 {
				wantTry(t, m, 10*i, rangelock.ErrBusy)
			}
			w.Unlock()
			for i := range 50 {
				wantTry(t, m, 10*i, "new")
			}
			usable(t, m)
		})
	}
}

// TestLoadSeen runs each operation of a Writer right after a Load. The result must be the same as
// after Inserts.
//
// It kills 158_load_unseen.
func TestLoadSeen(t *testing.T) {
	for name, do := range map[string]func(w intWriter) string{
		"Find":        func(w intWriter) string { return fmt.Sprint(w.Find(105)) },
		"Overlapping": func(w intWriter) string { return pairs(w.Overlapping(rg(95, 125))) },
		"Insert":      func(w intWriter) string { return fmt.Sprint(w.Insert(rg(100, 105), "x")) },
		"Load":        func(w intWriter) string { return fmt.Sprint(w.Load(rising(490, 50))) },
		"Load behind": func(w intWriter) string { return fmt.Sprint(w.Load(rising(500, 50))) },
		"Remove":      func(w intWriter) string { return fmt.Sprint(w.Remove(rg(0, 300))) },
		"Retire":      func(w intWriter) string { return fmt.Sprint(w.Retire(rg(-10, 20))) },
		"Extract":     func(w intWriter) string { return fmt.Sprint(w.Extract(105)) },
		"Clear":       func(w intWriter) string { return fmt.Sprint(w.Clear()) },
		"Update":      func(w intWriter) string { return fmt.Sprint(w.Update(5, "x")) },
		"Swap":        func(w intWriter) string { return fmt.Sprint(w.Swap(rg(100, 200), "x")) },
		"Replace":     func(w intWriter) string { return fmt.Sprint(w.Replace(rg(100, 200), "x")) },
		"Resize":      func(w intWriter) string { return fmt.Sprint(w.Resize(495, rg(490, 600))) },
		"Merge":       func(w intWriter) string { return fmt.Sprint(w.Merge(100)) },
		"TryExclude":  func(w intWriter) string { return fmt.Sprint(w.TryExclude(rg(0, 500))) },
	} {
		t.Run(name, func(t *testing.T) {
			var maps [2]*intMap
			var said [2]string
			for i := range maps {
				m, _ := tens()
				maps[i] = m
				w := m.Lock()
				if i == 0 {
					if n, err := w.Load(rising(0, 50)); n != 50 || err != nil {
						t.Fatal(n, err)
					}
				} else {
					for r, v := range rising(0, 50) {
						must(t, w.Insert(r, v))
					}
				}
				said[i] = do(w)
				w.Unlock()
			}
			if said[0] != said[1] {
				t.Errorf("%s, want %s", said[0], said[1])
			}
			if got, want := text(maps[0].All()), text(maps[1].All()); got != want {
				t.Errorf("the map is %s, want %s", got, want)
			}
			usable(t, maps[0])
		})
	}
}

// TestLoadKeepsLittle fills and empties a map over and over. Load allocates several range objects
// at a time. Of those that it does not need the map keeps a bounded number.
//
// It kills 160_spare_unbounded.
func TestLoadKeepsLittle(t *testing.T) {
	m := rangelock.New[int, *block](nil)
	for range 400 {
		w := m.Lock()
		w.Clear()
		n, err := w.Load(func(yield func(intRange, *block) bool) { yield(rg(0, 10), nil) })
		if n != 1 || err != nil {
			t.Fatal(n, err)
		}
		w.Unlock()
	}
	if headers, _ := m.FreeList(); headers > 2*rangelock.FreeListBound() {
		t.Errorf("%d range objects are kept for %d ranges", headers, m.Len())
	}
}

// TestLoadKeepsNothing removes every second range of a Load. These are more than the map keeps range
// objects for. The ranges that stay must not keep the values of the removed ones from the
// collector.
//
// It kills 159_dropped_uncleared.
func TestLoadKeepsNothing(t *testing.T) {
	m := rangelock.New[int, *block](nil)
	n := 3 * rangelock.FreeListBound()
	gone := loadBlocks(t, m, n)
	w := m.Lock()
	for k := 1; k < n; k += 2 {
		if got, err := w.Remove(rangelock.Span(10*k, 10*k+5)); got != 1 || err != nil {
			t.Fatal(got, err)
		}
	}
	w.Unlock()
	if !collected(gone) {
		t.Error("ranges that are in the map keep values of ranges that have left it")
	}
	if m.Len() != n/2 {
		t.Errorf("Len is %d", m.Len())
	}
}

// loadBlocks loads n ranges and returns weak pointers to the values of every second range.
//
//go:noinline
func loadBlocks(t *testing.T, m *rangelock.Map[int, *block], n int) (ps []weak.Pointer[block]) {
	w := m.Lock()
	got, err := w.Load(func(yield func(rangelock.Range[int], *block) bool) {
		for k := range n {
			v := &block{n: k}
			if k%2 == 1 {
				ps = append(ps, weak.Make(v))
			}
			if !yield(rangelock.Span(10*k, 10*k+5), v) {
				return
			}
		}
	})
	if got != n || err != nil {
		t.Fatal(got, err)
	}
	w.Unlock()
	return ps
}
