package mapfile

import (
	"context"
	"fmt"
	"math"
	"os"
	"sync"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// File is a memory-mapped file that can grow, shrink and be replaced while any number of
// goroutines read it. Readers hold the mapping that they use, and not the file: a change
// of the file waits for no reader but those of bytes that it takes away.
//
// There is no useful zero value: [Open] and [Create] make Files. A File must not be copied.
// One that is dropped without [File.Close] stays mapped.
//
// What a File does to a file it does alone. Nobody else may make the file shorter while it
// is open; where somebody does, reads of what is gone are a [FaultError]. Others may write
// into it, or append to it: a File has the size that it was opened with or has given it.
//
// In the terminology of the Go memory model, what was done before a call of Grow, Truncate
// or Swap synchronizes before the return of each View, Acquire, ReadAt, WriteAt and Size
// that shows its effect, and the end of each use of bytes that Truncate takes away, by the
// return of View or by Guard.Release, synchronizes before the return of that Truncate with
// a nil error. Two uses of the same bytes are not ordered.
type File struct {
	m        *rangelock.Map[int64, *part]
	readOnly bool
	segment  int64 // bytes of a segment, or whole
	exact    bool  // what is mapped cannot go beyond the end of the file, nor the end be cut off

	// turn has room for the one that changes the file: Grow, Truncate, Swap and Close hold
	// it by having put something in.
	turn chan struct{}

	// Written in turn.
	back    *backing // the file
	current layout   // all of what is in the map
	closed  bool

	mu     sync.Mutex
	path   string             // of the file, also when it is closed
	behind string             // what has the turn
	alive  map[*part]struct{} // published, and not released yet
	errs   []error            // of unmapping and closing, for Close
}

// whole is the segment of a file that is mapped as a whole: no file is longer.
const whole = math.MaxInt64

// Options says how a file is opened. It is read once.
type Options struct {
	// ReadOnly opens and maps the file for reading only: a write to its bytes is a fault.
	// WriteAt, Grow and Truncate return ErrReadOnly.
	ReadOnly bool

	// SegmentSize is how many bytes are mapped together, rounded up to a multiple of
	// [Granularity]. Zero maps the file as a whole: one View can have all of it, but
	// Truncate waits for all readers of the file, and 32-bit systems have no room for large
	// ones. A View lies in one segment. A negative size panics.
	SegmentSize int64
}

// Open opens and maps the file at path, which must be a regular file; it may be empty. The
// options may be nil.
//
// Its errors are those of [os.OpenFile], an [OpError] with [ErrNotRegular], an
// [AddressSpaceError], and one that wraps [errors.ErrUnsupported] on a system without
// mappings.
func Open(path string, o *Options) (*File, error) {
	f := newFile(o)
	if err := f.mount("Open", path, f.flag(), 0); err != nil {
		return nil, err
	}
	return f, nil
}

// Create makes a file of size zero bytes at path, and opens and maps it. There must be none
// yet: to truncate one that is there could take pages away from others that have it mapped.
// The options may be nil. When it fails, no file is left.
//
// Its errors are those of [os.OpenFile] and of [Open], and an [OpError] with [ErrReadOnly]
// or, for a negative size, [ErrBadRange].
func Create(path string, size int64, o *Options) (*File, error) {
	f := newFile(o)
	switch {
	case f.readOnly:
		return nil, &OpError{Op: "Create", Path: path, Err: ErrReadOnly}
	case size < 0:
		return nil, &OpError{Op: "Create", Path: path, N: size, Err: ErrBadRange}
	}
	if err := f.mount("Create", path, f.flag()|os.O_CREATE|os.O_EXCL, size); err != nil {
		return nil, err
	}
	return f, nil
}

func newFile(o *Options) *File {
	if o == nil {
		o = new(Options)
	}
	if o.SegmentSize < 0 {
		panic(fmt.Sprintf("mapfile: SegmentSize is %d", o.SegmentSize))
	}
	f := &File{readOnly: o.ReadOnly, segment: whole, exact: exact, turn: make(chan struct{}, 1), alive: make(map[*part]struct{})}
	if o.SegmentSize > 0 && o.SegmentSize <= whole-Granularity() {
		f.segment = (o.SegmentSize + Granularity() - 1) / Granularity() * Granularity()
	}
	f.m = rangelock.New(&rangelock.Options[int64, *part]{OnRetire: f.retired})
	return f
}

func (f *File) flag() int {
	if f.readOnly {
		return os.O_RDONLY
	}
	return os.O_RDWR
}

// mount is Open and Create. It makes a new file size bytes long.
func (f *File) mount(op, path string, flag int, size int64) (err error) {
	back, length, err := openBacking(op, path, flag)
	if err != nil {
		return err
	}
	defer func() {
		err = also(err, back.release()) // the parts have it
		if err != nil && flag&os.O_CREATE != 0 {
			err = also(err, os.Remove(path))
		}
	}()
	if size > 0 {
		if err := cutFile(back.file, size); err != nil {
			return err
		}
		length = size
	}
	l, err := f.lay(back, length, nil)
	if err != nil {
		return err
	}
	f.back, f.path = back, path
	return f.publish(context.Background(), op, l)
}

// Name returns the path with which the file was opened, or, after [File.Swap], that of the
// file which is there now.
func (f *File) Name() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.path
}

// publish puts the parts of l in the place of those from l.first on, in one transaction,
// and waits for no reader. With an error it has done nothing.
//
// Preconditions: the caller has the turn.
func (f *File) publish(ctx context.Context, op string, l *layout) error {
	w, err := f.m.LockContext(ctx)
	switch {
	case ctx.Err() != nil && err != nil:
		return gaveUp(ctx, op, f.path, time.Time{})
	case err != nil:
		return &OpError{Op: op, Path: f.path, Err: ErrClosed}
	}
	defer w.Unlock()
	// Before the transaction: a part may be retired at once after it.
	f.mu.Lock()
	for _, p := range l.parts {
		f.alive[p] = struct{}{}
	}
	f.alive[l.end] = struct{}{}
	f.mu.Unlock()

	from := l.from()
	if f.current.end != nil && f.current.end.span().Lo < from {
		from = f.current.end.span().Lo
	}
	if _, err := w.Retire(rangelock.From(from)); err != nil {
		panic(fmt.Sprintf("mapfile: cannot retire from %d on: %v", from, err))
	}
	for _, p := range l.parts {
		f.attach(w, p)
	}
	f.attach(w, l.end)
	clear(f.current.parts[l.first:])
	f.current.parts = append(f.current.parts[:l.first], l.parts...)
	f.current.end = l.end
	return nil
}

// attach inserts a part into the gap that publish has made for it. There is no way back
// from a retired range, so a refusal, which cannot be, is a panic.
func (f *File) attach(w rangelock.Writer[int64, *part], p *part) {
	if err := w.Insert(p.span(), p); err != nil {
		panic(fmt.Sprintf("mapfile: cannot attach %v: %v", p.span(), err))
	}
}

// retired is the map's OnRetire: no reader has the part any more.
func (f *File) retired(_ rangelock.Range[int64], p *part) {
	// Before it is forgotten: a Truncate that does not find it must find it unmapped.
	err := p.release()
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.alive, p)
	if err != nil {
		f.errs = append(f.errs, err)
	}
}

// begin waits for the turn to change the file, and fails at once if ctx has ended. With an
// error there is nothing to end.
func (f *File) begin(ctx context.Context, op string) error {
	if ctx.Err() != nil {
		return gaveUp(ctx, op, f.Name(), time.Time{})
	}
	began := time.Now()
	select {
	case f.turn <- struct{}{}:
	default:
		select {
		case f.turn <- struct{}{}:
		case <-ctx.Done():
			f.mu.Lock()
			defer f.mu.Unlock()
			err := gaveUp(ctx, op, f.path, began)
			err.Behind = f.behind
			return err
		}
	}
	f.mu.Lock()
	f.behind = op
	f.mu.Unlock()
	return nil
}

// end lets the next one change the file.
func (f *File) end() {
	f.mu.Lock()
	f.behind = ""
	f.mu.Unlock()
	<-f.turn
}

// Size returns how many bytes the file has, zero if it is closed. It waits for no reader.
func (f *File) Size() int64 {
	_, p, ok := f.m.GetRange(math.MaxInt64)
	for ok && p.reopened != nil {
		<-p.reopened
		_, p, ok = f.m.GetRange(math.MaxInt64)
	}
	if !ok {
		return 0
	}
	return p.lo
}

// Stats returns what the map below has done. Ranges is how many parts are mapped, and one
// for the end; Pending is how many have been replaced, and perhaps have readers still. It
// waits for nobody, and costs what [rangelock.Map.Stats] does.
func (f *File) Stats() rangelock.Stats { return f.m.Stats() }
