package rangetree_test

import (
	"cmp"
	"testing"

	"github.com/spanlock/spanlock/internal/rangetree"
)

// pausing compares ints. At the next comparison of a with b, in the middle of a search, it
// calls then: the change that then makes happens beside the search, without chance.
type pausing struct {
	a, b int
	then func()
}

func (p *pausing) compare(a, b int) int {
	if then := p.then; then != nil && a == p.a && b == p.b {
		p.then = nil
		then()
	}
	return cmp.Compare(a, b)
}

// pausingModel returns a model with the ranges [10*i, 10*i+5) for i below n, inserted in
// order, so that all leaves from the first on are full.
func pausingModel(t *testing.T, n int) (*model[int], *pausing) {
	p := new(pausing)
	k := keys[int]{n: 10*n + 100, of: func(i int) int { return i }, compare: cmp.Compare[int]}
	k.init = func(t *rangetree.Tree[int]) { rangetree.Init(t, p.compare) }
	m := &model[int]{t: t, k: k}
	k.init(&m.tree)
	for i := range n {
		m.insert(10*i, 10*i+5, false)
	}
	return m, p
}

// TestOldLeafStays: a search has come to the root of a tree of two leaves, and not yet to
// the first leaf, when that leaf is split, cut or merged. The search goes on in the old
// leaf, which must still have the entries that stay in the tree.
//
// It kills 20_leaf_moves.
func TestOldLeafStays(t *testing.T) {
	const n = rangetree.LeafCap
	for _, tt := range []struct {
		name   string
		size   int
		change func(m *model[int])
	}{
		{"split", 2 * n, func(m *model[int]) { m.insert(6, 8, false) }},
		{"split on the right", 2 * n, func(m *model[int]) { m.insert(10*n-14, 10*n-12, false) }},
		{"split for room", 2 * n, func(m *model[int]) { m.insert(6, 8, true) }},
		{"cut", 2 * n, func(m *model[int]) { m.remove(10*n-10, 10*n+5) }},
		{"cut with one in the place", 2 * n, func(m *model[int]) { m.replace(10*n-10, 10*n+5) }},
		{"merge", n + 1, func(m *model[int]) { m.remove(10, 10*n-5) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for i := range n {
				key := 10 * i
				for name, search := range map[string]func(m *model[int], e *rangetree.Entry[int]) bool{
					"Find": func(m *model[int], e *rangetree.Entry[int]) bool {
						found, _ := m.tree.Find(key)
						return found == e
					},
					"Look": func(m *model[int], e *rangetree.Entry[int]) bool {
						return m.tree.Look(key, func(seen *rangetree.Entry[int]) bool { return seen == e })
					},
					"Settled": func(m *model[int], e *rangetree.Entry[int]) bool {
						var c rangetree.Cursor[int]
						m.tree.SeekLeaf(&c, key)
						page, _ := m.tree.Settled(&c, nil)
						for _, seen := range page {
							if seen == e {
								return true
							}
						}
						return false
					},
				} {
					m, p := pausingModel(t, tt.size)
					e := &m.want[i].e.Entry
					*p = pausing{10 * n, key, func() { tt.change(m) }} // the comparison of the separator with the key
					found := search(m, e)
					if p.then != nil {
						t.Fatal("the search was not at the root")
					}
					j, _ := m.overlapping(key, key+1)
					if stays := j < len(m.want) && &m.want[j].e.Entry == e; stays && !found {
						t.Errorf("%s(%d) does not find an entry that stays", name, key)
					}
					m.check()
				}
			}
		})
	}
}

// TestSlotUsedAgain: a search has found the slot of its range. Then the range is removed,
// and another takes the slot. The search must not return the other range.
//
// It kills 60_start_unchecked.
func TestSlotUsedAgain(t *testing.T) {
	m, p := pausingModel(t, 2)
	*p = pausing{0, 3, func() { // the comparison of the first range with the key
		m.remove(0, 5)
		m.insert(30, 35, false)
	}}
	if e, _ := m.tree.Find(3); e != nil && e.Lo != 0 {
		t.Errorf("Find(3) is [%d, %d)", e.Lo, e.Hi)
	}
	if p.then != nil {
		t.Error("the search made other comparisons")
	}
	m.check()
}
