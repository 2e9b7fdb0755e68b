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

// A File is a memory-mapped file that can grow, shrink and be replaced while any number of
// goroutines read it. A reader holds the mapping that it uses, and not the file. A change of the
// file waits only for readers of bytes that it takes away.
//
// The zero value is not useful: [Open] and [Create] make Files. A File must not be copied. A File
// that is dropped without [File.Close] stays mapped.
//
// A File must be the only one that makes its file shorter while it is open. If the file is
// truncated from outside, a read of bytes that are gone is a [FaultError]. Other processes may
// write into the file, or append to it: the size of a File is the size at opening or the size
// that a call of the File has set.
//
// In the terminology of the Go memory model, everything before a call of Grow, Truncate or Swap
// synchronizes before the return of each View, Acquire, ReadAt, WriteAt and Size that shows its
// effect. The end of each use of bytes, by the return of View or by Guard.Release, synchronizes
// before the return, with a nil error, of a Truncate that cuts these bytes off. Two uses of the
// same bytes are not ordered.
type File struct {
	m        *rangelock.Map[int64, *part]
	readOnly bool
	segment  int64 // bytes of a segment, or whole
	exact    bool  // a mapping cannot reach beyond the end of the file, and a mapped file cannot be cut off

	// turn has room for one element. Grow, Truncate, Swap and Close hold the turn while their
	// element is in it.
	turn chan struct{}

	// Read and written by the holder of the turn.
	back    *backing // the file
	current layout   // everything that is in the map
	closed  bool

	mu     sync.Mutex
	path   string             // of the file, also after Close
	behind string             // the method that has the turn
	alive  map[*part]struct{} // parts that were published and are not released yet
	errs   []error            // errors of unmapping and closing, for Close to return
}

// whole is the segment of a file that is mapped as a whole: no file is longer.
const whole = math.MaxInt64

// Options are the settings of a file. Open and Create read them once.
type Options struct {
	// ReadOnly opens and maps the file for reading only: a write to its bytes is a fault.
	// WriteAt, Grow and Truncate return ErrReadOnly.
	ReadOnly bool

	// SegmentSize is the number of bytes that are mapped together, rounded up to a multiple of
	// [Granularity]. A View must lie in one segment. Zero maps the file as a whole: one View can
	// cover all of it, but Truncate waits for all readers of the file, and 32-bit systems have no
	// room for large files. A negative size panics.
	SegmentSize int64
}

// Open opens and maps the file at path. It must be a regular file, and may be empty. The options
// may be nil.
//
// Open returns the errors of [os.OpenFile], an [OpError] with [ErrNotRegular], an
// [AddressSpaceError], or an error that wraps [errors.ErrUnsupported] on a system without
// mappings.
func Open(path string, o *Options) (*File, error) {
	f := newFile(o)
	if err := f.mount("Open", path, f.flag(), 0); err != nil {
		return nil, err
	}
	return f, nil
}

// Create makes a file of size bytes at path, all of them zero, and opens and maps it. The file
// must not exist: to truncate an existing file could take pages away from other processes that
// have it mapped. The options may be nil. If Create fails, it leaves no file.
//
// Create returns the errors of [os.OpenFile] and of [Open], an [OpError] with [ErrReadOnly], or
// an [OpError] with [ErrBadRange] for a negative size.
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

// mount is the common part of Open and Create. It makes a new file size bytes long.
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

// Name returns the path with which the file was opened. After [File.Swap] it returns the path of
// the new file.
func (f *File) Name() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.path
}

// publish replaces the parts from l.first on by those of l, in one transaction. It does not wait
// for readers. If it returns an error, it has changed nothing.
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
	// Before the map changes: a part may be retired as soon as the transaction has ended.
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

// attach inserts a part into the gap that publish has made for it. The gap cannot be undone,
// because its ranges are retired. So a refusal, which cannot happen, is a panic.
func (f *File) attach(w rangelock.Writer[int64, *part], p *part) {
	if err := w.Insert(p.span(), p); err != nil {
		panic(fmt.Sprintf("mapfile: cannot attach %v: %v", p.span(), err))
	}
}

// retired is the map's OnRetire: the part has no readers any more.
func (f *File) retired(_ rangelock.Range[int64], p *part) {
	// Release before delete: a Truncate that does not find the part in alive must find it
	// unmapped.
	err := p.release()
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.alive, p)
	if err != nil {
		f.errs = append(f.errs, err)
	}
}

// begin waits for the turn to change the file. It fails at once if ctx has ended. After an error
// the caller must not call end.
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

// end passes the turn on.
func (f *File) end() {
	f.mu.Lock()
	f.behind = ""
	f.mu.Unlock()
	<-f.turn
}

// Size returns the size of the file in bytes, or zero if it is closed. It does not wait for
// readers.
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

// Stats returns the statistics of the underlying map. Ranges is the number of mapped parts, plus
// one for the end. Pending is the number of parts that were replaced and may still have readers.
// Stats does not wait, and costs what [rangelock.Map.Stats] does.
func (f *File) Stats() rangelock.Stats { return f.m.Stats() }
