package mapfile

import "context"

// Grow makes the file size bytes long; the new ones are zeros, and take no room on the disk
// of a system that has sparse files until they are written. A file that is as long already
// stays as it is, so goroutines that append may all ask for what they need.
//
// It waits for no reader: those that are there keep the mapping that they have, and those
// that come find the new one. Before that it waits until a Grow, Truncate, Swap or Close
// that came before has ended; of these Truncate and Close wait for readers. When ctx ends
// it first, the error is a [WaitError].
//
// It returns an [AddressSpaceError] where the system has no room for a mapping, an [OpError]
// with [ErrBadRange] for a negative size, with [ErrReadOnly], with [ErrClosed], or with
// [ErrShrunk] if somebody else has truncated the file, and the error of the system that
// could not make the file longer. With any of them the file is as long as before; only on
// Windows it may be longer outside of the File, since what is mapped cannot be cut off.
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
	length, err := f.back.length()
	if err != nil {
		return err
	}
	if length < now {
		return &OpError{Op: "Grow", Path: f.path, N: size, Size: length, Err: ErrShrunk}
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

// cutTo gives the file back the length that it had before a Grow that failed, where the
// system lets it.
func (f *File) cutTo(length int64) error {
	if f.exact {
		return nil
	}
	return cutFile(f.back.file, length)
}

// changeable returns the error of a call that would change the file to be size bytes long,
// or nil if it may.
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
