package mapfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// A call that a File refuses returns one of these errors, wrapped in an [OpError], a [FaultError]
// or an [AddressSpaceError]. Compare with [errors.Is].
var (
	// ErrClosed says that the file has been closed. It wraps [fs.ErrClosed].
	ErrClosed = fmt.Errorf("mapfile: %w", fs.ErrClosed)

	// ErrReadOnly says that the file was opened with Options.ReadOnly.
	ErrReadOnly = errors.New("mapfile: the file was opened for reading only")

	// ErrBadRange says that an offset, a length or a size is negative.
	ErrBadRange = errors.New("mapfile: negative offset or length")

	// ErrBadAdvice says that an advice is none of the five that Advise knows.
	ErrBadAdvice = errors.New("mapfile: unknown advice")

	// ErrBeyond says that the bytes asked for lie beyond the end of the file.
	ErrBeyond = errors.New("mapfile: beyond the end of the file")

	// ErrCrosses says that the bytes asked for lie in more than one segment, so that they are not
	// one slice.
	ErrCrosses = errors.New("mapfile: the bytes lie in more than one segment")

	// ErrShrunk says that the file is shorter than the File has left it: another process, or
	// another open file, has truncated it.
	ErrShrunk = errors.New("mapfile: somebody else has truncated the file")

	// ErrNotRegular says that a path is not a regular file, and therefore cannot be mapped.
	ErrNotRegular = errors.New("mapfile: not a regular file")

	// ErrFault says that mapped memory could not be read or written, because the file has no
	// bytes there any more or because its disk has failed. It comes in a [FaultError].
	ErrFault = errors.New("mapfile: fault in mapped memory")

	// ErrAddressSpace says that there is no room in the process's address space, or that the
	// process has as many mappings as it may have. It comes in an [AddressSpaceError].
	ErrAddressSpace = errors.New("mapfile: no room in the address space")

	// ErrStale says that bytes were used after their guard was released. It comes in a
	// [StaleError].
	ErrStale = errors.New("mapfile: bytes used after their guard was released")
)

// An OpError is an error of a call on a file, with the arguments of the call. It formats its text
// only when Error is called.
type OpError struct {
	Op   string // the method, as "View"
	Path string
	Off  int64 // in bytes
	N    int64 // bytes from Off on
	Size int64 // for ErrBeyond and ErrShrunk that of the file in bytes, for ErrCrosses that of a segment
	Err  error // one of the package's errors
}

// Error describes the call, its bytes, and why it failed.
func (e *OpError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v: %s of %s", e.Err, e.Op, e.Path)
	if e.Off != 0 || e.N != 0 {
		fmt.Fprintf(&b, ", %d bytes at %d", e.N, e.Off)
	}
	switch e.Err {
	case ErrBeyond:
		fmt.Fprintf(&b, ", which has %d", e.Size)
	case ErrCrosses:
		fmt.Fprintf(&b, ", segments of %d", e.Size)
	case ErrShrunk:
		fmt.Fprintf(&b, ", which has %d bytes now", e.Size)
	}
	return b.String()
}

// Unwrap returns Err.
func (e *OpError) Unwrap() error { return e.Err }

// A FaultError is a page fault in mapped bytes of a file, as an error. The usual reason is that
// the file was truncated from outside: bytes that are mapped beyond its end have no memory behind
// them. Other reasons are a full disk, where the file has a hole, a broken disk, and a write to
// bytes that are mapped for reading only.
type FaultError struct {
	Op   string // "View", "ReadAt" or "WriteAt"; "" from [Fault]
	Path string
	Off  int64 // of the bytes that were in use; from [Fault], of the mapping
	N    int64 // how many
	At   int64 // the offset of the fault; on some systems only that of its page
	Size int64 // of the file after the fault; -1 if it is not known
}

// Error describes where the fault was, and whether the file still has a byte there.
func (e *FaultError) Error() string {
	why := fmt.Sprintf("which has %d bytes: its disk is full or broken, or they are for reading only", e.Size)
	switch {
	case e.Size < 0:
		why = "whose size cannot be found out"
	case e.At >= e.Size:
		why = fmt.Sprintf("which somebody has truncated to %d bytes", e.Size)
	}
	op := e.Op
	if op == "" {
		op = "use"
	}
	return fmt.Sprintf("%v: %s of %d bytes at %d, at offset %d of %s, %s", ErrFault, op, e.N, e.Off, e.At, e.Path, why)
}

// Unwrap returns ErrFault.
func (e *FaultError) Unwrap() error { return ErrFault }

// A StaleError is a fault in bytes of a mapping that its readers had left and that has lost its
// access: the bytes were used after their guard was released, or after View had returned. It
// occurs only under -tags spanlockdebug.
type StaleError struct {
	Path string
	At   int64         // the offset of the fault
	Off  int64         // of the mapping
	N    int64         // its length
	Ago  time.Duration // since the mapping has lost its access
}

// Error describes which bytes were used too late.
func (e *StaleError) Error() string {
	return fmt.Sprintf("%v: offset %d of %s, in a mapping of %d bytes at %d that its last reader had left %v before",
		ErrStale, e.At, e.Path, e.N, e.Off, e.Ago.Round(time.Microsecond))
}

// Unwrap returns ErrStale.
func (e *StaleError) Unwrap() error { return ErrStale }

// An AddressSpaceError is an [ErrAddressSpace] with the bytes that were to be mapped.
type AddressSpaceError struct {
	Path string
	Off  int64 // the offset of the bytes that were to be mapped
	N    int64 // their number
	Err  error // the system's, or nil if N is more than any slice can have
}

// Error describes what does not fit.
func (e *AddressSpaceError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%v: %d bytes of %s are more than one slice can have here; use Options.SegmentSize", ErrAddressSpace, e.N, e.Path)
	}
	return fmt.Sprintf("%v: cannot map %d bytes at %d of %s: %v", ErrAddressSpace, e.N, e.Off, e.Path, e.Err)
}

// Unwrap returns ErrAddressSpace and Err.
func (e *AddressSpaceError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrAddressSpace}
	}
	return []error{ErrAddressSpace, e.Err}
}

// A WaitError is the error of a call whose context has ended. It wraps the context's error and
// its [context.Cause].
type WaitError struct {
	Op   string // the method, as "Truncate"
	Path string

	// Behind is the call that had to end first, as "Truncate". It is empty if the wait was for
	// readers.
	Behind string

	// Held is the ranges of the readers that the call waited for, as offsets of the file, at most
	// 16. Each is the range of a mapping, not that of the bytes which the reader uses.
	Held []rangelock.Range[int64]

	// Files is the paths of the files that these readers have, each path once. After a Swap a
	// reader may still have an earlier file, so a path need not be Path. A file whose last reader
	// has just left may be among them.
	Files []string

	Waited time.Duration // how long the wait took; zero if the context had ended before

	err, cause error
}

// Error describes what the call waited for.
func (e *WaitError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "mapfile: %s of %s gave up waiting", e.Op, e.Path)
	if e.Behind != "" {
		fmt.Fprintf(&b, " for a %s to end", e.Behind)
	}
	if e.Waited > 0 {
		fmt.Fprintf(&b, " after %v", e.Waited.Round(time.Microsecond))
	}
	for i, r := range e.Held {
		if i == 0 {
			b.WriteString("; readers are still in ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(r.String())
	}
	if len(e.Files) > 1 || len(e.Files) == 1 && e.Files[0] != e.Path {
		b.WriteString(" of " + strings.Join(e.Files, " and of "))
	}
	fmt.Fprintf(&b, ": %v", e.err)
	if e.cause != e.err {
		fmt.Fprintf(&b, " (%v)", e.cause)
	}
	return b.String()
}

// Unwrap returns the context's error and its cause.
func (e *WaitError) Unwrap() []error { return []error{e.err, e.cause} }

// gaveUp returns the error of a wait that ctx has ended.
func gaveUp(ctx context.Context, op, path string, began time.Time) *WaitError {
	e := &WaitError{Op: op, Path: path, err: ctx.Err(), cause: context.Cause(ctx)}
	if !began.IsZero() {
		e.Waited = time.Since(began)
	}
	return e
}

// also returns err, joined with another error that came up while err was handled, if that is not
// nil.
func also(err, another error) error {
	if another == nil {
		return err
	}
	return errors.Join(err, another)
}
