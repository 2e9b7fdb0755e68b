package rangetree

import (
	"bytes"
	"testing"
)

// TestOverToSmaller: a range that reaches over the separator between two leaves goes into
// the leaf with fewer entries, and the separator is moved. Suppose the range always went to
// the left. A sweep that puts ranges in place of others would then fill each leaf with
// entries in place of those that have left the next leaf, so that it would split and merge
// leaves all the time.
//
// It kills 260_over_to_the_left and 261_insert_lowers_nothing.
func TestOverToSmaller(t *testing.T) {
	t.Run("words", func(t *testing.T) {
		testOver(t, InitOrdered[uint64], func(i int) uint64 { return uint64(i) })
	})
	t.Run("texts", func(t *testing.T) {
		testOver(t, func(t *Tree[[]byte]) { Init(t, bytes.Compare) }, func(i int) []byte {
			return []byte{'a', 'b', byte(i >> 8), byte(i)}
		})
	})
}

func testOver[K any](t *testing.T, init func(*Tree[K]), of func(int) K) {
	if slots != 15 {
		t.Skip("leaves so small merge")
	}
	for _, roomy := range []bool{false, true} {
		for _, left := range []bool{false, true} {
			var tree Tree[K]
			init(&tree)
			b := tree.Append()
			for i := range 2 * slots {
				b.Add(&Entry[K]{Lo: of(10 * i), Hi: of(10*i + 10)})
			}
			b.Publish()
			remove := func(i int) {
				var x Cut[K]
				tree.Collect(&x, of(10*i), of(10*i+1), false, func(*Entry[K]) {})
				tree.Remove(&x)
			}
			// Both leaves lack the entry beside the separator, and one of them lacks one
			// more.
			remove(slots - 1)
			remove(slots)
			if left {
				remove(slots - 2)
			} else {
				remove(slots + 1)
			}
			e := &Entry[K]{Lo: of(10*slots - 5), Hi: of(10*slots + 5)}
			var s Slot[K]
			for again := true; again; again = roomy && !tree.MakeRoom(&s) {
				if in := tree.Place(&s, e.Lo, e.Hi, false); in != nil {
					t.Fatalf("[%v, %v) is in the way", in.Lo, in.Hi)
				}
			}
			tree.Insert(&s, e)
			leaves := tree.root.Load().leaves
			if a, b := leaves[0].Load().now().n(), leaves[1].Load().now().n(); min(a, b) != slots-1 || max(a, b) != slots-1 {
				t.Errorf("the left leaf has %d, the right one %d; left: %v, roomy: %v", a, b, left, roomy)
			}
			if found, _ := tree.Find(of(10*slots - 5)); found != e {
				t.Errorf("below the old separator: %v; left: %v, roomy: %v", found, left, roomy)
			}
			if found, _ := tree.Find(of(10*slots + 4)); found != e {
				t.Errorf("above the old separator: %v; left: %v, roomy: %v", found, left, roomy)
			}
			if err := tree.Verify(); err != nil {
				t.Error(err)
			}
		}
	}
}
