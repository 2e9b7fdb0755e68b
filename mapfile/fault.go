package mapfile

import (
	"github.com/spanlock/spanlock/internal/raw"
)

// Fault explains a value that was recovered from a panic. It returns a [FaultError] if the panic
// was a fault in the bytes of a mapping of this package. Under -tags spanlockdebug it returns a
// [StaleError] if the fault was in a mapping that its readers had left. For every other panic it
// returns nil:
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
// The error's Size is the size of the file at the mapping's path at the time of the call. Call
// Fault before the guard is released: afterwards the addresses may belong to another mapping.
// View, ReadAt and WriteAt do all that.
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

// faultAddress returns the address of a fault that the runtime has turned into a panic.
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

// caught is deferred by a caller that turns faults into panics. It turns a fault in b, which lies
// at off in the part, into an error. It panics again with any other value. A fault in bytes whose
// readers had left becomes a panic with a StaleError.
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
