// Package spanlock is the root of a module for programs in which many goroutines use values that
// are stored under ranges of keys while others replace them, and in which a replaced value must
// be freed by hand at a known time: memory mappings, file segments, cached blocks, buffers
// outside of the garbage collector's reach. The package itself has no code; the packages below it
// do the work.
//
// # The problem
//
// The usual way is one lock around a tree:
//
//	mu.RLock()
//	seg := tree.Find(off)
//	use(seg.data) // slow: a page fault, I/O, the network, minutes of a read transaction
//	mu.RUnlock()
//
// The read lock must be held while the value is in use, since a writer may unmap it. So one long
// reader stops the writer, and the waiting writer stops every new reader, whatever it wants to
// read. A reader that takes the lock a second time deadlocks with that writer.
//
// With a guard on one range instead of a lock on all of them:
//
//	g, ok := m.Acquire(off) // no shared lock: a writer working elsewhere does not delay us, nor we it
//	if ok {
//		use(g.Value())
//		g.Release()
//	}
//
// The idea: find the object without the big lock, count yourself as its reader, and check that it
// is still the right object. Only after a collision with a writer, fall back to the big lock,
// wait, and look again.
//
// # The packages
//
//   - [github.com/spanlock/spanlock/rangelock] is a map from disjoint ranges of
//     keys to values, each range with its own count of readers. This is the
//     package to use; it is built on the last two.
//   - [github.com/spanlock/spanlock/rangealloc] is an allocator of ranges on top of
//     it: arena bytes, file blocks, numbers.
//   - [github.com/spanlock/spanlock/mapfile] provides memory-mapped files that grow,
//     shrink and are replaced while they are read.
//   - [github.com/spanlock/spanlock/inspect] shows a live map in the browser.
//   - [github.com/spanlock/spanlock/rangelocktest] fails a test that has left guards
//     behind, and [github.com/spanlock/spanlock/guardprofile] shows where the guards
//     of a running program were taken.
//   - [github.com/spanlock/spanlock/epoch] provides pins and grace periods: it runs a
//     function, or reports that it may be run, when no reader can still be using
//     what was unlinked before.
//   - [github.com/spanlock/spanlock/rwsem] is a reader-writer semaphore whose waits
//     a context can end, which a writer can downgrade, and which has a sequence.
//
// Package rangelock imports epoch and rwsem. These do not import each other, and each is useful
// alone.
//
// # What to read
//
//  1. The example of this package: insert, acquire, swap, release, and what is
//     called when.
//  2. The examples of package rangelock, one for each common job.
//  3. In the documentation of package rangelock the sections on what blocks and on
//     what is not promised, before the first use. docs/guarantees.md has the limits;
//     docs/protocol.md and docs/design.md are for those who change the package.
//  4. The documentation of rwsem and epoch, if you use them directly.
//  5. The command in examples/mmapstore, which reads thousands of memory-mapped files
//     while a compactor unmaps them. Beside it, examples/segcache maps segments of
//     files on demand and evicts them, examples/regioncache routes requests by regions
//     that split and merge, and examples/arena keeps texts outside of the heap.
//
// # Limits
//
// Everything is in the memory of one process: there are no file locks and no distributed locks.
//
// All writers of a map take turns. Package rangelock is for maps that are read much more often
// than they are changed.
//
// A goroutine that holds a guard and waits for a writer of the same map may wait for
// ever: that writer may be waiting for the guard.
//
// A guard or a pin that is never released blocks for ever what waits for it.
//
// Values that only the garbage collector frees need no guard, and hardly this module: an
// immutable tree behind an atomic pointer does the same at less cost.
//
// # Lineage
//
// The module does for a Go program what the Linux kernel does for page faults since version 6.4:
// with per-VMA locks, a fault on one memory area proceeds while another area is mapped or
// unmapped. A map of package rangelock corresponds to the kernel's mm_struct with its maple tree,
// a range with its value to a vm_area_struct with its count, package rwsem to the rw_semaphore
// mmap_lock with its sequence mm_lock_seq, and package epoch to RCU. No code was taken. Names and
// guarantees are Go's own; where the two differ, the documentation of the package applies.
package spanlock
