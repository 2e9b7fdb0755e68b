package mapfile

import (
	"fmt"
	"math"
	"runtime/debug"

	"github.com/spanlock/spanlock/rangelock"
)

// everything is the range of all offsets.
var everything = rangelock.From[int64](0)

// View calls use with the n bytes of the file from off on, in place, without a copy. The bytes
// may be used until use returns, and not after it. They may be written to if the file was not
// opened for reading only; the caller must ensure that no other goroutine uses the same bytes at
// that time.
//
// View does not wait for readers. It waits for a change of the map that is under way, some
// microseconds; on Windows it waits for a Truncate. The function may call View, ReadAt and
// similar methods of the same file. It must not call Truncate or Close, which wait for it.
//
// View returns the error of use. If it does not call use, it returns an [OpError]: with
// [ErrBeyond] if the file does not have all of the bytes, with [ErrCrosses] if they lie in more
// than one segment, with [ErrBadRange] if off or n is negative, or with [ErrClosed].
//
// If use touches a byte that the file does not have any more, because it was truncated from
// outside, or a byte that its disk cannot read, use ends there, its deferred calls run, and View
// returns a [FaultError]. If use starts a goroutine that touches the bytes, this goroutine must
// call [debug.SetPanicOnFault] itself: otherwise a fault there ends the program. Any other panic
// of use passes through View unchanged.
func (f *File) View(off int64, n int, use func(b []byte) error) (err error) {
	g, b, err := f.acquire("View", off, n)
	if err != nil {
		return err
	}
	defer g.Release()
	defer caught(&err, g.Value(), "View", off, b)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	return use(b)
}

// A Guard holds bytes of a file for a reader; [File.Acquire] returns it. Until Release the bytes
// stay mapped, and they stay those of the file that was there at the Acquire, also if the File is
// closed or swapped meanwhile.
//
// Another goroutine may release it. A Guard must not be used by several goroutines at the same
// time, but its bytes may. The zero Guard holds nothing, and its methods panic. A Guard must not
// be copied: a second release by a copy releases the hold of another reader.
//
// In the terminology of the Go memory model, Release synchronizes before the return, with a nil
// error, of a Truncate that cuts the bytes off and of Close.
type Guard struct {
	g rangelock.Guard[int64, *part]
	b []byte
}

// Acquire returns a guard on the n bytes of the file from off on. It is [File.View] for bytes
// that are used beyond one function. The caller must call Release; until then Truncate and Close
// may wait for it. After an error there is nothing to release.
//
// If the file is truncated from outside, a fault in the bytes ends the program, unless the
// goroutine has called [debug.SetPanicOnFault]. Then the fault is a panic, which [Fault]
// explains. Under -tags spanlockdebug Acquire calls SetPanicOnFault itself, and leaves it set.
//
// Acquire waits as View does and returns the same errors, except that of use. It allocates
// nothing.
func (f *File) Acquire(off int64, n int) (Guard, error) {
	g, b, err := f.acquire("Acquire", off, n)
	if err != nil {
		return Guard{}, err
	}
	trap()
	return Guard{g, b}, nil
}

// Bytes returns the bytes, which must not be used after Release. It panics if the guard
// holds nothing.
func (g *Guard) Bytes() []byte {
	if g.b == nil {
		panic("mapfile: Bytes of a Guard that holds nothing")
	}
	return g.b
}

// Release releases the bytes, and makes g the zero Guard. It never blocks. It panics if g holds
// nothing, as after a Release.
func (g *Guard) Release() {
	if g.b == nil {
		panic("mapfile: Release of a Guard that holds nothing")
	}
	g.b = nil
	g.g.Release()
}

// acquire takes a guard on the part that has the n bytes from off on, and returns the bytes. They
// are not nil, also if n is zero. Zero bytes are at every offset up to the end.
func (f *File) acquire(op string, off int64, n int) (rangelock.Guard[int64, *part], []byte, error) {
	if off < 0 || n < 0 {
		return rangelock.Guard[int64, *part]{}, nil, f.refuse(op, off, n, ErrBadRange)
	}
	g, ok := f.m.Acquire(off)
	if ok {
		if p := g.Value(); p.m != nil && int64(n) <= p.hi-off {
			at := int(off - p.lo)
			return g, p.m.bytes[at : at+n : at+n], nil
		}
	}
	return f.acquireSlow(op, off, n, g, ok)
}

// acquireSlow is the rest of acquire, for the guard that the map has returned: it handles the
// errors, the end of the file, and the wait for a file that is not mapped for the moment.
func (f *File) acquireSlow(op string, off int64, n int, g rangelock.Guard[int64, *part], ok bool) (rangelock.Guard[int64, *part], []byte, error) {
	var none rangelock.Guard[int64, *part]
	if !ok {
		return none, nil, f.refuse(op, off, n, ErrClosed)
	}
	p := g.Value()
	if p.m == nil && n == 0 && off == p.lo && p.reopened == nil && p.failed == nil {
		return g, []byte{}, nil
	}
	g.Release() // release before the wait for Truncate, which may wait for this guard
	switch {
	case p.reopened != nil:
		<-p.reopened
		return f.acquire(op, off, n)
	case p.failed != nil:
		return none, nil, p.failed
	case p.m != nil && int64(n) <= f.Size()-off:
		if p.hi%f.segment != 0 { // the file has grown since
			return f.acquire(op, off, n)
		}
		return none, nil, f.refuse(op, off, n, ErrCrosses)
	}
	return none, nil, f.refuse(op, off, n, ErrBeyond)
}

// acquireEnd takes a guard on the part that stands for the end of the file.
func (f *File) acquireEnd(op string) (rangelock.Guard[int64, *part], error) {
	for {
		g, ok := f.m.Acquire(math.MaxInt64)
		if !ok {
			return g, f.refuse(op, 0, 0, ErrClosed)
		}
		p := g.Value()
		if p.reopened == nil && p.failed == nil {
			return g, nil
		}
		g.Release()
		if p.failed != nil {
			return g, p.failed
		}
		<-p.reopened
	}
}

// refuse returns err with the arguments of a call for n bytes from off on. The caller has no
// guard.
func (f *File) refuse(op string, off int64, n int, err error) error {
	e := &OpError{Op: op, Path: f.Name(), Off: off, N: int64(n), Err: err}
	switch err {
	case ErrBeyond:
		e.Size = f.Size()
	case ErrCrosses:
		e.Size = f.segment
	}
	return e
}

// String describes the file, its size, and whether it is closed. It waits as Size does.
func (f *File) String() string {
	if g, err := f.acquireEnd("String"); err == nil {
		defer g.Release()
		return fmt.Sprintf("mapfile.File %s, %d bytes", f.Name(), g.Range().Lo)
	}
	return fmt.Sprintf("mapfile.File %s, closed", f.Name())
}
