package mapfile

import (
	"io"
	"runtime/debug"

	"github.com/spanlock/spanlock/rangelock"
)

var (
	_ io.ReaderAt = (*File)(nil)
	_ io.WriterAt = (*File)(nil)
)

// ReadAt copies bytes of the file, from off on, to b, and returns how many it has copied; it
// implements [io.ReaderAt]. If the file ends before b is full, the error is [io.EOF]. ReadAt
// waits as [File.View] does.
//
// A read over several segments is not a snapshot. Each segment is read at one instant, and
// Truncate, Grow and Swap may come in between.
//
// ReadAt returns an [OpError] with [ErrBadRange] if off is negative, an OpError with [ErrClosed],
// and a [FaultError] as View does. After a FaultError, bytes of b beyond the returned number may
// have been overwritten.
func (f *File) ReadAt(b []byte, off int64) (n int, err error) {
	return f.each("ReadAt", b, off, func(b, mapped []byte) { copy(b, mapped) })
}

// WriteAt copies b to the file, from off on, and returns how many bytes it has copied; it
// implements [io.WriterAt]. It does not make the file longer: if the file ends too early, nothing
// is written, unless a Truncate comes in between. WriteAt waits as [File.View] does. Other
// readers see each byte as soon as it is copied; readers of the same bytes may see the write in
// part. [File.Sync] writes the bytes to the disk.
//
// WriteAt returns an [OpError] with [ErrBeyond] if the file ends before off plus len(b), with
// [ErrReadOnly], with [ErrBadRange] if off is negative, or with [ErrClosed]. It returns a
// [FaultError] as View does, also if the disk has no room for a part of the file that was a hole.
func (f *File) WriteAt(b []byte, off int64) (n int, err error) {
	if f.readOnly {
		return 0, f.refuse("WriteAt", off, len(b), ErrReadOnly)
	}
	if off >= 0 && int64(len(b)) > f.Size()-off && len(b) > 0 {
		if g, ok := f.m.Acquire(off); ok { // or it is closed
			g.Release()
			return 0, f.refuse("WriteAt", off, len(b), ErrBeyond)
		}
	}
	n, err = f.each("WriteAt", b, off, func(b, mapped []byte) { copy(mapped, b) })
	if err == io.EOF {
		err = f.refuse("WriteAt", off, len(b), ErrBeyond)
	}
	return n, err
}

// each calls move for the pieces of b and the corresponding bytes of the file, part by part, and
// returns the number of bytes.
func (f *File) each(op string, b []byte, off int64, move func(b, mapped []byte)) (n int, err error) {
	if len(b) == 0 && off >= 0 {
		return 0, nil
	}
	for n < len(b) {
		var g rangelock.Guard[int64, *part]
		if g, _, err = f.acquire(op, off+int64(n), 0); err != nil {
			return n, f.ofCall(err, op, off, len(b))
		}
		p := g.Value()
		if p.m == nil {
			g.Release()
			return n, io.EOF
		}
		mapped := p.m.bytes[off+int64(n)-p.lo : p.hi-p.lo]
		piece := b[n:min(n+len(mapped), len(b))]
		if err = p.move(&g, op, off+int64(n), piece, mapped[:len(piece)], move); err != nil {
			return n, err
		}
		n += len(piece)
	}
	return n, nil
}

// move calls f with bytes of the part, and releases the guard on it.
func (p *part) move(g *rangelock.Guard[int64, *part], op string, off int64, b, mapped []byte, f func(b, mapped []byte)) (err error) {
	defer g.Release()
	defer caught(&err, p, op, off, mapped)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	f(b, mapped)
	return nil
}

// ofCall returns the error of a call for n bytes from off on, for err, which acquire has returned
// for no bytes somewhere in them: io.EOF for ErrBeyond, and else err with the arguments of the call.
func (f *File) ofCall(err error, op string, off int64, n int) error {
	e, ok := err.(*OpError)
	switch {
	case !ok:
		return err
	case e.Err == ErrBeyond:
		return io.EOF
	}
	return f.refuse(op, off, n, e.Err)
}
