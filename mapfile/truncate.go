package mapfile

import (
	"context"
	"errors"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// Truncate cuts the file off after size bytes. One that is not longer stays as it is.
//
// It waits for the readers of what goes: of every mapping with bytes beyond size, also of
// mappings in whose place Grow has put others meanwhile. Readers that come while it waits
// find a file of size bytes and wait for nothing, except on Windows, where a mapped file
// cannot be cut off: there Truncate waits for all readers of the file, and those that come
// wait for it. It waits, too, until a Grow, Truncate, Swap or Close that came before has
// ended. A goroutine that has a guard on what goes waits for itself.
//
// When ctx ends one of the waits, the error is a [WaitError] that says where readers are.
// It returns an [OpError] with [ErrBadRange] for a negative size, with [ErrReadOnly] or with
// [ErrClosed], and the error of the system that did not cut the file off. With any of them
// the file is as it was, with the same bytes, though readers may have found it shorter
// for the time. Only on Windows a file may have become unmapped when it cannot be mapped
// again; then its calls return the [AddressSpaceError], and Grow, Swap or another
// Truncate maps it anew.
//
// In the terminology of the Go memory model, the end of each use of what goes synchronizes
// before the return of Truncate with a nil error.
func (f *File) Truncate(ctx context.Context, size int64) error {
	if err := f.begin(ctx, "Truncate"); err != nil {
		return err
	}
	defer f.end()
	if err := f.changeable("Truncate", size); err != nil {
		return err
	}
	switch {
	case size >= f.current.size() && f.current.end.failed == nil:
		return nil
	case f.exact:
		return f.unmapAndCut(ctx, size)
	}
	return f.cut(ctx, size)
}

// cut takes what goes away from new readers, waits for those that have it, and then cuts
// the file off. If it cannot, it gives readers back what was taken away: the mappings are
// kept until then.
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

// unmapAndCut is Truncate where the system does not cut off a file that is mapped anywhere:
// it unmaps all of it, while readers wait, and maps what is left.
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

// cutOff makes the file size bytes long. It does not make it longer where somebody else was
// quicker.
func (f *File) cutOff(size int64) error {
	if length, err := f.back.length(); err != nil || length <= size {
		return err
	}
	return cutFile(f.back.file, size)
}

// awaitReaders waits until nobody uses bytes of the file from size on and no mapping of a
// part with such bytes is left, but for those that Truncate keeps. Readers that come
// find none, because the parts in the map end at size.
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
			err.Held = f.held(ctx, size)
			return err
		}
	}
	return nil
}

// held returns the ranges from size on that have left the map and still have readers. ctx
// has ended.
func (f *File) held(ctx context.Context, size int64) []rangelock.Range[int64] {
	var w *rangelock.WaitError[int64]
	if !errors.As(f.m.Drain(ctx), &w) {
		return nil
	}
	var held []rangelock.Range[int64]
	for _, r := range w.Held {
		if r.Unbounded || r.Hi > size {
			held = append(held, r)
		}
	}
	return held
}
