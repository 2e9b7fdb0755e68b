package rangelock

import "github.com/spanlock/spanlock/internal/invariants"

// Every operation of a Writer has one shape: it plans, then it applies.
//
//  1. Writer.change begins it.
//  2. It plans: it checks its arguments, compares keys, weighs, calls the user's
//     functions, excludes ranges and waits for their guards. Any of this may fail or
//     panic. The cursors and headers that it finds are all that applying needs.
//  3. publishing, or keep where the tree does not change, ends the plan. From here on
//     the operation compares nothing, waits for nothing and calls nothing of the
//     user's, so it cannot fail.
//  4. It applies the plan to the tree.
//  5. done, which it deferred in step 1, gives back what the plan has taken if step 3
//     was not reached, whatever the reason.
//
// TestPlanThenApply reads the source and holds step 3.

// operation is what done needs to know of the operation under way.
type operation struct {
	name    string // of the Writer's method, for errors
	from    int    // the operation has excluded transaction.touched[from:]
	applied bool   // step 3 was reached
}

// plan begins an operation of that name.
//
// Preconditions: the caller holds sem for writing; so for the rest of this file.
func (m *Map[K, V]) plan(name string) { m.txn.op = operation{name: name, from: len(m.txn.touched)} }

// keep ends the plan of an operation that only excludes.
func (m *Map[K, V]) keep() { m.txn.op.applied = true }

// publishing ends the plan of an operation that changes the tree, and makes the
// publication sequence odd before the transaction's first change to it.
func (m *Map[K, V]) publishing() {
	m.txn.op.applied = true
	if !m.txn.begun {
		m.txn.begun = true
		m.pub.Add(1) // pairs with proveMiss
		invariants.At("rangelock: publishing")
	}
}

// done ends an operation. If it has failed, done lets readers in again where the
// operation had excluded them.
func (m *Map[K, V]) done() {
	if !m.txn.op.applied {
		m.readmit(m.txn.op.from)
	}
	clear(m.scratch)
	if m.scratch = m.scratch[:0]; cap(m.scratch) > maxTouched {
		m.scratch = nil
	}
	if m.dead.n >= pollEvery {
		m.seal()
	}
}

// touch notes that h is excluded and must be let go by commit.
func (m *Map[K, V]) touch(h *header[K, V]) { m.txn.touched = append(m.txn.touched, h) }

// readmit lets readers into touched[from:] again.
func (m *Map[K, V]) readmit(from int) {
	t := &m.txn
	for _, h := range t.touched[from:] {
		m.reopen(h)
	}
	clear(t.touched[from:])
	t.touched = t.touched[:from]
}
