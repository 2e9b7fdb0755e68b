// Package mapfile provides memory-mapped files that can grow, shrink and be replaced while they
// are read. Each is a [File]. Readers use its bytes in place, without a copy and without a lock
// that a change of the file would hold.
//
//	f, err := mapfile.Open("segment.db", nil)
//
//	// any number of readers
//	err = f.View(off, n, func(b []byte) error {
//		_, err := conn.Write(b)
//		return err
//	})
//
//	// does not wait for readers; they keep the mapping that they have
//	err = f.Grow(ctx, f.Size()+1<<20)
//
//	// waits for the readers of each mapping that reaches beyond the new end: here, of all
//	err = f.Truncate(ctx, 1<<20)
//
// It does what programs with mapped files do by hand around a [rangelock.Map], including the
// parts that are easy to get wrong. Bytes that a reader still uses are not unmapped and not cut
// off. A file that was truncated from outside is an error and not a crash. When a call fails, the
// file and its mappings are as they were.
//
// # Segments
//
// A file is mapped as a whole or, with Options.SegmentSize, in segments. As a whole, one View can
// cover all of it, and Truncate waits for all readers of the file. In segments, a View lies in
// one segment, Truncate waits only for readers of the segments with bytes beyond the new end, and
// no large piece of address space is needed.
//
// # What blocks
//
//	call                        waits for
//	View, Acquire, ReadAt,      a change of the map under way, some microseconds;
//	WriteAt, Size, Advise       on Windows also a Truncate under way
//	Sync                        the same, and the disk
//	Guard.Bytes, Release, Name  nothing
//	Grow, Swap                  an earlier Grow, Truncate, Swap or Close, and therefore the
//	                            readers that this call waits for; no other readers
//	Truncate                    the same, and the readers of the bytes that it cuts off
//	Close                       the same, and all readers
//
// A context ends the waits of the last three rows with a [WaitError]. Page faults wait for the
// disk whenever bytes are touched.
//
// A goroutine that has a guard, or is in a View, waits for itself if it
//
//   - calls Close, or a Truncate that cuts off bytes of its guard;
//   - calls Grow or Swap while another goroutine closes the file, or cuts off bytes of its guard;
//   - on Windows, calls anything but Bytes, Release and Name while another goroutine
//     truncates the file.
//
// # What is not promised
//
// Bytes are shared. A guard keeps them mapped and in the file; it does not keep other goroutines
// from writing to them. If two goroutines use the same bytes and one of them writes, the program
// must order them itself. Another goroutine may see a WriteAt in part. Other processes see what
// is written at once.
//
// A change is on the disk after [File.Sync], and possibly before.
//
// On systems with sparse files, the new part of a file that has grown is a hole. If the disk is
// full, a write into the hole is a fault, and therefore a [FaultError].
//
// ReadAt and WriteAt over several segments are not atomic. A Truncate that gives up has let
// readers see a shorter file meanwhile.
//
// Nothing prevents the use of a slice after its guard was released. Its addresses may be
// unmapped, or belong to another file. Under -tags spanlockdebug a mapping that the last reader
// has left first loses all access. It is unmapped later, when 256 other mappings have followed
// it. Until then a use of it is a fault: View panics with a [StaleError], which has the file and
// the offset, and elsewhere [Fault] makes a StaleError of what was recovered. For that, Acquire
// calls [debug.SetPanicOnFault] in debug builds, and leaves it set on the goroutine. The mistake
// is not seen while the mapping still has other readers, nor on OpenBSD, Solaris, AIX and
// Windows.
//
// # How it works
//
// The map has a range for each mapped part of the file, and one from the end of the file to
// infinity, so that a reader finds the bytes and the size of one instant. Several ranges can
// share a mapping; the last that is retired unmaps it.
//
// Grow makes the file longer and maps what is not mapped yet. Then, in one transaction, it
// retires the last part and the end, and attaches their replacements. Where the system allows it,
// a new mapping is longer than the file, so that most Grows need no new mapping.
//
// Truncate replaces the parts beyond the new end by a shorter part of the same mapping. So new
// readers find a shorter file. The bytes to be cut off are now used only by earlier readers,
// under parts that have left the map, retired by this Truncate or by an earlier Grow. When all
// these parts have been through OnRetire, Truncate cuts the file off. If its context ends first,
// or the system refuses, it attaches the old parts again; it has kept their mappings.
//
// Each of these calls first does everything that can fail, and then changes the map, which cannot
// fail. No transaction waits for a guard, so a goroutine that has a guard may use the file.
//
// # Memory model
//
// In the terminology of the Go memory model:
//
// Everything before a call of Grow, Truncate or Swap synchronizes before the return of each View,
// Acquire, ReadAt, WriteAt and Size that shows its effect.
//
// A use of bytes ends with the return of View, ReadAt or WriteAt, or with the Release of a guard.
// It synchronizes before the return, with a nil error, of a Truncate that cuts these bytes off
// and of a Close. It does not synchronize with other uses.
//
// An error synchronizes nothing.
//
// # Lock order
//
// A lock that is indented is taken while the lock above it is held.
//
//	File.turn            Grow, Truncate, Swap, Close
//	├── a guard          Truncate and Close wait for those of readers
//	└── the map's lock   one transaction, which does not wait
//	    └── File.mu      before the transaction changes anything
//	a guard              a reader; it may wait for the map's lock, but not for the turn
//	└── File.mu          the text of an error
//	living.mu, trapped.mu   mapping, unmapping, and after a fault; no lock is taken under them
//
// OnRetire takes living.mu, trapped.mu and then File.mu, one at a time.
//
// # Costs
//
// View costs an Acquire and a Release of a [rangelock.Map] with a search of two or three nodes,
// and two changes of the goroutine's setting for faults. It allocates nothing. A Grow that needs
// no new mapping is a system call that makes the file longer and a transaction on three ranges.
// After a Grow that needs a new mapping, the pages fault in again, one by one. So a file is
// mapped to the next power of two, and from 1 GiB on to the next multiple of 1 GiB. That is
// address space, not memory. 32-bit systems map only the file.
//
// # Platforms
//
// The package is tested on Linux, and compiled for the other systems.
//
//	system             differs in
//	Linux, macOS,      nothing
//	FreeBSD, NetBSD,
//	DragonFly
//	OpenBSD, Solaris,  Sync returns an error that wraps errors.ErrUnsupported, and Advise does
//	illumos, AIX       nothing: package syscall has no calls for them; no trap in debug builds
//	Windows            A mapped file cannot be cut off. Truncate unmaps all of it: it waits for
//	                   all readers, and readers that arrive meanwhile wait for it. Exactly the
//	                   file is mapped, so each Grow needs a new mapping. A Grow that fails may
//	                   leave a longer file, whose end the File does not have. Advise does
//	                   nothing. Segments are multiples of 64 KiB. No trap in debug builds.
//	others             mapping is an error that wraps errors.ErrUnsupported
package mapfile
