package rangetree

// order says which slots of a leaf are in use, and the order of their keys. The top four
// bits are the number n of entries. Below them is a permutation of the slots, four bits
// each: the lowest n are the slots of the entries, in the order of their low bounds; the
// others are free.
type order uint64

// emptyOrder is the order of an empty leaf.
const emptyOrder order = 0x0EDCBA9876543210

// n returns the number of entries.
func (p order) n() int { return int(p >> 60) }

// slot returns the slot of entry i, or a free one if i is n or above.
func (p order) slot(i int) int { return int(p>>(uint(i)*4&63)) & 15 }

// below returns the bits of the first i slots of an order.
func below(i int) order { return 1<<(uint(i)*4&63) - 1 }

// insert returns p with one more entry at index i, and the slot for it.
//
// Preconditions: i <= n, and a slot is free.
func (p order) insert(i int) (order, int) {
	n := p.n()
	x := p.slot(n)
	low := p & below(i)
	moved := p & below(n) &^ below(i)
	free := p & below(15) &^ below(n+1)
	return low | order(x)<<(uint(i)*4) | moved<<4 | free | order(n+1)<<60, x
}

// remove returns p without entry i, and the slot that is now free.
//
// Preconditions: i < n.
func (p order) remove(i int) (order, int) {
	n := p.n()
	x := p.slot(i)
	low := p & below(i)
	moved := p & below(n) &^ below(i+1)
	free := p & below(15) &^ below(n)
	return low | moved>>4 | order(x)<<(uint(n-1)*4) | free | order(n-1)<<60, x
}
