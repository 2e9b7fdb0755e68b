// Package rangetree is a B+tree of disjoint ranges, for one writer and any number of
// readers that take no lock. It knows entries and their bounds. The owner of the tree
// decides what belongs to an entry, how it may be used, and when its memory may be reused.
//
// Levels count from the leaves: a leaf is level 0, its parents are level 1. The root is
// always an inner node, so an empty tree is a root with one empty leaf.
//
// # Rules
//
// These rules hold between operations. They make one descent enough to find or to miss a
// key:
//
//  1. Child i of an inner node holds low bounds in [separator i, separator i+1). The
//     first separator is never read; it stands for the lower end of the node.
//  2. No range reaches over a separator: a range in child i ends at or before separator
//     i+1. So the range that covers a key is in the leaf that the key descends to.
//  3. No leaf is empty, except the one leaf of an empty tree.
//
// # Readers
//
// A search that runs beside a change may be led to a neighbour of the right leaf, or may
// find nothing where there is a range. Its result is a hint:
//
//   - [Tree.Find] compares what it has found with the key, so it never returns a range
//     that does not cover the key. The owner decides whether that range is in the tree.
//   - A Find that returns nil proves that no range covers the key only if no change was
//     under way meanwhile.
//   - [Tree.Look] shows all entries of the key's leaf. An entry that covers the key, and was
//     in the tree from before the call until after it, is among them.
//
// The memory of an entry must not be used for another range while a reader may be looking at
// it. There is one exception, Find in a tree of words (see [Tree.Words]). It reads nothing
// but words, atomically, and returns the State that the entry had before it read the bounds.
// The owner can tell by that State whether both bounds belong to one range.
//
// leaf.go and inner.go say how changes are published.
//
// # Keys
//
// Integers and floats have an order-preserving code of 64 bits, and nodes compare the codes.
// For strings, and for byte slices in the order of bytes.Compare, nodes hold a hint of each
// key: the eight bytes behind the bytes with which all keys of the node begin. Of other keys
// nodes hold nothing, and searches call the owner's comparison.
//
// # Lineage
//
// The word that orders a leaf is the permutation of Masstree (Mao, Kohler and Morris, 2012).
// The hints are the abbreviated keys of PostgreSQL's sort, and the prefix B-tree of Bayer and
// Unterauer (1977). Counting the keys at or below another by the borrows of subtractions,
// without a branch, is common in main-memory databases.
package rangetree
