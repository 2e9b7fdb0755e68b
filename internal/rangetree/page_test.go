package rangetree

import "testing"

// TestSettledLooksAtOrder: a slot that Settled is about to read is free again and is being
// used for another entry, whose order is not stored yet. That entry is not in the tree, so
// it must not be in the page.
//
// It kills 155_settled_unchecked.
func TestSettledLooksAtOrder(t *testing.T) {
	var tree Tree[uint64]
	InitOrdered(&tree)
	b := tree.Append()
	for i := range uint64(3) {
		b.Add(&Entry[uint64]{Lo: 10 * i, Hi: 10*i + 5})
	}
	b.Publish()
	var c Cursor[uint64]
	tree.First(&c)
	second := c.order.slot(1)
	c.leaf.remove(1, 2)
	c.leaf.entries[second].Store(&Entry[uint64]{Lo: 16, Hi: 18}) // the first step of leaf.insert
	page, _ := tree.Settled(&c, nil)
	if len(page) != 2 || page[0].Lo != 0 || page[1].Lo != 20 {
		for _, e := range page {
			t.Errorf("[%d, %d)", e.Lo, e.Hi)
		}
	}
}
