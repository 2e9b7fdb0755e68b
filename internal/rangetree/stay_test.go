package rangetree_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spanlock/spanlock/internal/rangetree"
)

// TestStay: a writer inserts, removes, replaces and splits around entries that stay. Find
// finds them, or, where Find was led astray, Look does. A walk sees all of them, in order,
// and nothing that overlaps them. If a leaf is split by moving its entries, this fails at
// once.
func TestStay(t *testing.T) {
	t.Run("uint64", func(t *testing.T) {
		testStay(t, ordered(600, func(i int) uint64 { return uint64(i) * 10 }))
	})
	t.Run("string", func(t *testing.T) {
		testStay(t, ordered(600, func(i int) string { return fmt.Sprintf("%c a common beginning %04d", 'a'+i/100, i) }))
	})
	t.Run("bytes", func(t *testing.T) {
		k := keys[[]byte]{n: 600, compare: bytes.Compare, of: func(i int) []byte { return fmt.Appendf(nil, "%05d", i) }}
		k.init = func(t *rangetree.Tree[[]byte]) { rangetree.Init(t, bytes.Compare) }
		testStay(t, k)
	})
	t.Run("func", func(t *testing.T) {
		type key struct{ a, b int }
		k := keys[key]{n: 600, of: func(i int) key { return key{i / 7, i % 7} }}
		k.compare = func(x, y key) int {
			if c := cmp.Compare(x.a, y.a); c != 0 {
				return c
			}
			return cmp.Compare(x.b, y.b)
		}
		k.init = func(t *rangetree.Tree[key]) { rangetree.Init(t, k.compare) }
		testStay(t, k)
	})
}

func testStay[K any](t *testing.T, k keys[K]) {
	m := &model[K]{t: t, k: k}
	k.init(&m.tree)
	// Every sixth key begins an entry that stays.
	stay := make([]*rangetree.Entry[K], k.n/6)
	for i := range stay {
		m.insert(6*i, 6*i+1, false)
		j, _ := m.overlapping(6*i, 6*i+1)
		stay[i] = &m.want[j].e.Entry
	}
	duration := 300 * time.Millisecond
	if testing.Short() {
		duration = 100 * time.Millisecond
	}
	var stop atomic.Bool
	var readers sync.WaitGroup
	seed := rand.Uint64()
	for r := range 2 {
		readers.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(r)))
			for !stop.Load() {
				if !m.finds(stay, rng.IntN(len(stay))) || rng.IntN(8) == 0 && !m.walks(stay) {
					return
				}
			}
		})
	}
	rng := rand.New(rand.NewPCG(seed, 99))
	for until := time.Now().Add(duration); time.Now().Before(until); {
		// Between two entries that stay: at most the five keys from 6*i+1 on.
		lo := 6*rng.IntN(len(stay)) + 1 + rng.IntN(4)
		hi := lo + 1 + rng.IntN((lo/6+1)*6-lo)
		hi = min(hi, (lo/6+1)*6)
		switch rng.IntN(3) {
		case 0:
			m.remove(lo, hi)
		case 1:
			if i, j := m.overlapping(lo, hi); i < j && m.want[i].lo >= lo/6*6+1 {
				m.replace(lo, hi)
			}
		default:
			m.insert(lo, hi, rng.IntN(4) == 0)
		}
	}
	stop.Store(true)
	readers.Wait()
	m.check()
}

// finds searches for an entry that stays.
func (m *model[K]) finds(stay []*rangetree.Entry[K], i int) bool {
	key := m.k.of(6 * i)
	if e, _ := m.tree.Find(key); e == stay[i] {
		return true
	} else if e != nil {
		m.t.Errorf("Find(%v) is [%v, %v)", key, e.Lo, e.Hi)
		return false
	}
	if !m.tree.Look(key, func(e *rangetree.Entry[K]) bool { return e == stay[i] }) {
		m.t.Errorf("Look(%v) does not show an entry that stays", key)
		return false
	}
	return true
}

// walks walks over the whole tree.
func (m *model[K]) walks(stay []*rangetree.Entry[K]) bool {
	var c rangetree.Cursor[K]
	m.tree.First(&c)
	var last *rangetree.Entry[K]
	next := 0
	for more := true; more; {
		var page []*rangetree.Entry[K]
		page, more = m.tree.Settled(&c, nil)
		for _, e := range page {
			if last != nil && m.k.compare(last.Hi, e.Lo) > 0 {
				// The next leaf was read later. An entry that has been put there since may
				// begin before the end of the last one. The owner leaves it out.
				if next < len(stay) && e == stay[next] {
					m.t.Errorf("[%v, %v) overlaps [%v, %v), which stays", last.Lo, last.Hi, e.Lo, e.Hi)
					return false
				}
				continue
			}
			if last = e; next < len(stay) && e == stay[next] {
				next++
			}
		}
	}
	if next != len(stay) {
		m.t.Errorf("a walk has not seen what stays at %v", m.k.of(6*next))
		return false
	}
	return true
}
