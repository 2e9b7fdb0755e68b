// Package mapfile has files that are mapped into memory and can grow, shrink and be replaced
// while they are read: a [File]. Readers use the bytes as they are in memory, without a copy
// and without a lock that a change of the file would hold.
//
//	f, err := mapfile.Open("segment.db", nil)
//
//	// any number of readers
//	err = f.View(off, n, func(b []byte) error {
//		_, err := conn.Write(b)
//		return err
//	})
//
//	// waits for no reader; those that are there keep the mapping that they have
//	err = f.Grow(ctx, f.Size()+1<<20)
//
//	// waits for the readers of each mapping that reaches beyond the new end: here, of all
//	err = f.Truncate(ctx, 1<<20)
//
// It does what programs with mapped files do by hand around a [rangelock.Map], with the
// parts that are easy to get wrong: bytes that a reader still has are not unmapped and not
// cut off; a file that somebody else has truncated is an error and not a crash; and when a
// call fails, the file and its mappings are as they were.
//
// # Segments
//
// A file is mapped as a whole, or with Options.SegmentSize in segments. As a whole, one View
// can have all of it, and Truncate waits for all readers of the file. In segments, a View
// lies in one segment, Truncate waits for readers of the segments with bytes beyond the new
// end alone, and no large piece of address space is needed at once.
//
// # What blocks
//
//	call                        waits for
//	View, Acquire, ReadAt,      a change of the map under way, some microseconds;
//	WriteAt, Size, Advise       on Windows also a Truncate under way
//	Sync                        the same, and the disk
//	Guard.Bytes, Release, Name  never
//	Grow, Swap                  a Grow, Truncate, Swap or Close that came before; no reader
//	                            but those that one of these waits for
//	Truncate                    the same, and the readers of what goes
//	Close                       the same, and all readers
//
// A context ends the waits of the last three rows, with a [WaitError]. Page faults wait for
// the disk wherever bytes are touched.
//
// A goroutine waits for itself if it has a guard, or is in a View, and
//
//   - calls Close, or Truncate of what it has;
//   - calls Grow or Swap while another goroutine closes the file, or truncates what it has;
//   - on Windows, calls anything but Bytes, Release and Name while another goroutine
//     truncates the file.
//
// # What is not promised
//
// Bytes are shared. A guard keeps them mapped and in the file; it keeps nobody from writing
// to them. Two goroutines that use the same bytes, one of them to write, need an order
// of their own, and a WriteAt may be seen in part. Other processes see what is written at
// once.
//
// A change is on the disk after [File.Sync], and before it perhaps.
//
// A file that has grown has a hole there, on systems that know holes. When the disk is full
// a write into it is a fault, and so a [FaultError].
//
// ReadAt and WriteAt over several segments are not of one instant. A Truncate that
// gives up has meanwhile let others see a shorter file.
//
// A slice that is used after its guard is a mistake that nothing prevents. Its addresses
// may be unmapped, or belong to another file. Under -tags spanlockdebug a mapping that the
// last reader has left loses all access first, and is unmapped later, when 256 others
// have followed it. A use of it is a fault then: View panics with a [StaleError], which says
// of which file and offset it is; elsewhere [Fault] makes one of what was recovered. For
// that, Acquire calls [debug.SetPanicOnFault] in debug builds, and leaves it so on the
// goroutine. While a mapping still has other readers, and on OpenBSD, Solaris, AIX and
// Windows, the mistake is not seen.
//
// # How it works
//
// The map has a range for each mapped part of the file, and one from its end to infinity,
// so that the bytes and the size are of one instant. Several ranges can share a mapping;
// the last that is retired unmaps it.
//
// Grow makes the file longer, maps what is not mapped yet, and then, in one transaction,
// retires the last part and the end, and attaches what takes their place. A new mapping is
// longer than the file where the system allows that, so that most Grows need none.
//
// Truncate attaches a shorter part of the same mapping in the place of what goes. So it
// keeps new readers out, and what goes is read by those alone that had it before: under
// parts that are in the map no more, retired by this Truncate or by a Grow before
// it. When these have been through OnRetire it cuts the file off. If its context ends
// first, or the system refuses, it attaches the old parts again, whose mappings it has
// kept.
//
// Each of them first does all that can fail, and then changes the map, which cannot. No
// transaction waits for a guard, so a goroutine that has one may use the file.
//
// # Memory model
//
// In the terminology of the Go memory model:
//
// What was done before a call of Grow, Truncate or Swap synchronizes before the return of
// each View, Acquire, ReadAt, WriteAt and Size that shows its effect.
//
// The end of each use of bytes, which is the return of View, ReadAt and WriteAt and the
// Release of a guard, synchronizes before the return of a Truncate that takes these bytes
// away and of a Close, with a nil error. It does not synchronize with other uses.
//
// An error synchronizes nothing.
//
// # Lock order
//
// What stands deeper is taken while what stands above it is held.
//
//	File.turn            Grow, Truncate, Swap, Close
//	├── a guard          Truncate and Close wait for those of readers
//	└── the map's lock   one transaction, which waits for nothing
//	    └── File.mu      before the transaction changes anything
//	a guard              a reader; it may wait for the map's lock, but not for the turn
//	└── File.mu          the text of an error
//	living.mu, trapped.mu   mapping, unmapping, and after a fault; nothing is taken in them
//
// OnRetire takes living.mu, trapped.mu and then File.mu, one at a time.
//
// # Costs
//
// View is Acquire and Release of a [rangelock.Map] with a search of two nodes or three, and
// two changes of the goroutine's setting for faults. It allocates nothing. A Grow that needs
// no new mapping is a system call that makes the file longer and a transaction on three
// ranges. One that does need a mapping has the pages fault in again, one by one; so a file
// is mapped to the next power of two, and from 1 GiB on to the next multiple of that.
// That is address space, not memory. 32-bit systems map what the file has.
//
// # Platforms
//
// It runs on Linux, and is compiled for the others.
//
//	system             differs in
//	Linux, macOS,      nothing
//	FreeBSD, NetBSD,
//	DragonFly
//	OpenBSD, Solaris,  Sync returns an error that wraps errors.ErrUnsupported, and Advise does
//	illumos, AIX       nothing: package syscall has no calls for them; no trap in debug builds
//	Windows            A mapped file cannot be cut off. Truncate unmaps all of it: it waits for
//	                   all readers, and those that come meanwhile wait for it. What is mapped is
//	                   exactly the file, so each Grow needs a mapping. A Grow that fails may
//	                   leave a longer file, whose end the File does not have. Advise does
//	                   nothing. Segments are multiples of 64 KiB. No trap in debug builds.
//	others             mapping is an error that wraps errors.ErrUnsupported
package mapfile
