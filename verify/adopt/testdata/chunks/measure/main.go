// Command measure runs one job after another on the chunk mapper that it was built with, stock
// or rewritten, and reports how long each took. It reads a request from each line of its input
// and writes an answer to it, so that two such commands can take turns.
package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
)

var jobs = map[string]func(*bench, request) ([]float64, error){
	"chunk":    (*bench).chunk,
	"write":    (*bench).write,
	"truncate": (*bench).truncate,
}

// A bench has a mapper with chunks in files that are full, in a folder of its own.
type bench struct {
	dir  string
	m    *mapper
	refs []chunks.ChunkDiskMapperRef
}

func main() {
	b := &bench{}
	if err := b.run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (b *bench) run() (err error) {
	if b.dir, err = os.MkdirTemp("", "measure"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if b.m, err = open(b.dir + "/still"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.m.Close()) }()
	if b.refs, err = b.m.fill(3, 1000); err != nil {
		return err
	}
	return b.serve()
}

// A mapper is a chunk mapper whose pool can be made to wait. The pool is asked for a chunk in
// the middle of a read, where the mapper would also wait for a page from the disk. So to the
// mapper a waiting pool looks like a hanging disk.
type mapper struct {
	*chunks.ChunkDiskMapper
	pool *pool
}

type pool struct {
	chunkenc.Pool
	hang atomic.Pointer[hang]
}

// A hang delays only the next read.
type hang struct{ begun, over chan struct{} }

func (p *pool) Get(e chunkenc.Encoding, b []byte) (chunkenc.Chunk, error) {
	if h := p.hang.Load(); h != nil && p.hang.CompareAndSwap(h, nil) {
		close(h.begun)
		<-h.over
	}
	return p.Pool.Get(e, b)
}

func open(dir string) (*mapper, error) {
	p := &pool{Pool: chunkenc.NewPool()}
	m, err := chunks.NewChunkDiskMapper(nil, dir, p, chunks.DefaultWriteBufferSize, 0)
	if err != nil {
		return nil, err
	}
	none := func(chunks.HeadSeriesRef, chunks.ChunkDiskMapperRef, int64, int64, uint16, chunkenc.Encoding, bool) error {
		return nil
	}
	return &mapper{m, p}, m.IterateAllChunks(none)
}

// put writes one chunk.
func (m *mapper) put(series uint64) (chunks.ChunkDiskMapperRef, error) {
	c := chunkenc.NewXORChunk()
	a, err := c.Appender()
	if err != nil {
		return 0, err
	}
	for i := range 120 {
		a.Append(int64(i)*15_000, float64(series)+float64(i))
	}
	ref := m.WriteChunk(chunks.HeadSeriesRef(series), 0, 120*15_000, c, false, func(e error) { err = e })
	return ref, err
}

// fill writes chunks into files. It returns, file by file, the references of the chunks in files
// that are no longer written to.
func (m *mapper) fill(files, perFile int) (refs []chunks.ChunkDiskMapperRef, err error) {
	for range files {
		for range perFile {
			ref, err := m.put(uint64(len(refs) + 1))
			if err != nil {
				return nil, err
			}
			refs = append(refs, ref)
		}
		m.CutNewFile()
	}
	_, err = m.put(1 << 30) // into the next file, so that the last one is on the disk
	return refs, err
}

func (m *mapper) read(ref chunks.ChunkDiskMapperRef) error {
	c, err := m.Chunk(ref)
	if err != nil {
		return err
	}
	if c.NumSamples() != 120 {
		return fmt.Errorf("chunk %v has %d samples, want 120", ref, c.NumSamples())
	}
	return m.pool.Put(c)
}

// chunk reads one.
func (b *bench) chunk(r request) ([]float64, error) {
	return r.rate(func(g int, i uint64) error {
		return b.m.read(b.refs[(i*7919+uint64(g)*5003)%uint64(len(b.refs))])
	})
}

// write writes one.
func (b *bench) write(r request) ([]float64, error) {
	return r.rate(func(g int, i uint64) error {
		_, err := b.m.put(i + 1)
		return err
	})
}

// truncate deletes a file from which a reader reads for r.For. Meanwhile a new reader of another
// file starts each millisecond, even if earlier ones have not finished. It returns, in
// nanoseconds, how long the truncation took, and the median and the 99th percentile of how long
// the new readers took from the moment when each was due.
func (b *bench) truncate(r request) (_ []float64, err error) {
	dir := b.dir + "/truncate"
	defer os.RemoveAll(dir)
	m, err := open(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	refs, err := m.fill(2, 100)
	if err != nil {
		return nil, err
	}
	var wg sync.WaitGroup
	errs := make(chan error, 2)
	h := &hang{make(chan struct{}), make(chan struct{})}
	m.pool.hang.Store(h)
	wg.Go(func() { errs <- m.read(refs[0]) }) // the long reader
	<-h.begun
	var took time.Duration
	start := time.Now()
	wg.Go(func() {
		second, _ := refs[100].Unpack()
		err := m.Truncate(uint32(second))
		took = time.Since(start)
		errs <- err
	})
	end := time.After(r.For)
	var mu sync.Mutex
	var waits []time.Duration
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	failed := 0
	for more := true; more; {
		select {
		case <-end:
			close(h.over)
			more = false
		case due := <-tick.C:
			wg.Go(func() { // a new reader
				err := m.read(refs[150])
				mu.Lock()
				defer mu.Unlock()
				if waits = append(waits, time.Since(due)); err != nil {
					failed++
				}
			})
		}
	}
	wg.Wait()
	if err := errors.Join(<-errs, <-errs); err != nil {
		return nil, err
	}
	if failed > 0 || len(waits) < 10 {
		return nil, fmt.Errorf("%d of %d new readers failed", failed, len(waits))
	}
	if err := m.read(refs[0]); err == nil {
		return nil, errors.New("the file is still there, so nothing was measured")
	}
	slices.Sort(waits)
	at := func(q float64) float64 { return float64(waits[int(q*float64(len(waits)-1))]) }
	return []float64{float64(took), at(0.5), at(0.99)}, nil
}
