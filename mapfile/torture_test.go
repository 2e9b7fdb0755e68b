package mapfile_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spanlock/spanlock/mapfile"
)

var torture = flag.Duration("mapfile.torture", 500*time.Millisecond, "how long each torture test runs")

func tortureTime() time.Duration {
	if testing.Short() {
		return min(*torture, 100*time.Millisecond)
	}
	return *torture
}

// patternAt returns the byte that is written at an offset. It is never zero.
func patternAt(off int64) byte { return byte(off*7%251) + 1 }

// tortured is a file that one goroutine grows and cuts off in a loop, and the state that readers
// check: while cuts does not change, every byte below written has its pattern.
type tortured struct {
	f       *mapfile.File
	k       kind
	written atomic.Int64
	cuts    atomic.Int64
	reads   atomic.Int64
	over    atomic.Bool
}

// TestTorture runs eight readers that check every byte while the file grows and is cut off. It
// tries to line up a reader in a replaced mapping with a Truncate that cuts off the reader's
// bytes. If Truncate does not wait for this reader, the test fails at once, with a fault or with
// zeros under a guard.
func TestTorture(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
		s := &tortured{f: k.create(t, nil), k: k}
		var readers sync.WaitGroup
		for i := range 8 {
			readers.Go(func() { s.read(t, rand.New(rand.NewPCG(*seed, uint64(i)))) })
		}
		changes := s.change(t, rand.New(rand.NewPCG(*seed, 99)), tortureTime())
		s.over.Store(true)
		readers.Wait()
		t.Logf("%d changes, %d reads, -mapfile.seed %d", changes, s.reads.Load(), *seed)
		if changes == 0 || s.reads.Load() == 0 {
			t.Error("nothing was tried")
		}
	})
}

func (s *tortured) change(t *testing.T, rng *rand.Rand, d time.Duration) (changes int) {
	page := mapfile.Granularity()
	for began := time.Now(); time.Since(began) < d && !t.Failed(); changes++ {
		size := s.f.Size()
		if rng.IntN(2) == 0 && size < 60*page {
			grown := size + 1 + rng.Int64N(1<<rng.IntN(17))
			if err := s.f.Grow(context.Background(), grown); err != nil {
				t.Errorf("Grow: %v", err)
			}
			b := make([]byte, grown-size)
			for i := range b {
				b[i] = patternAt(size + int64(i))
			}
			if _, err := s.f.WriteAt(b, size); err != nil {
				t.Errorf("WriteAt: %v", err)
			}
			s.written.Store(grown)
			continue
		}
		cut := rng.Int64N(size + 1)
		s.written.Store(cut) // before cuts, so that a reader of the new cuts also finds this
		s.cuts.Add(1)
		if err := s.f.Truncate(context.Background(), cut); err != nil {
			t.Errorf("Truncate: %v", err)
		}
		if s.f.Size() != cut {
			t.Errorf("cut off at %d, Size is %d", cut, s.f.Size())
		}
	}
	return changes
}

func (s *tortured) read(t *testing.T, rng *rand.Rand) {
	for !s.over.Load() && !t.Failed() {
		s.reads.Add(1)
		cuts, written := s.cuts.Load(), s.written.Load()
		if written == 0 {
			runtime.Gosched()
			continue
		}
		off := rng.Int64N(written)
		n := int(1 + rng.Int64N(min(written-off, 1<<rng.IntN(17))))
		if s.k.segment > 0 {
			n = int(min(int64(n), s.k.segment-off%s.k.segment))
		}
		check := func(b []byte) error {
			whole := s.cuts.Load() == cuts
			for range 1 + rng.IntN(3) {
				for i, c := range b {
					if want := patternAt(off + int64(i)); c != want && (c != 0 || whole) {
						t.Errorf("the byte at %d is %d, want %d", off+int64(i), c, want)
						return nil
					}
				}
				runtime.Gosched()
			}
			return nil
		}
		var err error
		switch rng.IntN(3) {
		case 0:
			b := make([]byte, n)
			m, e := s.f.ReadAt(b, off)
			if err = e; err == io.EOF {
				err = mapfile.ErrBeyond
			}
			check(b[:m])
		case 1:
			err = s.f.View(off, n, check)
		default:
			g, e := s.f.Acquire(off, n)
			if err = e; err == nil {
				check(g.Bytes())
				g.Release()
			}
		}
		if err != nil && (!errors.Is(err, mapfile.ErrBeyond) || s.cuts.Load() == cuts) {
			t.Errorf("%d bytes at %d of %d: %v", n, off, written, err)
		}
	}
}

// TestTortureSwap runs eight readers that check that each View is of one file, while two files
// replace each other in a loop.
func TestTortureSwap(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		page := int(mapfile.Granularity())
		paths := [2]string{filepath.Join(t.TempDir(), "even"), filepath.Join(t.TempDir(), "odd")}
		for i, path := range paths {
			b := make([]byte, (i+1)*page)
			for j := range b {
				b[j] = byte(i + 1)
			}
			if err := os.WriteFile(path, b, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		f, err := mapfile.Open(paths[0], &mapfile.Options{SegmentSize: k.segment})
		if err != nil {
			t.Fatal(err)
		}
		closeAtEnd(t, f, paths[0], paths[1])
		var over atomic.Bool
		var readers sync.WaitGroup
		for range 8 {
			readers.Go(func() {
				for !over.Load() && !t.Failed() {
					if n := f.Size(); n != int64(page) && n != int64(2*page) {
						t.Errorf("Size is %d", n)
					}
					err := f.View(0, page, func(b []byte) error {
						for range 2 {
							for _, c := range b {
								if c != b[0] || c == 0 || c > 2 {
									return errors.New("bytes of two files")
								}
							}
							runtime.Gosched()
						}
						return nil
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		n := 0
		for began := time.Now(); time.Since(began) < tortureTime() && !t.Failed(); n++ {
			if err := f.Swap(context.Background(), paths[(n+1)%2]); err != nil {
				t.Error(err)
			}
		}
		over.Store(true)
		readers.Wait()
		t.Logf("%d swaps", n)
	})
}
