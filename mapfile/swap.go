package mapfile

import (
	"context"
	"errors"
	"time"
)

// Swap replaces the file by the one at path, which it opens and maps with the same options.
// Readers that are there keep the old one until they have left; then it is unmapped and
// closed. Those that come find the new one: each View is of one file or of the other, never
// of both, and in between the file is never absent. What happens to the old file on its
// disk is the caller's part.
//
// It waits for no reader, but until a Grow, Truncate, Swap or Close that came before has
// ended; when ctx ends it first, the error is a [WaitError]. Its other errors are those of
// [Open], and an [OpError] with [ErrClosed]. With any of them the file is as it was.
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
	defer func() { err = also(err, back.release()) }() // the parts have it
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

// Close takes the file away from new readers, waits until those that are there have left,
// and unmaps and closes it. It waits, too, until a Grow, Truncate or Swap that came before
// has ended.
//
// When ctx ends the wait, the error is a [WaitError] that says where readers still are. The
// file is closed then all the same if it was its turn, is unmapped when they leave, and
// another Close waits for that. A Close of a closed file that has no readers does nothing. A
// goroutine that has a guard on the file waits for itself.
//
// The errors of the system in unmapping and closing, also of earlier mappings, are returned
// once.
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
		g, open := f.m.Acquire(0) // there is a range for each offset until the map is closed
		if open {
			g.Release()
		}
		f.closed = !open
		e := gaveUp(ctx, "Close", f.path, began)
		e.Held = f.held(ctx, 0)
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
