package mapfile

import (
	"fmt"
	"math"
	"runtime/debug"

	"github.com/spanlock/spanlock/rangelock"
)

// everything is the range of all offsets.
var everything = rangelock.From[int64](0)

// View calls use with the n bytes of the file from off on, as they are in memory, without a
// copy. They may be used until use returns, and not after it. They may be written to if the
// file was not opened for reading only; the caller sees to it that others do not use the
// same bytes at that time.
//
// It waits for no reader, and for a writer only as long as that changes the map, some
// microseconds; on Windows it waits for a Truncate. Use may call View, ReadAt and the like
// of the same file, but must not call Truncate or Close, which wait for it.
//
// It returns the error of use. Otherwise it returns an [OpError], without having called use:
// with [ErrBeyond] if the file does not have all of the bytes, with [ErrCrosses] if they lie
// in more than one segment, with [ErrBadRange] if off or n is negative, with [ErrClosed]. If
// use touches a byte that the file does not have any more, because somebody has truncated it
// without this File, or that its disk does not give, use ends there and View returns a
// [FaultError]; what use has deferred runs. Use must not start a goroutine that touches
// the bytes without [debug.SetPanicOnFault] of its own: a fault there ends the program.
// Another panic of use goes through View as it is.
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

// Guard is a hold on bytes of a file, got by [File.Acquire]: until Release they stay
// mapped, and are what they were in the file that was there, also when that is closed or
// replaced meanwhile.
//
// It may be released by another goroutine. It is not for concurrent use, but its bytes are.
// The zero Guard holds nothing, and panics when used. A Guard must not be copied: a second
// release by a copy takes away the hold of somebody else.
//
// In the terminology of the Go memory model, Release synchronizes before the return of a
// Truncate that takes the bytes away and before that of Close, with a nil error.
type Guard struct {
	g rangelock.Guard[int64, *part]
	b []byte
}

// Acquire is [File.View] for bytes that are used beyond one function. The caller owes the
// guard's Release; until then Truncate and Close may wait for it. With an error there is
// nothing to release.
//
// A fault in the bytes, where somebody else has truncated the file, ends the program unless
// the goroutine has called [debug.SetPanicOnFault]; then it is a panic, which [Fault]
// explains. Under -tags spanlockdebug Acquire calls that itself, and leaves it so.
//
// It waits as View does, and its errors are those of View, but for that of use. It allocates
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

// Release gives the hold back and makes g the zero Guard. It never blocks. It panics if g
// holds nothing, as it does after a Release.
func (g *Guard) Release() {
	if g.b == nil {
		panic("mapfile: Release of a Guard that holds nothing")
	}
	g.b = nil
	g.g.Release()
}

// acquire takes a guard on the part of the n bytes from off on, and returns the bytes: not
// nil where there are none. Zero bytes are at every offset up to the end.
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

// acquireSlow is the rest of acquire, with what the map has answered: the errors, the end,
// and the wait for a file that is not mapped for the time.
func (f *File) acquireSlow(op string, off int64, n int, g rangelock.Guard[int64, *part], ok bool) (rangelock.Guard[int64, *part], []byte, error) {
	var none rangelock.Guard[int64, *part]
	if !ok {
		return none, nil, f.refuse(op, off, n, ErrClosed)
	}
	p := g.Value()
	if p.m == nil && n == 0 && off == p.lo && p.reopened == nil && p.failed == nil {
		return g, []byte{}, nil
	}
	g.Release() // before a wait for Truncate, which may wait for this guard
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

// refuse returns the error of a call that asked for n bytes from off on. The caller has no
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

// String says which file it is, how long, and whether it is closed. It waits as Size does.
func (f *File) String() string {
	if g, err := f.acquireEnd("String"); err == nil {
		defer g.Release()
		return fmt.Sprintf("mapfile.File %s, %d bytes", f.Name(), g.Range().Lo)
	}
	return fmt.Sprintf("mapfile.File %s, closed", f.Name())
}
