package mapfile

import (
	"fmt"
	"os"

	"github.com/spanlock/spanlock/rangelock"
)

// Sync writes the changed bytes and the file's size to the disk, and returns when they are there.
// It covers all changes that were made before the call. A file that was opened for reading only
// has nothing to write.
//
// Sync waits for the disk. It is a reader meanwhile, so a Truncate waits for it. It returns an
// [OpError] with [ErrClosed], and the system's error. On OpenBSD, Solaris and AIX this error
// wraps [errors.ErrUnsupported], because package syscall cannot write mappings back there.
func (f *File) Sync() error {
	if f.readOnly {
		return nil
	}
	for {
		again, err := f.sync()
		if !again {
			return err
		}
	}
}

// sync is one attempt of Sync. It returns again if Swap or Truncate came in between.
func (f *File) sync() (again bool, err error) {
	end, err := f.acquireEnd("Sync")
	if err != nil {
		return false, err
	}
	defer end.Release() // keeps the file open
	back := end.Value().back
	for g := range f.m.Guards(everything) {
		p := g.Value()
		if p.back != back || p.reopened != nil {
			return true, nil
		}
		if p.m != nil {
			if err := systemSync(p.m.bytes[:p.hi-p.lo]); err != nil {
				return false, os.NewSyscallError("msync", err)
			}
		}
	}
	return false, back.file.Sync()
}

// Advice says how bytes will be used, for [File.Advise].
type Advice int

const (
	Normal     Advice = iota // nothing special: the system reads ahead a little
	Random                   // in random order: reading ahead is of no use
	Sequential               // from front to back: read ahead a lot
	WillNeed                 // soon: begin to read them
	DontNeed                 // not for some time: their pages may be dropped, but no data is lost
)

// Advise tells the system how the n bytes from off on will be used, if the system has a call for
// that; Windows, OpenBSD, Solaris and AIX have none. It changes no byte. The system works on
// whole pages and may do nothing. The advice applies to the current mappings: a Grow that needs a
// new mapping loses it.
//
// Advise waits as [File.View] does. It returns an [OpError] with [ErrBadRange] if off or n is
// negative, with [ErrBadAdvice] if the advice is none of the five, with [ErrBeyond] or with
// [ErrClosed], and the system's error.
func (f *File) Advise(off, n int64, a Advice) error {
	switch {
	case off < 0, n < 0:
		return &OpError{Op: "Advise", Path: f.Name(), Off: off, N: n, Err: ErrBadRange}
	case a < Normal, a > DontNeed:
		return &OpError{Op: "Advise", Path: f.Name(), Off: off, N: n, Err: fmt.Errorf("%w %d", ErrBadAdvice, a)}
	case n > f.Size()-off:
		e := &OpError{Op: "Advise", Path: f.Name(), Off: off, N: n, Size: f.Size(), Err: ErrBeyond}
		if g, ok := f.m.Acquire(0); !ok {
			e.Err = ErrClosed
		} else {
			g.Release()
		}
		return e
	case n == 0:
		return nil
	}
	for g := range f.m.Guards(rangelock.Span(off, off+n)) {
		p := g.Value()
		if p.m == nil {
			continue // the file has become shorter, or is not mapped for the moment
		}
		lo := max(off, p.lo) - p.lo
		lo -= lo % granularity
		if err := systemAdvise(p.m.bytes[lo:min(off+n, p.hi)-p.lo], a); err != nil {
			return os.NewSyscallError("madvise", err)
		}
	}
	return nil
}
