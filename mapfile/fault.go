package mapfile

import (
	"github.com/spanlock/spanlock/internal/raw"
)

// Fault explains what a goroutine has recovered from a panic. It returns a [FaultError] if
// it was a fault in the bytes of a mapping of this package, under -tags spanlockdebug a
// [StaleError] if it was one in a mapping that readers had left, and nil for every other
// panic:
//
//	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
//	defer func() {
//		if p := recover(); p != nil {
//			if err = mapfile.Fault(p); err == nil {
//				panic(p)
//			}
//		}
//	}()
//	use(guard.Bytes())
//
// The error's Size is that of the file at the mapping's path by then. It must be asked
// before the guard is released: the addresses may belong to another
// mapping afterwards. View, ReadAt and WriteAt do all that.
func Fault(recovered any) error {
	addr, ok := faultAddress(recovered)
	if !ok {
		return nil
	}
	if s := stale(addr); s != nil {
		return s
	}
	living.Lock()
	defer living.Unlock()
	for m := range living.all {
		if m.covers(addr) {
			return &FaultError{Path: m.path, Off: m.off, N: int64(len(m.bytes)), At: m.off + int64(addr-raw.Base(m.bytes)), Size: sizeOf(m.path)}
		}
	}
	return nil
}

// faultAddress returns the address of a fault that the runtime has made a panic.
func faultAddress(recovered any) (addr uintptr, ok bool) {
	f, ok := recovered.(interface {
		error
		RuntimeError()
		Addr() uintptr
	})
	if !ok {
		return 0, false
	}
	return f.Addr(), true
}

// caught is deferred where the caller has made faults panics, and makes one in b, which lies
// at off in the part, an error. Other panics go on. A use of what readers have left goes on
// as a panic that says so.
func caught(err *error, p *part, op string, off int64, b []byte) {
	r := recover()
	if r == nil {
		return
	}
	addr, ok := faultAddress(r)
	if !ok {
		panic(r)
	}
	// The pages of b: some systems tell only the page of a fault.
	base := raw.Base(b)
	page := uintptr(granularity)
	if len(b) > 0 && addr >= base/page*page && addr < (base+uintptr(len(b))+page-1)/page*page {
		e := &FaultError{Op: op, Path: p.back.path, Off: off, N: int64(len(b)), At: off, Size: -1}
		if addr > base {
			e.At = off + int64(addr-base)
		}
		if n, err := p.back.length(); err == nil {
			e.Size = n
		}
		*err = e
		return
	}
	if s := stale(addr); s != nil {
		panic(s)
	}
	panic(r)
}
