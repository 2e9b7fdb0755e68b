package rangetree_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spanlock/spanlock/internal/rangetree"
)

// entry is what a test keeps for a range.
type entry[K any] struct {
	rangetree.Entry[K]
}

// keys is a kind of key: a number of keys in order, and a tree of them.
type keys[K any] struct {
	of      func(i int) K // rises with i, which is in [0, n)
	n       int
	init    func(*rangetree.Tree[K])
	compare func(a, b K) int
}

func ordered[K cmp.Ordered](n int, of func(int) K) keys[K] {
	return keys[K]{of, n, rangetree.InitOrdered[K], cmp.Compare[K]}
}

// each runs f with each kind of key.
func each(t *testing.T, run func(t *testing.T, kind string)) {
	for _, kind := range []string{"uint64", "uint64/top", "int", "int8", "float64", "float32", "string", "string/zeros", "bytes", "func"} {
		t.Run(kind, func(t *testing.T) { run(t, kind) })
	}
}

func pathKey(i int) string {
	dirs := []string{"", "a", "alpha/", "alpha/beta/gamma/", "alpha/beta/gamma/delta/epsilon/", "zz"}
	return fmt.Sprintf("%s%03d%s", dirs[i/60%len(dirs)], i%60, []string{"", "tail of more than eight"}[i%2])
}

func runKind(t *testing.T, kind string, seed uint64, steps int) {
	switch kind {
	case "uint64":
		runModel(t, ordered(200, func(i int) uint64 { return uint64(i) * 3 }), seed, steps)
	case "uint64/top": // the largest key is equal to that of a free slot
		runModel(t, ordered(200, func(i int) uint64 { return math.MaxUint64 - uint64(199-i) }), seed, steps)
	case "int":
		runModel(t, ordered(200, func(i int) int { return (i - 100) << 20 }), seed, steps)
	case "int8":
		runModel(t, ordered(200, func(i int) int8 { return int8(i - 100) }), seed, steps)
	case "float64":
		runModel(t, ordered(200, func(i int) float64 {
			switch i {
			case 0:
				return math.Inf(-1)
			case 100:
				return math.Copysign(0, -1)
			case 199:
				return math.Inf(1)
			}
			return float64(i-100) / 3
		}), seed, steps)
	case "float32":
		runModel(t, ordered(200, func(i int) float32 { return float32(i-100) / 3 }), seed, steps)
	case "string":
		runModel(t, ordered(200, func(i int) string { return fmt.Sprintf("common prefix %d/%05d", i/30, i) }), seed, steps)
	case "string/zeros":
		all := []string{""}
		for i := range 199 {
			all = append(all, pathKey(i), fmt.Sprint(i, "\x00"), string(bytes.Repeat([]byte{0}, i%9))+fmt.Sprint(i))
		}
		slices.Sort(all)
		all = slices.Compact(all)[:200]
		runModel(t, ordered(200, func(i int) string { return all[i] }), seed, steps)
	case "bytes":
		k := keys[[]byte]{n: 200, compare: bytes.Compare, of: func(i int) []byte { return []byte(fmt.Sprintf("%c%d/%05d", 'a'+i/70, i/20, i)) }}
		k.init = func(t *rangetree.Tree[[]byte]) { rangetree.Init(t, bytes.Compare) }
		all := make([][]byte, 200)
		for i := range all {
			all[i] = k.of(i)
		}
		slices.SortFunc(all, bytes.Compare)
		k.of = func(i int) []byte { return all[i] }
		runModel(t, k, seed, steps)
	case "func":
		type pair struct{ a, b int }
		k := keys[pair]{n: 200, of: func(i int) pair { return pair{i / 10, -(i % 10)} }}
		k.compare = func(x, y pair) int {
			if c := cmp.Compare(x.a, y.a); c != 0 {
				return c
			}
			return cmp.Compare(y.b, x.b)
		}
		k.init = func(t *rangetree.Tree[pair]) { rangetree.Init(t, k.compare) }
		runModel(t, k, seed, steps)
	}
}

// span is a range in a model, as indexes of keys. hi may be k.n, which means no bound.
type span[K any] struct {
	lo, hi int
	e      *entry[K]
}

// model is a tree beside the sorted ranges that should be in it.
type model[K any] struct {
	t    *testing.T
	k    keys[K]
	tree rangetree.Tree[K]
	want []span[K]
}

func (m *model[K]) entry(lo, hi int) *entry[K] {
	e := new(entry[K])
	var end K
	if hi < m.k.n {
		end = m.k.of(hi)
	}
	m.tree.Set(&e.Entry, m.k.of(lo), end, hi == m.k.n)
	return e
}

// overlapping returns the part of m.want that overlaps [lo, hi).
func (m *model[K]) overlapping(lo, hi int) (i, j int) {
	for i < len(m.want) && m.want[i].hi <= lo {
		i++
	}
	for j = i; j < len(m.want) && m.want[j].lo < hi; j++ {
	}
	return i, j
}

func (m *model[K]) insert(lo, hi int, roomy bool) {
	e := m.entry(lo, hi)
	i, j := m.overlapping(lo, hi)
	var s rangetree.Slot[K]
	for {
		in := m.tree.Place(&s, e.Lo, e.Hi, e.Unbounded())
		if in != nil {
			if i == j {
				m.t.Fatalf("[%d, %d): in the way is %v", lo, hi, in.Lo)
			}
			return
		}
		if i != j {
			m.t.Fatalf("[%d, %d): nothing is in the way, not %v", lo, hi, m.want[i])
		}
		if !roomy || m.tree.MakeRoom(&s) {
			break
		}
		m.check()
	}
	m.tree.Insert(&s, &e.Entry)
	m.want = slices.Insert(m.want, i, span[K]{lo, hi, e})
}

func (m *model[K]) collect(lo, hi int) (x rangetree.Cut[K], i, j int) {
	i, j = m.overlapping(lo, hi)
	var got []*rangetree.Entry[K]
	q := m.entry(lo, hi)
	m.tree.Collect(&x, q.Lo, q.Hi, q.Unbounded(), func(e *rangetree.Entry[K]) { got = append(got, e) })
	if len(got) != j-i {
		m.t.Fatalf("[%d, %d): %d entries, want %v", lo, hi, len(got), m.want[i:j])
	}
	for k, e := range got {
		if e != &m.want[i+k].e.Entry {
			m.t.Fatalf("[%d, %d): entry %d is %v", lo, hi, k, e.Lo)
		}
	}
	return x, i, j
}

func (m *model[K]) remove(lo, hi int) {
	x, i, j := m.collect(lo, hi)
	if j == i+1 && m.want[i].lo <= lo {
		x = rangetree.Cut[K]{} // the other way to find the one entry
		if got := m.tree.CollectAt(&x, m.k.of(lo)); got != &m.want[i].e.Entry {
			m.t.Fatalf("CollectAt(%d) is %v, want %v", lo, got, m.want[i])
		}
	} else if i == j || m.want[i].lo > lo {
		if got := m.tree.CollectAt(new(rangetree.Cut[K]), m.k.of(lo)); got != nil {
			m.t.Fatalf("CollectAt(%d) is %v, want nothing", lo, got.Lo)
		}
	}
	if i < j {
		m.tree.Remove(&x)
		m.want = slices.Delete(m.want, i, j)
	}
}

// replace puts one range in place of all ranges that overlap [lo, hi), as wide as they are.
func (m *model[K]) replace(lo, hi int) {
	x, i, j := m.collect(lo, hi)
	if i == j {
		return
	}
	lo, hi = min(lo, m.want[i].lo), max(hi, m.want[j-1].hi)
	e := m.entry(lo, hi)
	m.tree.Supplant(&x, e.Lo, e.Hi, e.Unbounded())
	m.tree.Replace(&x, &e.Entry)
	m.want = slices.Replace(m.want, i, j, span[K]{lo, hi, e})
}

// overlay lays a range over those that overlap it. What sticks out of it stays.
func (m *model[K]) overlay(lo, hi int) {
	i, j := m.overlapping(lo, hi)
	e := m.entry(lo, hi)
	var x rangetree.Overlay[K]
	n := i
	m.tree.PlanOverlay(&x, e.Lo, e.Hi, e.Unbounded(), func(e *rangetree.Entry[K]) {
		if n >= j || e != &m.want[n].e.Entry {
			m.t.Fatalf("[%d, %d) over %v: entry %d is %v", lo, hi, m.want[i:j], n-i, e.Lo)
		}
		n++
	})
	if n != j {
		m.t.Fatalf("[%d, %d) over %d entries, want %v", lo, hi, n-i, m.want[i:j])
	}
	m.check() // the plan has changed nothing
	var add []span[K]
	var left, right *rangetree.Entry[K]
	if i < j && m.want[i].lo < lo {
		l := m.entry(m.want[i].lo, lo)
		left, add = &l.Entry, append(add, span[K]{m.want[i].lo, lo, l})
	}
	add = append(add, span[K]{lo, hi, e})
	if i < j && m.want[j-1].hi > hi {
		r := m.entry(hi, m.want[j-1].hi)
		right, add = &r.Entry, append(add, span[K]{hi, m.want[j-1].hi, r})
	}
	if (x.Left != nil) != (left != nil) || (x.Right != nil) != (right != nil) {
		m.t.Fatalf("[%d, %d) over %v: Left is %v, Right is %v", lo, hi, m.want[i:j], x.Left, x.Right)
	}
	m.tree.Overlay(&x, left, &e.Entry, right)
	m.want = slices.Replace(m.want, i, j, add...)
}

// build appends ranges behind the last one.
func (m *model[K]) build(n int, rng *rand.Rand) {
	at := 0
	if len(m.want) > 0 {
		at = m.want[len(m.want)-1].hi
	}
	b := m.tree.Append()
	for range n {
		lo := at + rng.IntN(2)
		hi := lo + 1 + rng.IntN(2)
		if hi > m.k.n || lo >= m.k.n {
			break
		}
		e := m.entry(lo, hi)
		b.Add(&e.Entry)
		m.want = append(m.want, span[K]{lo, hi, e})
		at = hi
	}
	b.Publish()
}

// check compares the whole tree with the model.
func (m *model[K]) check() {
	m.t.Helper()
	if err := m.tree.Verify(); err != nil {
		m.t.Fatal(err)
	}
	var c rangetree.Cursor[K]
	i := 0
	m.tree.First(&c)
	for e := c.Entry(); e != nil; e = c.Entry() {
		if i >= len(m.want) || e != &m.want[i].e.Entry {
			m.t.Fatalf("entry %d is at %v; %d wanted", i, e.Lo, len(m.want))
		}
		i++
		c.Next()
	}
	if i != len(m.want) {
		m.t.Fatalf("%d entries, want %d", i, len(m.want))
	}
	var last *rangetree.Entry[K]
	if i > 0 {
		last = &m.want[i-1].e.Entry
	}
	if got := m.tree.Last(); got != last {
		m.t.Fatalf("Last is %v", got)
	}
}

// search compares the results of the searches for one key.
func (m *model[K]) search(at int) {
	m.t.Helper()
	i, j := m.overlapping(at, at+1)
	key := m.k.of(at)
	var want *rangetree.Entry[K]
	if i < j {
		want = &m.want[i].e.Entry
	}
	if got, _ := m.tree.Find(key); got != want {
		m.t.Fatalf("Find(%v) is %v, want %v", key, got, want)
	}
	var seen *rangetree.Entry[K]
	if m.tree.Look(key, func(e *rangetree.Entry[K]) bool { seen = e; return true }) != (want != nil) || seen != want {
		m.t.Fatalf("Look(%v) shows %v, want %v", key, seen, want)
	}
	var next *rangetree.Entry[K]
	if i < len(m.want) {
		next = &m.want[i].e.Entry
	}
	var c rangetree.Cursor[K]
	if got := m.tree.SeekOverlap(&c, key); got != next {
		m.t.Fatalf("SeekOverlap(%v) is %v, want %v", key, got, next)
	}
	if next == nil {
		return
	}
	var before *rangetree.Entry[K]
	if i > 0 {
		before = &m.want[i-1].e.Entry
	}
	if got := c.Back(); got != before {
		m.t.Fatalf("before what ends after %v is %v, want %v", key, got, before)
	}
}

func runModel[K any](t *testing.T, k keys[K], seed uint64, steps int) {
	m := &model[K]{t: t, k: k}
	k.init(&m.tree)
	rng := rand.New(rand.NewPCG(seed, 1))
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	for range steps {
		lo := rng.IntN(k.n)
		width := 1 + rng.IntN(3)
		if rng.IntN(20) == 0 {
			width = 1 + rng.IntN(k.n/2)
		}
		hi := min(lo+width, k.n)
		switch rng.IntN(15) {
		case 12, 13, 14:
			m.overlay(lo, hi)
		case 0, 1, 2, 3, 4:
			m.insert(lo, hi, rng.IntN(4) == 0)
		case 5, 6, 7:
			m.remove(lo, hi)
		case 8, 9:
			m.replace(lo, hi)
		case 10:
			m.build(rng.IntN(40), rng)
		default:
			if rng.IntN(40) == 0 {
				m.tree.Clear()
				m.want = m.want[:0]
			}
		}
		m.check()
		m.search(rng.IntN(k.n))
	}
	for at := range k.n {
		m.search(at)
	}
}

// TestModel does random operations on trees and on sorted slices.
func TestModel(t *testing.T) {
	each(t, func(t *testing.T, kind string) {
		t.Parallel()
		steps := 4000
		if testing.Short() {
			steps = 1000
		}
		runKind(t, kind, rand.Uint64(), steps)
	})
}

// FuzzModel is TestModel with the fuzzer's seeds.
func FuzzModel(f *testing.F) {
	f.Add(uint64(1), byte(0))
	kinds := []string{"uint64/top", "float64", "string/zeros", "bytes", "func"}
	f.Fuzz(func(t *testing.T, seed uint64, kind byte) {
		runKind(t, kinds[int(kind)%len(kinds)], seed, 200)
	})
}
