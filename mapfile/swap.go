package mapfile

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// Swap replaces the file by the one at path, which it opens and maps with the same options.
// Readers keep the old file until they have released it; then it is unmapped and closed. Later
// readers find the new file. Each View sees one file or the other, never both, and at no time the
// file is absent. Swap does not remove or rename the old file on the disk.
//
// Swap does not wait for readers. It waits until an earlier Grow, Truncate, Swap or Close has
// ended; if ctx ends this wait, the error is a [WaitError]. Its other errors are those of [Open],
// and an [OpError] with [ErrClosed]. After an error the file is as it was.
func (f *File) Swap(ctx context.Context, path string) (err error) {
	if err := f.begin(ctx, "Swap"); err != nil {
		return err
	}
	defer f.end()
	if f.closed {
		return &OpError{Op: "Swap", Path: f.path, Err: ErrClosed}
	}
	back, length, err := openBacking("Swap", path, f.flag())
	if err != nil {
		return err
	}
	defer func() { err = also(err, back.release()) }() // the parts have their own references
	l, err := f.lay(back, length, nil)
	if err != nil {
		return err
	}
	if err := f.publish(ctx, "Swap", l); err != nil {
		return also(err, l.drop())
	}
	f.back = back
	f.mu.Lock()
	f.path = path
	f.mu.Unlock()
	return nil
}

// Close closes the file for new readers, waits until the earlier ones have left, and unmaps and
// closes it. It also waits until an earlier Grow, Truncate or Swap has ended.
//
// If ctx ends the wait, the error is a [WaitError] with the ranges that still have readers and
// the files that these readers have: after a Swap they may be earlier files. If Close had its
// turn by then, the file is closed all the same. It is unmapped when the readers have left, and
// another Close waits for that. A Close of a closed file that has no readers does nothing. A
// goroutine that has a guard on the file must not call Close: it would wait for itself.
//
// Close returns the system's errors of unmapping and closing, also those of earlier mappings.
// Each is returned once.
//
// In the terminology of the Go memory model, the end of each use of the file's bytes
// synchronizes before the return of Close with a nil error.
func (f *File) Close(ctx context.Context) error {
	if err := f.begin(ctx, "Close"); err != nil {
		return err
	}
	defer f.end()
	began := time.Now()
	if err := f.m.Close(ctx); err != nil {
		g, open := f.m.Acquire(0) // until the map is closed, each offset has a range
		if open {
			g.Release()
		}
		f.closed = !open
		e := gaveUp(ctx, "Close", f.path, began)
		f.mu.Lock()
		leaving := slices.Collect(maps.Keys(f.alive))
		f.mu.Unlock()
		f.held(ctx, e, leaving)
		return e
	}
	f.closed = true
	f.current = layout{}
	f.mu.Lock()
	defer f.mu.Unlock()
	errs := f.errs
	f.errs = nil
	return errors.Join(errs...)
}
