package chunks

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// These tests check what the package's own do not: that a truncation waits for no reader, and
// that a file stays mapped while it is read.

// A hangPool delays the reads of one chunk.
type hangPool struct {
	chunkenc.Pool
	hang        atomic.Bool
	begun, over chan struct{}
}

func (p *hangPool) Get(e chunkenc.Encoding, b []byte) (chunkenc.Chunk, error) {
	if p.hang.CompareAndSwap(true, false) {
		close(p.begun)
		<-p.over
	}
	return p.Pool.Get(e, b)
}

// guardMapper returns a mapper with one chunk in each of three files; the last file is written to.
func guardMapper(t *testing.T) (*ChunkDiskMapper, *hangPool, []ChunkDiskMapperRef) {
	t.Helper()
	p := &hangPool{Pool: chunkenc.NewPool(), begun: make(chan struct{}), over: make(chan struct{})}
	m, err := NewChunkDiskMapper(nil, t.TempDir(), p, DefaultWriteBufferSize, 0)
	if err != nil {
		t.Fatal(err)
	}
	var refs []ChunkDiskMapperRef
	for i := range 3 {
		c := chunkenc.NewXORChunk()
		a, err := c.Appender()
		if err != nil {
			t.Fatal(err)
		}
		a.Append(int64(i), float64(i))
		refs = append(refs, m.WriteChunk(HeadSeriesRef(i+1), 0, 1, c, false, func(err error) {
			if err != nil {
				t.Error(err)
			}
		}))
		m.CutNewFile()
	}
	return m, p, refs
}

func wantSample(t *testing.T, m *ChunkDiskMapper, ref ChunkDiskMapperRef, want int64) {
	t.Helper()
	c, err := m.Chunk(ref)
	if err != nil {
		t.Error(err)
		return
	}
	it := c.Iterator(nil)
	if it.Next() != chunkenc.ValFloat {
		t.Error("no sample")
	} else if at, v := it.At(); at != want || v != float64(want) {
		t.Errorf("sample %v at %d, want %d", v, at, want)
	}
}

// With the lock in Chunk this hangs.
func TestGuardTruncateWaitsForNobody(t *testing.T) {
	m, p, refs := guardMapper(t)
	p.hang.Store(true)
	done := make(chan struct{})
	go func() {
		defer close(done)
		wantSample(t, m, refs[0], 0)
	}()
	<-p.begun
	if err := m.Truncate(2); err != nil {
		t.Error(err)
	}
	if _, err := m.Chunk(refs[0]); err == nil {
		t.Error("a chunk in a file that is truncated is still found")
	}
	wantSample(t, m, refs[1], 1)
	wantSample(t, m, refs[2], 2)
	close(p.over)
	<-done
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

// Without the guard in Chunk, Close returns before the reader has finished.
func TestGuardCloseWaits(t *testing.T) {
	m, p, refs := guardMapper(t)
	p.hang.Store(true)
	read := make(chan struct{})
	go func() {
		defer close(read)
		wantSample(t, m, refs[0], 0)
	}()
	<-p.begun
	var closed atomic.Bool
	done := make(chan error)
	go func() {
		err := m.Close()
		closed.Store(true)
		done <- err
	}()
	for m.files.Len() > 0 { // until Close has taken the files out
		runtime.Gosched()
	}
	for range 1000 {
		runtime.Gosched()
	}
	if closed.Load() {
		t.Error("the mapper was closed under a reader")
	}
	close(p.over)
	<-read
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := m.Chunk(refs[1]); err != ErrChunkDiskMapperClosed {
		t.Errorf("error %v after Close, want %v", err, ErrChunkDiskMapperClosed)
	}
}
