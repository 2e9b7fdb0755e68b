//go:build !schedule

package seam

// The compiler writes the body of a function of another package into this package's export
// data only if it inlined that function somewhere in this package. Consider a package that
// uses these words only by their names here, and does not import sync/atomic or
// go.uber.org/atomic itself. It finds a body only if that body is inlined below; otherwise
// it pays a call for every load. So each method that the module uses on a fast path is used
// once here. This function is never called.
func inlined(u *Uint32, p *PackedUint32, b *Bool, w *Uint64, i *Int64) {
	u.Store(u.Load() + u.Add(1) + u.Sub(1) + u.Swap(0))
	p.Store(p.Load())
	b.Store(b.Load())
	w.Store(w.Load() + w.Add(1) + w.Swap(0) + w.Or(1) + w.And(1))
	i.Store(i.Load() + i.Add(1) + i.Swap(0))
	b.Store(u.CompareAndSwap(0, 1) && p.CompareAndSwap(0, 1) && b.CompareAndSwap(false, true) &&
		w.CompareAndSwap(0, 1) && i.CompareAndSwap(0, 1))
}

var _ = inlined
