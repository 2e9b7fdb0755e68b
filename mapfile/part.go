package mapfile

import (
	"errors"
	"math/bits"
	"strconv"

	"github.com/spanlock/spanlock/rangelock"
)

// A part is the value of a range of the map: the bytes of one segment in memory or, for the last
// and unbounded range, the end of the file. It is immutable.
type part struct {
	back *backing
	m    *Mapping // nil for the end; it may be longer than the part
	lo   int64    // [lo, hi) are the offsets; for the end, lo is the file's size
	hi   int64

	// reopened is set in a part for a file without any mapping while Truncate works on it.
	// Truncate closes it when the file is mapped again. Readers wait for it.
	reopened chan struct{}

	// failed is set in a part for a file that could not be mapped again.
	failed error

	gone chan struct{} // closed when the last reader has released the part and its mapping is released
}

// newPart takes over the reference on m, and takes one on back.
func newPart(back *backing, m *Mapping, lo, hi int64) *part {
	return &part{back: back.share(), m: m, lo: lo, hi: hi, gone: make(chan struct{})}
}

// again returns another part of the same bytes.
func (p *part) again() *part { return newPart(p.back, p.m.share(), p.lo, p.hi) }

// span returns the part's range.
func (p *part) span() rangelock.Range[int64] {
	switch {
	case p.reopened != nil, p.failed != nil:
		return rangelock.From[int64](0)
	case p.m == nil:
		return rangelock.From(p.lo)
	}
	return rangelock.Span(p.lo, p.hi)
}

// release releases the part's mapping and file. The part has no readers.
func (p *part) release() error {
	var err error
	if p.m != nil {
		err = p.m.release()
	}
	err = also(err, p.back.release())
	close(p.gone)
	return err
}

// A layout is all parts of a File, or the parts from number first on that replace those of
// another layout.
type layout struct {
	first int
	parts []*part // in the order of their offsets
	end   *part
}

// size returns the size of the file.
func (l *layout) size() int64 { return l.end.lo }

// from returns the offset at which the layout begins.
func (l *layout) from() int64 {
	if len(l.parts) > 0 {
		return l.parts[0].lo
	}
	return l.end.span().Lo
}

// drop releases the parts of a layout that was not published.
func (l *layout) drop() error {
	var errs []error
	for _, p := range l.parts {
		errs = append(errs, p.release())
	}
	if l.end != nil {
		errs = append(errs, l.end.release())
	}
	return errors.Join(errs...)
}

// lay returns the parts of a file of the given size; old is its current parts. It reuses what is
// mapped already, and maps the rest. If it fails, it leaves nothing mapped.
func (f *File) lay(back *backing, size int64, old *layout) (l *layout, err error) {
	l = new(layout)
	if old != nil {
		l.first = int(min(min(old.size(), size)/f.segment, int64(len(old.parts))))
	}
	defer func() {
		if err != nil {
			err = also(err, l.drop())
		}
	}()
	for i := l.first; ; i++ {
		lo := int64(i) * f.segment
		if lo >= size {
			break
		}
		hi := size
		if size-lo > f.segment {
			hi = lo + f.segment
		}
		var m *Mapping
		if old != nil && i < len(old.parts) && int64(len(old.parts[i].m.bytes)) >= hi-lo {
			m = old.parts[i].m.share()
		} else if m, err = f.mapPart(back, lo, hi); err != nil {
			return l, err
		}
		l.parts = append(l.parts, newPart(back, m, lo, hi))
	}
	l.end = newPart(back, nil, size, size)
	return l, nil
}

// mapPart maps the bytes [lo, hi), and if possible some more, so that the file can grow without a
// new mapping.
func (f *File) mapPart(back *backing, lo, hi int64) (*Mapping, error) {
	n := hi - lo
	if room := f.room(n); room > n {
		m, err := mapAt(back.file, back.path, lo, room, true)
		if !errors.Is(err, ErrAddressSpace) {
			return m, err
		}
	}
	return mapAt(back.file, back.path, lo, n, !f.readOnly)
}

// room returns how many bytes are mapped for n bytes of a part: a whole segment or, if the file
// is one part, the next power of two, and from 1 GiB on the next multiple of 1 GiB. That is only
// address space. If address space is short, or pages beyond the end of a file cannot be mapped,
// room returns n.
func (f *File) room(n int64) int64 {
	const giga = 1 << 30
	switch {
	case f.readOnly, f.exact:
		return n
	case f.segment != whole:
		return f.segment
	case strconv.IntSize == 32 || n > 1<<40:
		return n
	case n >= giga:
		return (n + giga - 1) / giga * giga
	}
	return max(int64(1)<<bits.Len64(uint64(n-1)), 64<<10)
}
