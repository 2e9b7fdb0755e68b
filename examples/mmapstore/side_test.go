package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// newTestSide maps a few files for the store.
func newTestSide(t *testing.T, st store) *side {
	t.Helper()
	dir := t.TempDir()
	for i := range 4 {
		writeFile(t, filepath.Join(dir, fmt.Sprint(i)), bytes.Repeat([]byte("spanlock"), 8<<10))
	}
	c, err := readCorpus(t.Context(), dir, defaultLimit(), func(n, of int) {})
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSide(t.Context(), "test", st, c, options{readers: 2, hold: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func eachStore(t *testing.T, test func(t *testing.T, s *side)) {
	t.Run("spanlock", func(t *testing.T) { test(t, newTestSide(t, newSpanStore())) })
	t.Run("RWMutex", func(t *testing.T) { test(t, newTestSide(t, newRWStore())) })
}

func (s *side) check(t *testing.T, want string) {
	t.Helper()
	r := &report{Stores: []result{s.result()}}
	err := r.verdict()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("the verdict is %v, want %q", err, want)
	}
}

func TestSlice(t *testing.T) {
	eachStore(t, func(t *testing.T, s *side) {
		for range 3 {
			if err := s.slice(t.Context(), 20*time.Millisecond); err != nil {
				t.Fatal(err)
			}
			if r := s.result(); r.Retired != r.Unmapped || r.Made-r.Retired != 4 {
				t.Errorf("after a slice %d mappings are made, %d retired, %d unmapped", r.Made, r.Retired, r.Unmapped)
			}
		}
		s.check(t, "they must be the same") // four are current
		if err := s.store.close(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.check(t, "")
	})
}

// TestGuardKeepsMapping holds a block while its file is remapped. With spanlock the remap does
// not wait, and the old mapping is unmapped when the reader returns.
func TestGuardKeepsMapping(t *testing.T) {
	s := newTestSide(t, newSpanStore())
	f := s.corpus.files[1]
	var old *mapping
	s.store.read(f.lo, func(m *mapping) {
		old = m
		// Another goroutine remaps and reads, because a goroutine that has a guard must not wait
		// for a writer.
		var others sync.WaitGroup
		others.Go(func() {
			fresh, err := s.ledger.open(f)
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.store.swap(t.Context(), fresh); err != nil {
				t.Error(err)
			}
			s.store.read(f.lo, func(now *mapping) {
				if now != fresh {
					t.Error("a new reader got the old mapping")
				}
			})
		})
		others.Wait()
		if m.unmapped.Load() || m.wrong(f.lo) != 0 {
			t.Error("the mapping went while a guard was on it")
		}
	})
	if err := s.store.drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !old.unmapped.Load() {
		t.Error("the old mapping is still there")
	}
}

// TestWrongBytes changes the expected checksum of a block: every read of that block must be
// counted, and no other read.
func TestWrongBytes(t *testing.T) {
	eachStore(t, func(t *testing.T, s *side) {
		s.corpus.files[2].sums[3]++
		for tries := 0; tries < 100 && s.result().WrongBytes == 0; tries++ {
			if err := s.slice(t.Context(), 20*time.Millisecond); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.store.close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := s.result().WrongBytes; n == 0 || n%blockSize != 0 {
			t.Errorf("%d wrong bytes", n)
		}
		s.check(t, "wrong bytes were read")
	})
}

// TestFalseGap removes a range without the compactor's knowledge.
func TestFalseGap(t *testing.T) {
	eachStore(t, func(t *testing.T, s *side) {
		f := s.corpus.files[0]
		if err := s.store.retire(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		for tries := 0; tries < 100 && s.readers[1].phantoms == 0; tries++ {
			over := new(atomic.Bool)
			time.AfterFunc(5*time.Millisecond, func() { over.Store(true) })
			if err := s.readers[1].run(t.Context(), over); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.store.close(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.check(t, "where there was none")
		if s.readers[1].absent != 0 {
			t.Errorf("%d of the reads in a false gap passed for true", s.readers[1].absent)
		}
	})
}

// TestReaderFault truncates the files under a reader while no compactor runs.
func TestReaderFault(t *testing.T) {
	if mapped != "mmap" {
		t.Skip("a copy does not shrink with its file")
	}
	eachStore(t, func(t *testing.T, s *side) {
		for _, f := range s.corpus.files {
			if err := os.Truncate(f.path, 100); err != nil {
				t.Fatal(err)
			}
		}
		err := s.readers[0].run(t.Context(), new(atomic.Bool))
		if err == nil || !strings.Contains(err.Error(), "shrank from 65536 to 100 bytes while it was mapped") {
			t.Errorf("error is %v", err)
		}
		if err := s.store.close(t.Context()); err != nil { // no guard, no lock is left
			t.Fatal(err)
		}
		s.check(t, "")
	})
}

// A rashStore unmaps a mapping before it gives it to a reader.
type rashStore struct{ store }

func (s rashStore) read(off uint64, use func(*mapping)) bool {
	return s.store.read(off, func(m *mapping) {
		m.retiring()
		m.unmap()
		use(m)
	})
}

// TestUnmappedRead checks that an error of the store is not reported as one of the file: the
// reader panics or, if nothing is mapped, finds wrong bytes.
func TestUnmappedRead(t *testing.T) {
	s := newTestSide(t, rashStore{newRWStore()})
	defer func() {
		p := recover()
		if mapped == "mmap" && (p == nil || !strings.Contains(fmt.Sprint(p), "which was unmapped while a reader had it")) {
			t.Errorf("panic is %v", p)
		}
	}()
	r, over := s.readers[1], new(atomic.Bool)
	r.use = func(m *mapping) { over.Store(true); r.visit(m) } // one read only
	if err := r.run(t.Context(), over); err != nil {
		t.Error(err)
	}
	if mapped != "mmap" {
		s.check(t, "wrong bytes were read")
	}
}
