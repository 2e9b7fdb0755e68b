package rangelock

import "github.com/spanlock/spanlock/internal/invariants"

// Every operation of a Writer has one shape. It plans, then it applies the plan:
//
//  1. Writer.change begins it.
//  2. It plans: it checks its arguments, compares keys, weighs ranges, calls the user's
//     functions, excludes ranges and waits for their guards. Any of this may fail or panic. The
//     plan is the cursors and headers that it finds; applying needs nothing else.
//  3. publishing, or keep where the tree does not change, ends the plan. From here on the
//     operation compares nothing, waits for nothing and calls none of the user's functions, so it
//     cannot fail.
//  4. It applies the plan to the tree.
//  5. done, deferred in step 1, undoes the exclusions of the plan if step 3 was not reached,
//     whatever the reason.
//
// TestPlanThenApply reads the source and holds step 3.
//
// The changes of a transaction become visible together. This is publication:
//
//  1. An operation plans. After that it cannot fail.
//  2. publishing makes the publication sequence odd, and the operation changes the tree. Searches
//     now find the new ranges, which are excluded. Where ranges were removed they find nothing;
//     the odd sequence tells them that this proves no gap. So a reader of anything that the
//     transaction has changed waits for its end.
//  3. commit clears excluded on all ranges that are still attached. It does so with an And,
//     because the state word may hold the count of a refused reader.
//  4. commit makes the sequence even. Then Unlock or Downgrade releases the semaphore.
//
// An insertion is steps 1 to 4 with a header that is born excluded (limbo.go). Load builds leaves
// beside the tree if its ranges come in order behind the last one (bulk.go). One store publishes
// them: in commit, and then they are born open; or earlier, when the Writer does something else,
// and then they are excluded first.

// operation is the state of the operation under way.
type operation struct {
	name    string // of the Writer's method, for errors
	from    int    // transaction.touched[from:] was excluded by this operation
	applied bool   // step 3 of the shape was reached
}

// plan begins the operation called name.
//
// Preconditions: the caller holds sem for writing. This holds for the rest of the file.
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

// done ends an operation. If the operation has failed, done reopens the ranges that it had
// excluded.
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

// touch notes that h is excluded and that commit must reopen it.
func (m *Map[K, V]) touch(h *header[K, V]) { m.txn.touched = append(m.txn.touched, h) }

// readmit reopens the ranges touched[from:].
func (m *Map[K, V]) readmit(from int) {
	t := &m.txn
	for _, h := range t.touched[from:] {
		m.reopen(h)
	}
	clear(t.touched[from:])
	t.touched = t.touched[:from]
}
