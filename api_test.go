package spanlock_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/spanlock/spanlock/epoch"
	"github.com/spanlock/spanlock/guardprofile"
	"github.com/spanlock/spanlock/inspect"
	"github.com/spanlock/spanlock/mapfile"
	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
	"github.com/spanlock/spanlock/rangelocktest"
	"github.com/spanlock/spanlock/rwsem"
)

// The signatures that other programs are compiled against. This file has nothing to
// run: when it does not compile, somebody's program does not either.

type (
	key   = uint64
	value = *int
	span  = rangelock.Range[key]
	guard = rangelock.Guard[key, value]
)

var _ interface {
	sync.Locker
	LockContext(context.Context) error
	TryLock() bool
	Downgrade()
	RLock()
	RLockContext(context.Context) error
	TryRLock() bool
	RUnlock()
	RLocker() sync.Locker
	Contended() bool
	Speculate() (seq uint64, ok bool)
	Validate(seq uint64) bool
	Stats() rwsem.Stats
} = (*rwsem.Sem)(nil)

var _ interface {
	Pin() epoch.Guard
	Retire(func())
	RetireContext(ctx context.Context, cost int64, f func()) error
	Synchronize(context.Context) error
	Barrier(context.Context) error
	Cookie() epoch.Cookie
	Stats() epoch.Stats
} = &epoch.Domain{MaxPending: 1}

var (
	_ interface{ Unpin() }     = (*epoch.Guard)(nil)
	_ interface{ Done() bool } = epoch.Cookie{}
)

var (
	_ func(*rangelock.Options[key, value]) *rangelock.Map[key, value]                                = rangelock.New[key, value]
	_ func(func(a, b []byte) int, *rangelock.Options[[]byte, value]) *rangelock.Map[[]byte, value]   = rangelock.NewFunc[[]byte, value]
	_ func(lo, hi key) span                                                                          = rangelock.Span[key]
	_ func(lo key) span                                                                              = rangelock.From[key]
	_ func() *rangelock.Map[uintptr, any]                                                            = rangelock.Default
	_ func(uintptr) (rangelock.Guard[uintptr, any], bool)                                            = rangelock.Acquire
	_ func(context.Context, uintptr) (rangelock.Guard[uintptr, any], error)                          = rangelock.AcquireContext
	_ func(uintptr) (rangelock.Guard[uintptr, any], error)                                           = rangelock.TryAcquire
	_ func(rangelock.Range[int], *rangelock.Options[int, string]) *rangealloc.Allocator[int, string] = rangealloc.New[int, string]
	_ []error                                                                                        = []error{
		rangelock.ErrNotFound, rangelock.ErrBusy, rangelock.ErrOverlap, rangelock.ErrBadRange,
		rangelock.ErrPartial, rangelock.ErrBacklog, rangelock.ErrClosed, rangelock.ErrStale, rangealloc.ErrNoSpace,
	}
)

var _ = span{Lo: 1, Hi: 2, Unbounded: false}

var _ = rangelock.Options[key, value]{
	OnRetire:    func(r span, v value) {},
	Cost:        func(r span, v value) int64 { return 1 },
	MaxPending:  int64(1),
	WaitForRoom: true,
	SplitValue:  func(r span, at key, v value) (left, right value, err error) { return v, v, nil },
	LoadRange:   func(k key) span { return span{Lo: k, Unbounded: true} },
	MergeValue:  func(left, right span, lv, rv value) (v value, ok bool) { return lv, true },
	Trace: &rangelock.Trace[key]{
		WaitStart: func(rangelock.WaitInfo[key]) {},
		WaitDone:  func(rangelock.WaitInfo[key]) {},
		FellBack:  func(rangelock.FellBackInfo[key]) {},
		Unlocked:  func(rangelock.UnlockedInfo[key]) {},
		Retired:   func(rangelock.RetiredInfo[key]) {},
	},
}

var _ slog.LogValuer = rangelock.WaitInfo[key]{
	Context: context.Background(), Op: "", For: rangelock.ForLock, Exclusive: true, Key: new(key), Range: span{}, Since: time.Time{},
	Holder: "", HolderSince: time.Time{}, Guards: 1, Ahead: 1, Waited: time.Second, Err: error(nil),
}

var (
	_ = rangelock.FellBackInfo[key]{Context: context.Background(), Op: "", Key: new(key), Reason: rangelock.Busy}
	_ = rangelock.UnlockedInfo[key]{Context: context.Background(), Op: "", Range: span{}, Held: time.Second}
	_ = rangelock.RetiredInfo[key]{Range: span{}, Cost: int64(1)}
)

var _ interface {
	Acquire(key) (guard, bool)
	AcquireContext(context.Context, key) (guard, error)
	TryAcquire(key) (guard, error)
	AcquireExclusive(key) (guard, bool)
	AcquireExclusiveContext(context.Context, key) (guard, error)
	TryAcquireExclusive(key) (guard, error)
	AcquireOrLoad(context.Context, key, func(context.Context, key) (span, value, error)) (guard, error)
	AcquireNext(key) (guard, bool)
	AcquireNextContext(context.Context, key) (guard, error)
	GetMany([]key, func(int, value, bool))
	View(key, func(r span, v value)) bool
	Get(key) (value, bool)
	Guards(span) iter.Seq[*guard]
	GuardsContext(context.Context, span) iter.Seq2[*guard, error]
	All() iter.Seq2[span, value]
	Len() int
	Stats() rangelock.Stats
	Survey() iter.Seq2[span, rangelock.RangeState]
	SurveyIn(span) iter.Seq2[span, rangelock.RangeState]
	RLock() rangelock.Reader[key, value]
	RLockContext(context.Context) (rangelock.Reader[key, value], error)
	Lock() rangelock.Writer[key, value]
	LockContext(context.Context) (rangelock.Writer[key, value], error)
	TryLock() (rangelock.Writer[key, value], bool)
	Insert(context.Context, span, value) error
	Remove(context.Context, span) (int, error)
	Retire(context.Context, span) (int, error)
	Swap(context.Context, span, value) error
	Drain(context.Context) error
	DrainRange(context.Context, span) error
	Room(ctx context.Context, cost int64) error
	Close(context.Context) error
	fmt.Stringer
	fmt.GoStringer
} = (*rangelock.Map[key, value])(nil)

var _ interface {
	Value() value
	Range() span
	Release()
	fmt.Stringer
} = (*guard)(nil)

var _ interface {
	error
	Unwrap() []error
} = &rangelock.WaitError[key]{For: rangelock.ForGuards, Range: span{}, Guards: 1, Held: []span{}, Waited: time.Second}

var _ interface {
	error
	Unwrap() error
} = &rangelock.BacklogError[key]{Range: span{}, Cost: 1, Pending: 1, MaxPending: 1}

var _ interface {
	Sub(earlier rangelock.Stats) rangelock.Stats
	slog.LogValuer
	fmt.Stringer
} = rangelock.Stats{Waiting: 1, OldestWait: time.Second, Waits: []rangelock.Wait{{For: rangelock.ForLoad, Range: "", Guards: 1, Waited: time.Second}}}

var _ interface {
	Find(key) (span, value, bool)
	Overlapping(span) iter.Seq2[span, value]
	Acquire(key) (guard, bool)
	AcquireContext(context.Context, key) (guard, error)
	Unlock()
} = rangelock.Reader[key, value]{}

var _ interface {
	Insert(span, value) error
	Exclude(span) error
	TryExclude(span) bool
	Update(key, value) error
	Remove(span) (int, error)
	Replace(span, value) error
	Split(at key) error
	Merge(at key) error
	Resize(key, span) error
	Retire(span) (int, error)
	Swap(span, value) error
	Load(iter.Seq2[span, value]) (int, error)
	Clear() (int, error)
	Find(key) (span, value, bool)
	Overlapping(span) iter.Seq2[span, value]
	Unlock()
	Downgrade() rangelock.Reader[key, value]
} = rangelock.Writer[key, value]{}

// Any ordered kind is a key, any type a value.
func _[K cmp.Ordered, V any](m *rangelock.Map[K, V]) *rangelock.Map[K, V] {
	return rangelock.New[K, V](nil)
}

// Any map can be inspected.
var (
	_ func(...inspect.Map) http.Handler = inspect.Handler
	_ inspect.Source[key, value]        = (*rangelock.Map[key, value])(nil)
	_ inspect.Source[int, string]       = rangealloc.Map[int, string]{}
	_                                   = inspect.Named[[]byte, any]
	_                                   = inspect.Options[key, value]{Key: func(key) string { return "" }, Value: func(span, value) string { return "" }}
)

// Any map can be checked for leaks, and asked for them in any build.
var (
	_ func(testing.TB, rangelocktest.Map[key]) = rangelocktest.Check[key]
	_ rangelocktest.Map[key]                   = (*rangelock.Map[key, value])(nil)
	_ rangelocktest.Map[int]                   = rangealloc.Map[int, string]{}
	_ func(string)                             = rangelock.DebugReport
	_ func(int) int                            = guardprofile.SetRate

	_ interface{ Leaks() []rangelock.Leak } = (*rangelock.Map[key, value])(nil)
)

var _ interface {
	Alloc(ctx context.Context, size, align int, v string) (rangelock.Range[int], error)
	AllocBest(ctx context.Context, size, align int, v string) (rangelock.Range[int], error)
	AllocAt(ctx context.Context, r rangelock.Range[int], v string) error
	Free(ctx context.Context, lo int) error
	FreeLater(ctx context.Context, lo int) error
} = (*rangealloc.Allocator[int, string])(nil)

var (
	_ func(path string, o *mapfile.Options) (*mapfile.File, error)                = mapfile.Open
	_ func(path string, size int64, o *mapfile.Options) (*mapfile.File, error)    = mapfile.Create
	_ func(f *os.File, off int64, n int, writable bool) (*mapfile.Mapping, error) = mapfile.Map
	_ func(recovered any) error                                                   = mapfile.Fault
	_ func() int64                                                                = mapfile.Granularity
	_                                                                             = mapfile.Options{ReadOnly: true, SegmentSize: int64(1)}
	_ []error                                                                     = []error{
		mapfile.ErrClosed, mapfile.ErrReadOnly, mapfile.ErrBadRange, mapfile.ErrBeyond, mapfile.ErrCrosses, mapfile.ErrShrunk,
		mapfile.ErrNotRegular, mapfile.ErrFault, mapfile.ErrAddressSpace, mapfile.ErrStale,
		&mapfile.OpError{Op: "", Path: "", Off: 1, N: 1, Size: 1}, &mapfile.FaultError{Op: "", Path: "", Off: 1, N: 1, At: 1, Size: 1},
		&mapfile.StaleError{Path: "", At: 1, Off: 1, N: 1, Ago: 1}, &mapfile.AddressSpaceError{Path: "", Off: 1, N: 1},
		&mapfile.WaitError{Op: "", Path: "", Behind: "", Held: []rangelock.Range[int64]{}, Waited: 1},
	}
)

var _ interface {
	io.ReaderAt
	io.WriterAt
	View(off int64, n int, use func([]byte) error) error
	Acquire(off int64, n int) (mapfile.Guard, error)
	Size() int64
	Name() string
	Grow(ctx context.Context, size int64) error
	Truncate(ctx context.Context, size int64) error
	Swap(ctx context.Context, path string) error
	Sync() error
	Stats() rangelock.Stats
	Advise(off, n int64, a mapfile.Advice) error
	Close(context.Context) error
	fmt.Stringer
} = (*mapfile.File)(nil)

var (
	_ interface {
		Bytes() []byte
		Release()
	} = (*mapfile.Guard)(nil)
	_ interface {
		Bytes() []byte
		io.Closer
	} = (*mapfile.Mapping)(nil)
)
