//go:build !schedule

package seam

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	uatomic "go.uber.org/atomic"
	"golang.org/x/sync/semaphore"
)

// 32-bit words come from go.uber.org/atomic; they are aligned on every platform.
type (
	Uint32 = uatomic.Uint32
	Bool   = uatomic.Bool
)

// PackedUint32 is sync/atomic's 32-bit word. It takes four bytes among its neighbours.
// Uint32, which cannot be compared, takes eight on a 64-bit machine.
type PackedUint32 = atomic.Uint32

// 64-bit words come from sync/atomic, which aligns them on 32-bit platforms too.
type (
	Uint64 = atomic.Uint64
	Int64  = atomic.Int64
)

// Pointer is an atomic pointer. It is sync/atomic's, which is the same code for every
// element type, and inlined.
type Pointer[T any] = atomic.Pointer[T]

// Mutex and Pool are the standard library's.
type (
	Mutex = sync.Mutex
	Pool  = sync.Pool
)

// Weighted is a semaphore with a weight, to bound something.
type Weighted = semaphore.Weighted

// NewWeighted returns a Weighted that admits n at a time.
func NewWeighted(n int64) *Weighted { return semaphore.NewWeighted(n) }

// OnceValue returns a function that calls f once and returns what it returned.
func OnceValue[T any](f func() T) func() T { return sync.OnceValue(f) }

// Go runs f on a new goroutine.
func Go(f func()) { go f() }

// Gosched lets other goroutines run.
func Gosched() { runtime.Gosched() }

// AfterFunc runs f on its own goroutine, once, after d. If it is called in a bubble of
// testing/synctest that ends before d, it runs f outside of the bubble, some time after the
// collector has noticed that.
func AfterFunc(d time.Duration, f func()) { later(d, f) }
