package mapfile_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spanlock/spanlock/mapfile"
)

var seed = flag.Uint64("mapfile.seed", uint64(time.Now().UnixNano()), "of the random operations")

// model is a File and the bytes that it must have.
type model struct {
	t     *testing.T
	rng   *rand.Rand
	k     kind
	dir   string
	f     *mapfile.File
	want  []byte
	files int
	held  []held // guards, at most a few
}

// held is a guard and the bytes that it must have: those of the file at the time of the Acquire.
// After a Swap the old file is not written to any more.
type held struct {
	g     *mapfile.Guard
	off   int64
	files int
	kept  []byte
}

// TestModel does random operations on a file and on a slice, and compares them. The file grows
// and is cut off while guards are held.
func TestModel(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		rounds := uint64(40)
		if testing.Short() {
			rounds = 10
		}
		for n := range rounds {
			s := *seed + n
			m := &model{t: t, rng: rand.New(rand.NewPCG(s, 1)), k: k, dir: t.TempDir()}
			m.run(150)
			if t.Failed() {
				t.Fatalf("with -mapfile.seed %d", s)
			}
		}
	})
}

func (m *model) run(steps int) {
	m.runWhile(func() bool { steps--; return steps >= 0 })
}

// runWhile does steps while more returns true.
func (m *model) runWhile(more func() bool) {
	f, err := mapfile.Create(m.fresh(), 0, &mapfile.Options{SegmentSize: m.k.segment})
	if err != nil {
		m.t.Fatal(err)
	}
	m.f = f
	for more() && !m.t.Failed() {
		m.step()
	}
	m.release(func(held) bool { return true })
	if err := f.Close(context.Background()); err != nil {
		m.t.Error(err)
	}
	if n := mapfile.Living(f.Name()); n != 0 {
		m.t.Errorf("%d mappings are left", n)
	}
}

func (m *model) fresh() string {
	m.files++
	return filepath.Join(m.dir, string(rune('a'+m.files%26))+string(rune('a'+m.files/26)))
}

// size returns a size near a page boundary, at most twice the current size.
func (m *model) size() int64 {
	page := mapfile.Granularity()
	switch m.rng.IntN(3) {
	case 0:
		return int64(len(m.want)) + m.rng.Int64N(3)
	case 1:
		return max(0, page*m.rng.Int64N(9)+m.rng.Int64N(3)-1)
	}
	return m.rng.Int64N(8 * page)
}

// somewhere returns an offset and a length that lie in the file, or almost.
func (m *model) somewhere() (off int64, n int) {
	off = m.rng.Int64N(int64(len(m.want)) + 2)
	return off, int(m.rng.Int64N(max(1, int64(len(m.want))-off+2)))
}

func (m *model) step() {
	page := mapfile.Granularity()
	switch m.rng.IntN(13) {
	case 0, 1:
		size := m.size()
		if err := m.f.Grow(context.Background(), size); err != nil {
			m.t.Errorf("Grow: %v", err)
		}
		if grow := size - int64(len(m.want)); grow > 0 {
			m.want = append(m.want, make([]byte, grow)...)
		}
	case 2, 3:
		m.truncate(m.size())
	case 4, 5, 6:
		off, n := m.somewhere()
		b := pattern(m.rng.IntN(251), n)
		done, err := m.f.WriteAt(b, off)
		if fits := n == 0 || off+int64(n) <= int64(len(m.want)); fits != (err == nil) || !fits && (done != 0 || !errors.Is(err, mapfile.ErrBeyond)) {
			m.t.Errorf("WriteAt of %d at %d of %d: %d, %v", n, off, len(m.want), done, err)
		} else if fits && n > 0 {
			copy(m.want[off:], b)
		}
	case 7:
		off, n := m.somewhere()
		b := make([]byte, n)
		done, err := m.f.ReadAt(b, off)
		have := min(n, max(0, len(m.want)-int(off)))
		if done != have || have > 0 && !bytes.Equal(b[:done], m.want[off:off+int64(done)]) || (err == io.EOF) != (have < n) || err != nil && err != io.EOF {
			m.t.Errorf("ReadAt of %d at %d of %d: %d, %v", n, off, len(m.want), done, err)
		}
	case 12:
		off, n := m.somewhere()
		seen := false
		err := m.f.View(off, n, func(b []byte) error {
			if seen = true; !bytes.Equal(b, m.want[off:off+int64(n)]) {
				m.t.Errorf("View of %d at %d of %d shows other bytes", n, off, len(m.want))
			}
			return nil
		})
		if want := m.refusal(off, n); !errors.Is(err, want) || seen != (err == nil) {
			m.t.Errorf("View of %d at %d of %d: %v, want %v", n, off, len(m.want), err, want)
		}
	case 8, 9:
		off, n := m.somewhere()
		g, err := m.f.Acquire(off, n)
		want := m.refusal(off, n)
		if !errors.Is(err, want) {
			m.t.Errorf("Acquire of %d at %d of %d: %v, want %v", n, off, len(m.want), err, want)
		}
		if err == nil {
			m.held = append(m.held, held{&g, off, m.files, nil})
		}
	case 10:
		if len(m.held) > 0 {
			i := m.rng.IntN(len(m.held))
			j := 0
			m.release(func(held) bool { j++; return j-1 == i })
		}
	case 11:
		if m.rng.IntN(4) > 0 {
			break
		}
		for i := range m.held { // the old file is not written to from now on
			if h := &m.held[i]; h.kept == nil {
				h.kept = bytes.Clone(h.g.Bytes())
			}
		}
		path := m.fresh()
		m.want = pattern(m.rng.IntN(251), int(m.rng.Int64N(4*page)))
		if err := os.WriteFile(path, m.want, 0o666); err != nil {
			m.t.Fatal(err)
		}
		if err := m.f.Swap(context.Background(), path); err != nil {
			m.t.Errorf("Swap: %v", err)
		}
	}
	m.check()
}

// refusal returns the error that View and Acquire must return.
func (m *model) refusal(off int64, n int) error {
	switch first, last := off/max(1, m.k.segment), (off+int64(n)-1)/max(1, m.k.segment); {
	case off+int64(n) > int64(len(m.want)):
		return mapfile.ErrBeyond
	case n > 0 && m.k.segment > 0 && first != last:
		return mapfile.ErrCrosses
	}
	return nil
}

// truncate cuts the file off. If a guard is on bytes beyond the new end, Truncate must give up
// and change nothing.
func (m *model) truncate(size int64) {
	inTheWay := func(h held) bool {
		if h.files != m.files || len(h.g.Bytes()) == 0 {
			return h.files == m.files // its guard may be on the part of its bytes, or on the end
		}
		return true
	}
	waits := false
	for _, h := range m.held {
		n := int64(len(h.g.Bytes()))
		waits = waits || h.files == m.files && n > 0 && h.off+n > size
	}
	if waits && size < int64(len(m.want)) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		err := m.f.Truncate(ctx, size)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			m.t.Errorf("Truncate to %d of %d under a guard: %v", size, len(m.want), err)
		}
		m.check()
	}
	m.release(inTheWay)
	if err := m.f.Truncate(context.Background(), size); err != nil {
		m.t.Errorf("Truncate: %v", err)
	}
	m.want = m.want[:min(size, int64(len(m.want)))]
}

func (m *model) release(which func(held) bool) {
	var left []held
	for _, h := range m.held {
		if which(h) {
			h.g.Release()
		} else {
			left = append(left, h)
		}
	}
	m.held = left
}

// check compares the file and the guards with the model.
func (m *model) check() {
	if m.f.Size() != int64(len(m.want)) || m.k.exact == false && length(m.t, m.f.Name()) != m.f.Size() {
		m.t.Errorf("Size is %d, the file has %d, want %d", m.f.Size(), length(m.t, m.f.Name()), len(m.want))
		return
	}
	b := make([]byte, len(m.want))
	if n, err := m.f.ReadAt(b, 0); n != len(b) || err != nil || !bytes.Equal(b, m.want) {
		m.t.Errorf("the file has other bytes, %d, %v", n, err)
	}
	for _, h := range m.held {
		b := h.g.Bytes()
		want := h.kept
		if want == nil && len(b) > 0 {
			want = m.want[h.off : h.off+int64(len(b))]
		}
		if !bytes.Equal(b, want) {
			m.t.Errorf("a guard at %d has other bytes", h.off)
		}
	}
}
