// Package spanlock is the root of a module for programs in which many goroutines
// use what is stored under ranges of keys, while others replace it, and in which
// what was replaced must be freed by hand at a known time: memory mappings, file
// segments, cached blocks, buffers outside the garbage collector's reach. The
// package itself has no code; the packages below it do the work.
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
// The read lock has to be held for as long as the value is in use, since a writer
// may unmap it. So one long reader stops the writer, the waiting writer stops every
// new reader, whatever it wants to read, and a reader that takes the lock a second
// time deadlocks with that writer.
//
// With a guard on one range instead of a lock on all of them:
//
//	g, ok := m.Acquire(off) // no shared lock: a writer working elsewhere does not delay us, nor we it
//	if ok {
//		use(g.Value())
//		g.Release()
//	}
//
// The idea in one sentence: find the object without the big lock, take a count on
// it, check that you were right; only when you collide with a writer, fall back to
// the big lock, wait, and look again.
//
// # The packages
//
//   - [github.com/spanlock/spanlock/rangelock] is a map from disjoint ranges of
//     keys to values, each range with its own count of readers. This is the
//     package to use; the last two are what it is made of.
//   - [github.com/spanlock/spanlock/rangealloc] is an allocator of ranges on top of
//     it: arena bytes, file blocks, numbers.
//   - [github.com/spanlock/spanlock/mapfile] has memory-mapped files that grow, shrink
//     and are replaced while they are read.
//   - [github.com/spanlock/spanlock/inspect] shows a live map in the browser.
//   - [github.com/spanlock/spanlock/rangelocktest] fails a test that has left guards
//     behind, and [github.com/spanlock/spanlock/guardprofile] shows where the guards
//     of a running program were taken.
//   - [github.com/spanlock/spanlock/epoch] has pins and grace periods: it runs a
//     function, or tells that it may be run, when no reader can still be using
//     what was unlinked before.
//   - [github.com/spanlock/spanlock/rwsem] is a reader-writer semaphore whose waits
//     a context can end, which a writer can downgrade, and which carries a sequence.
//
// Package rangelock imports epoch and rwsem; these do not know each other, and each
// is of use alone.
//
// # What to read
//
//  1. The example of this package: insert, acquire, swap, release, and what is
//     called when.
//  2. The examples of package rangelock, one for each common job.
//  3. In the documentation of package rangelock the sections on what blocks and on
//     what is not promised, before the first use; those on the protocols, the lock
//     order and the memory model, before the first change.
//  4. The documentation of rwsem and epoch, when those two are used by themselves.
//  5. The command in examples/mmapstore, which reads thousands of memory-mapped files
//     while a compactor unmaps them. Beside it, examples/segcache maps segments of
//     files on demand and evicts them, examples/regioncache routes requests by regions
//     that split and merge, and examples/arena keeps texts outside of the heap.
//
// # Limits
//
// Everything lives in the memory of one process: these are not file locks and not
// distributed locks.
//
// All writers of a map take turns. Package rangelock is for maps that are read much
// more often than they are changed.
//
// A goroutine that holds a guard and waits for a writer of the same map may wait for
// ever: that writer may be waiting for the guard.
//
// A guard or a pin that is never given back holds up for ever what waits for it.
//
// Values that belong to the garbage collector alone, and are never freed by hand,
// need no guard and hardly this module: an immutable tree behind an atomic pointer
// does the same with less.
//
// # Lineage
//
// The module does for a Go program what the Linux kernel does for page faults since
// version 6.4: per-VMA locks let a fault on one memory area go on while another
// area is mapped or unmapped. A map of package rangelock is the kernel's mm_struct
// with its maple tree, a range with its value is the vm_area_struct with its count,
// package rwsem is the rw_semaphore mmap_lock with its sequence mm_lock_seq, and
// package epoch is RCU. No code was taken. Names and guarantees are Go's own, and
// where the two differ the documentation of the package says what holds here.
package spanlock
