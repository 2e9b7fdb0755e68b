package mapfile_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spanlock/spanlock/mapfile"
)

// A contender is a way to read parts of a file and to grow it.
type contender interface {
	read(off int64, n int, buf []byte, use func([]byte)) error
	grow(size int64) error
	close() error
}

// contenders makes a contender for each benchmark, of a file with size bytes.
var contenders = []struct {
	name string
	open func(path string, size int64) (contender, error)
}{
	{"view", openView}, {"acquire", openAcquire}, {"readat", openReadAt}, {"segments", openSegments},
	{"rwmutex", openLocked}, {"os.File.ReadAt", openPlain},
}

type viewed struct{ f *mapfile.File }

func openView(path string, size int64) (contender, error) {
	f, err := mapfile.Create(path, size, nil)
	return viewed{f}, err
}

func openSegments(path string, size int64) (contender, error) {
	f, err := mapfile.Create(path, size, &mapfile.Options{SegmentSize: 1 << 20})
	return viewed{f}, err
}

func (c viewed) read(off int64, n int, _ []byte, use func([]byte)) error {
	return c.f.View(off, n, func(b []byte) error { use(b); return nil })
}
func (c viewed) grow(size int64) error { return c.f.Grow(context.Background(), size) }
func (c viewed) close() error          { return c.f.Close(context.Background()) }

type acquired struct{ viewed }

func openAcquire(path string, size int64) (contender, error) {
	f, err := mapfile.Create(path, size, nil)
	return acquired{viewed{f}}, err
}

func (c acquired) read(off int64, n int, _ []byte, use func([]byte)) error {
	g, err := c.f.Acquire(off, n)
	if err != nil {
		return err
	}
	use(g.Bytes())
	g.Release()
	return nil
}

type copied struct{ viewed }

func openReadAt(path string, size int64) (contender, error) {
	f, err := mapfile.Create(path, size, nil)
	return copied{viewed{f}}, err
}

func (c copied) read(off int64, n int, buf []byte, use func([]byte)) error {
	_, err := c.f.ReadAt(buf[:n], off)
	use(buf[:n])
	return err
}

// locked is the usual way: one mapping behind a sync.RWMutex.
type locked struct {
	mu   sync.RWMutex
	file *os.File
	m    *mapfile.Mapping
}

func openLocked(path string, size int64) (contender, error) {
	c, err := openPlain(path, size)
	if err != nil {
		return nil, err
	}
	l := &locked{file: c.(plain).File}
	l.m, err = mapfile.Map(l.file, 0, int(size), true)
	return l, err
}

func (c *locked) read(off int64, n int, _ []byte, use func([]byte)) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	use(c.m.Bytes()[off : off+int64(n)])
	return nil
}

func (c *locked) grow(size int64) error {
	if err := c.file.Truncate(size); err != nil {
		return err
	}
	m, err := mapfile.Map(c.file, 0, int(size), true)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.m, m = m, c.m
	c.mu.Unlock()
	return m.Close()
}

func (c *locked) close() error {
	c.m.Close()
	return c.file.Close()
}

// plain has no mapping.
type plain struct{ *os.File }

func openPlain(path string, size int64) (contender, error) {
	f, err := os.Create(path)
	if err == nil {
		err = f.Truncate(size)
	}
	return plain{f}, err
}

func (c plain) read(off int64, n int, buf []byte, use func([]byte)) error {
	_, err := c.ReadAt(buf[:n], off)
	use(buf[:n])
	return err
}
func (c plain) grow(size int64) error { return c.Truncate(size) }
func (c plain) close() error          { return c.Close() }

const benchSize = 64 << 20

// eachContender runs the benchmark with each contender, on a file whose pages are all in memory.
func eachContender(b *testing.B, run func(b *testing.B, c contender)) {
	for _, one := range contenders {
		b.Run("by="+one.name, func(b *testing.B) {
			c, err := one.open(filepath.Join(b.TempDir(), "file"), benchSize)
			if err != nil {
				b.Fatal(err)
			}
			defer c.close()
			for off := int64(0); off < benchSize; off += 1 << 20 {
				if err := c.read(off, 1<<20, make([]byte, 1<<20), lines); err != nil {
					b.Fatal(err)
				}
			}
			b.ResetTimer()
			run(b, c)
		})
	}
}

var sink atomic.Int64

// lines reads one byte of each cache line.
func lines(b []byte) {
	n := 0
	for i := 0; i < len(b); i += 64 {
		n += int(b[i])
	}
	if n != 0 {
		sink.Add(1)
	}
}

// BenchmarkRead reads blocks at random, all goroutines from the same file.
func BenchmarkRead(b *testing.B) {
	for _, n := range []int{64, 4096, 65536} {
		b.Run(fmt.Sprintf("bytes=%d", n), func(b *testing.B) {
			eachContender(b, func(b *testing.B, c contender) {
				b.RunParallel(func(pb *testing.PB) {
					rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
					buf := make([]byte, n)
					for pb.Next() {
						if err := c.read(rng.Int64N(benchSize/65536)*65536, n, buf, lines); err != nil {
							b.Error(err)
						}
					}
				})
			})
		})
	}
}

// BenchmarkGrow grows the file by a page, beside a reader that keeps its bytes for a millisecond.
func BenchmarkGrow(b *testing.B) {
	eachContender(b, func(b *testing.B, c contender) {
		slow := startSlow(b, c)
		size := int64(benchSize)
		for b.Loop() {
			size += 4096
			if err := c.grow(size); err != nil {
				b.Fatal(err)
			}
		}
		slow()
	})
}

// BenchmarkReadBesideGrow reads blocks of 4096 bytes while the file grows by a page every
// millisecond and a slow reader keeps its bytes for a millisecond.
func BenchmarkReadBesideGrow(b *testing.B) {
	eachContender(b, func(b *testing.B, c contender) {
		slow := startSlow(b, c)
		var over atomic.Bool
		var grower sync.WaitGroup
		grows := 0
		grower.Go(func() {
			for size := int64(benchSize); !over.Load(); time.Sleep(time.Millisecond) {
				size += 4096
				if err := c.grow(size); err != nil {
					b.Error(err)
				}
				grows++
			}
		})
		b.RunParallel(func(pb *testing.PB) {
			rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
			buf := make([]byte, 4096)
			for pb.Next() {
				if err := c.read(rng.Int64N(benchSize/65536)*65536, 4096, buf, lines); err != nil {
					b.Error(err)
				}
			}
		})
		over.Store(true)
		grower.Wait()
		b.ReportMetric(float64(grows)/b.Elapsed().Seconds(), "grows/s")
		slow()
	})
}

// startSlow starts a reader that keeps each block for a millisecond.
func startSlow(b *testing.B, c contender) (stop func()) {
	var over atomic.Bool
	var reader sync.WaitGroup
	reader.Go(func() {
		buf := make([]byte, 64)
		for !over.Load() {
			if err := c.read(0, 64, buf, func([]byte) { time.Sleep(time.Millisecond) }); err != nil {
				b.Error(err)
			}
		}
	})
	return func() {
		over.Store(true)
		reader.Wait()
	}
}
