package mapfile

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// Truncate cuts the file off after size bytes. If the File has size bytes or fewer, Truncate does
// nothing, and does not look whether the file on the disk has them.
//
// Truncate waits for the readers of every mapping with bytes beyond size, including mappings that
// a Grow has replaced meanwhile. Readers that arrive while it waits find a file of size bytes and
// do not wait. On Windows a mapped file cannot be cut off: there Truncate waits for all readers
// of the file, and readers that arrive meanwhile wait for it. Truncate also waits until an
// earlier Grow, Truncate, Swap or Close has ended. A goroutine that has a guard on bytes beyond
// size must not call Truncate: it would wait for itself.
//
// If ctx ends one of the waits, the error is a [WaitError] with the ranges that still have
// readers. Truncate returns an [OpError] with [ErrBadRange] for a negative size, with
// [ErrReadOnly] or with [ErrClosed], and the system's error if it cannot cut the file off. It
// returns an OpError with [ErrShrunk] if the file was truncated from outside to fewer than size
// bytes; a Truncate to the length in the error's Size makes the File agree with the file again.
//
// After an error the file is as it was, with the same bytes, though readers may have found it
// shorter for a moment. Only on Windows the file may be unmapped after an error, if it cannot be
// mapped again. Then calls of the File return the [AddressSpaceError], and Grow, Swap or another
// Truncate maps the file again.
//
// In the terminology of the Go memory model, the end of each use of bytes beyond size
// synchronizes before the return of Truncate with a nil error.
func (f *File) Truncate(ctx context.Context, size int64) error {
	if err := f.begin(ctx, "Truncate"); err != nil {
		return err
	}
	defer f.end()
	if err := f.changeable("Truncate", size); err != nil {
		return err
	}
	now := f.current.size()
	if size >= now && f.current.end.failed == nil {
		return nil
	}
	// Before readers find a shorter file; cutOff looks again.
	if _, err := f.lengthFor("Truncate", size, min(size, now)); err != nil {
		return err
	}
	if f.exact {
		return f.unmapAndCut(ctx, size)
	}
	return f.cut(ctx, size)
}

// cut hides the bytes beyond size from new readers, waits for the earlier ones, and then cuts the
// file off. If it cannot, it attaches the old parts again; it keeps their mappings until then.
func (f *File) cut(ctx context.Context, size int64) error {
	short, err := f.lay(f.back, size, &f.current) // shares what is mapped
	if err != nil {
		return err
	}
	undo := &layout{first: short.first, end: newPart(f.back, nil, f.current.size(), f.current.size())}
	for _, p := range f.current.parts[short.first:] {
		undo.parts = append(undo.parts, p.again())
	}
	if err := f.publish(ctx, "Truncate", short); err != nil {
		return also(also(err, short.drop()), undo.drop())
	}
	err = f.awaitReaders(ctx, size)
	if err == nil {
		err = f.cutOff(size)
	}
	if err == nil {
		return undo.drop()
	}
	return also(err, f.publish(context.Background(), "Truncate", undo))
}

// unmapAndCut is Truncate on a system that cannot cut off a mapped file. It unmaps the whole file
// while readers wait, cuts it off, and maps the rest.
func (f *File) unmapAndCut(ctx context.Context, size int64) error {
	was := f.current.size()
	size = min(size, was)
	closed := newPart(f.back, nil, was, was)
	closed.reopened = make(chan struct{})
	if err := f.publish(ctx, "Truncate", &layout{end: closed}); err != nil {
		return also(err, closed.release())
	}
	defer close(closed.reopened)
	err := f.awaitReaders(ctx, 0)
	if err == nil {
		err = f.cutOff(size)
	}
	if err != nil {
		size = was
	}
	l, failed := f.lay(f.back, size, nil)
	if failed != nil {
		l = &layout{end: newPart(f.back, nil, size, size)}
		l.end.failed = failed
	}
	return also(also(err, failed), f.publish(context.Background(), "Truncate", l))
}

// cutOff makes the file size bytes long, but never longer.
//
// The tempting version succeeds if the file is shorter already. Then the File has a size with bytes
// that the file does not have.
func (f *File) cutOff(size int64) error {
	if length, err := f.lengthFor("Truncate", size, size); err != nil || length == size {
		return err
	}
	return cutFile(f.back.file, size)
}

// awaitReaders waits until no reader uses bytes of the file from size on, and until every part
// with such bytes is released, except those that Truncate keeps. Readers that arrive meanwhile
// find no such bytes, because the parts in the map end at size.
func (f *File) awaitReaders(ctx context.Context, size int64) error {
	f.mu.Lock()
	var leaving []*part
	for p := range f.alive {
		if p.m != nil && p.back == f.back && p.hi > size {
			leaving = append(leaving, p)
		}
	}
	f.mu.Unlock()
	began := time.Now()
	for _, p := range leaving {
		select {
		case <-p.gone:
		case <-ctx.Done():
			err := gaveUp(ctx, "Truncate", f.path, began)
			f.held(ctx, err, leaving)
			return err
		}
	}
	return nil
}

// held enters in e the ranges of leaving that still have readers, and the paths of their files. ctx
// has ended.
//
// The map knows which ranges have readers, but not of which file: after a Swap several files may
// have had the same range. So held looks for the parts of each range of the map's error.
func (f *File) held(ctx context.Context, e *WaitError, leaving []*part) {
	var w *rangelock.WaitError[int64]
	if !errors.As(f.m.Drain(ctx), &w) {
		return
	}
	for _, r := range w.Held {
		found := false
		for _, p := range leaving {
			if p.span() != r {
				continue
			}
			found = true
			if !slices.Contains(e.Files, p.back.path) {
				e.Files = append(e.Files, p.back.path)
			}
		}
		if found {
			e.Held = append(e.Held, r)
		}
	}
}
