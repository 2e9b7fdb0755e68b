package mapfile

import "context"

// Grow makes the file size bytes long. The new bytes are zeros. On a system with sparse files
// they take no room on the disk until they are written. A file that already has size bytes or
// more stays as it is, so goroutines that append may each ask for the size that they need.
//
// Grow does not wait for readers: they keep the mapping that they have, and later readers find
// the new one. It waits until an earlier Grow, Truncate, Swap or Close has ended; of these,
// Truncate and Close wait for readers. If ctx ends this wait, the error is a [WaitError].
//
// It returns an [AddressSpaceError] if the system has no room for a mapping; an [OpError] with
// [ErrBadRange] for a negative size, with [ErrReadOnly], with [ErrClosed], or with [ErrShrunk] if
// the file was truncated from outside; and the system's error if the file cannot be made longer.
// After an error the file has the size that it had before. Only on Windows it may be longer on
// the disk than the File's size, because a mapped file cannot be cut off.
func (f *File) Grow(ctx context.Context, size int64) (err error) {
	if err := f.begin(ctx, "Grow"); err != nil {
		return err
	}
	defer f.end()
	if err := f.changeable("Grow", size); err != nil {
		return err
	}
	now := f.current.size()
	if size <= now {
		return nil
	}
	length, err := f.lengthFor("Grow", size, now)
	if err != nil {
		return err
	}
	if length < size {
		if err := cutFile(f.back.file, size); err != nil {
			return also(err, f.cutTo(length))
		}
		defer func() {
			if err != nil {
				err = also(err, f.cutTo(length))
			}
		}()
	}
	l, err := f.lay(f.back, size, &f.current)
	if err != nil {
		return err
	}
	if err := f.publish(ctx, "Grow", l); err != nil {
		return also(err, l.drop())
	}
	return nil
}

// cutTo restores the length that the file had before a Grow that failed, if the system can.
func (f *File) cutTo(length int64) error {
	if f.exact {
		return nil
	}
	return cutFile(f.back.file, length)
}

// lengthFor returns the length of the file, which must have least bytes for a call that makes it size
// bytes long: with fewer it was truncated from outside.
//
// Preconditions: the caller has the turn.
func (f *File) lengthFor(op string, size, least int64) (int64, error) {
	length, err := f.back.length()
	if err == nil && length < least {
		err = &OpError{Op: op, Path: f.path, N: size, Size: length, Err: ErrShrunk}
	}
	return length, err
}

// changeable returns nil, or the error of a call that cannot set the file's size.
//
// Preconditions: the caller has the turn.
func (f *File) changeable(op string, size int64) error {
	e := &OpError{Op: op, Path: f.path, N: size}
	switch {
	case size < 0:
		e.Err = ErrBadRange
	case f.readOnly:
		e.Err = ErrReadOnly
	case f.closed:
		e.Err = ErrClosed
	default:
		return nil
	}
	return e
}
