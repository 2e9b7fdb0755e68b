//go:build schedule

package seam

import (
	"sync/atomic"

	uatomic "go.uber.org/atomic"

	"github.com/spanlock/spanlock/internal/schedule"
)

// The words of a build for exploration. Each operation is a scheduling point, followed by
// the real operation, so the words work outside of an exploration too.

// Uint32 is a 32-bit word.
type Uint32 struct {
	o schedule.Object
	v uatomic.Uint32
}

func (x *Uint32) Load() uint32 {
	schedule.Touch("Uint32.Load", &x.o, schedule.Read)
	return x.v.Load()
}

func (x *Uint32) Store(v uint32) {
	schedule.Touch("Uint32.Store", &x.o, schedule.Write)
	x.v.Store(v)
}

func (x *Uint32) Add(n uint32) uint32 {
	schedule.Touch("Uint32.Add", &x.o, schedule.Write)
	return x.v.Add(n)
}

func (x *Uint32) Sub(n uint32) uint32 {
	schedule.Touch("Uint32.Sub", &x.o, schedule.Write)
	return x.v.Sub(n)
}

func (x *Uint32) Swap(v uint32) uint32 {
	schedule.Touch("Uint32.Swap", &x.o, schedule.Write)
	return x.v.Swap(v)
}

func (x *Uint32) CompareAndSwap(old, v uint32) bool {
	schedule.Touch("Uint32.CompareAndSwap", &x.o, schedule.Write)
	return x.v.CompareAndSwap(old, v)
}

// PackedUint32 need not be packed here.
type PackedUint32 = Uint32

// Bool is a word that is true or false.
type Bool struct {
	o schedule.Object
	v uatomic.Bool
}

func (x *Bool) Load() bool {
	schedule.Touch("Bool.Load", &x.o, schedule.Read)
	return x.v.Load()
}

func (x *Bool) Store(v bool) {
	schedule.Touch("Bool.Store", &x.o, schedule.Write)
	x.v.Store(v)
}

func (x *Bool) Swap(v bool) bool {
	schedule.Touch("Bool.Swap", &x.o, schedule.Write)
	return x.v.Swap(v)
}

func (x *Bool) CompareAndSwap(old, v bool) bool {
	schedule.Touch("Bool.CompareAndSwap", &x.o, schedule.Write)
	return x.v.CompareAndSwap(old, v)
}

// Uint64 is a 64-bit word.
type Uint64 struct {
	o schedule.Object
	v atomic.Uint64
}

func (x *Uint64) Load() uint64 {
	schedule.Touch("Uint64.Load", &x.o, schedule.Read)
	return x.v.Load()
}

func (x *Uint64) Store(v uint64) {
	schedule.Touch("Uint64.Store", &x.o, schedule.Write)
	x.v.Store(v)
}

func (x *Uint64) Add(n uint64) uint64 {
	schedule.Touch("Uint64.Add", &x.o, schedule.Write)
	return x.v.Add(n)
}

func (x *Uint64) Or(mask uint64) uint64 {
	schedule.Touch("Uint64.Or", &x.o, schedule.Write)
	return x.v.Or(mask)
}

func (x *Uint64) And(mask uint64) uint64 {
	schedule.Touch("Uint64.And", &x.o, schedule.Write)
	return x.v.And(mask)
}

func (x *Uint64) Swap(v uint64) uint64 {
	schedule.Touch("Uint64.Swap", &x.o, schedule.Write)
	return x.v.Swap(v)
}

func (x *Uint64) CompareAndSwap(old, v uint64) bool {
	schedule.Touch("Uint64.CompareAndSwap", &x.o, schedule.Write)
	return x.v.CompareAndSwap(old, v)
}

// Int64 is a signed 64-bit word.
type Int64 struct {
	o schedule.Object
	v atomic.Int64
}

func (x *Int64) Load() int64 {
	schedule.Touch("Int64.Load", &x.o, schedule.Read)
	return x.v.Load()
}

func (x *Int64) Store(v int64) {
	schedule.Touch("Int64.Store", &x.o, schedule.Write)
	x.v.Store(v)
}

func (x *Int64) Add(n int64) int64 {
	schedule.Touch("Int64.Add", &x.o, schedule.Write)
	return x.v.Add(n)
}

func (x *Int64) Swap(v int64) int64 {
	schedule.Touch("Int64.Swap", &x.o, schedule.Write)
	return x.v.Swap(v)
}

func (x *Int64) CompareAndSwap(old, v int64) bool {
	schedule.Touch("Int64.CompareAndSwap", &x.o, schedule.Write)
	return x.v.CompareAndSwap(old, v)
}

// Pointer is an atomic pointer.
type Pointer[T any] struct {
	o schedule.Object
	v atomic.Pointer[T]
}

func (x *Pointer[T]) Load() *T {
	schedule.Touch("Pointer.Load", &x.o, schedule.Read)
	return x.v.Load()
}

func (x *Pointer[T]) Store(v *T) {
	schedule.Touch("Pointer.Store", &x.o, schedule.Write)
	x.v.Store(v)
}

func (x *Pointer[T]) Swap(v *T) *T {
	schedule.Touch("Pointer.Swap", &x.o, schedule.Write)
	return x.v.Swap(v)
}

func (x *Pointer[T]) CompareAndSwap(old, v *T) bool {
	schedule.Touch("Pointer.CompareAndSwap", &x.o, schedule.Write)
	return x.v.CompareAndSwap(old, v)
}
