// Package rangetree is a B+tree of disjoint ranges, for one writer and any number of
// readers that take no lock. It knows entries with bounds. What hangs on an entry, who
// may use it and when its memory may be used again is its owner's affair.
//
// Levels count from the leaves: a leaf is level 0, its parents are level 1. The root is
// always an inner node, so an empty tree is a root with one empty leaf.
//
// # Rules
//
// They hold between operations, and make one descent enough to find or to miss a key:
//
//  1. Child i of an inner node holds low bounds in [separator i, separator i+1); the
//     first separator is never looked at and stands for the lower end of the node.
//  2. No range reaches over a separator: a range in child i ends at or before separator
//     i+1. So the range that covers a key is in the leaf that the key descends to.
//  3. No leaf is empty, but for the one leaf of an empty tree.
//
// # Readers
//
// An inner node never changes but for its child pointers; a change copies it and
// publishes the copy with one store. A leaf changes in place: its entries stand in slots
// that do not move, and one word, its order, says which slots are in use and in which
// order their keys are. A change writes the slot, then its key, then the order, and that
// store publishes it. An entry that stays leaves its leaf only when the leaf is split,
// merged or cut, which copies it; the old leaf then keeps what is in it for ever.
//
// So a search that runs beside a change may be led to a neighbour, and to nothing where
// there is something. What it finds is a hint:
//
//   - [Tree.Find] compares what it has found with the key, and so never returns a range
//     that does not cover it. Whether the range is in the tree is for the owner to say.
//   - That Find finds nothing proves something only if no change was under way meanwhile.
//   - [Tree.Look] shows all entries of the key's leaf. An entry that was in the tree from
//     before the call until after it, and covers the key, is among them.
//
// The memory of an entry must not be used for another range as long as a reader may be
// looking at it; but for Find in a tree of words (see [Tree.Words]), which looks at nothing
// but words, atomically, and returns the entry's State from before its bounds: the owner
// tells by that whether they were those of one range.
//
// # Keys
//
// Integers and floats have an order-preserving code of 64 bits, and nodes compare the
// codes. Strings, and byte slices in the order of bytes.Compare, have a hint of eight
// bytes in the nodes, of those behind what all keys of the node begin with. Of all other
// keys nodes hold nothing, and searches call the owner's comparison.
//
// The word that orders a leaf is the permutation of Masstree (Mao, Kohler and Morris,
// 2012). The hints are the abbreviated keys of PostgreSQL's sort, and the prefix B-tree of
// Bayer and Unterauer (1977). Counting the keys at or below another by the borrows of
// subtractions, without a branch, is common in main-memory databases.
package rangetree
