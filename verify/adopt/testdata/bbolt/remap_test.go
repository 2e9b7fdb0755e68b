package bbolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// These tests check what the program's own do not: that readers and writers do not wait for each
// other when the mapping changes, and that each mapping stays while it is read.

func openRemap(t *testing.T, o *Options) *DB {
	t.Helper()
	db, err := Open(filepath.Join(t.TempDir(), "db"), 0o600, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// beginRemap begins a transaction that ends before the database closes, however the test ends.
func beginRemap(t *testing.T, db *DB) *Tx {
	t.Helper()
	tx, err := db.Begin(false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	return tx
}

var remapBucket = []byte("bucket")

// remapValue returns the value of generation n: all of it shows the generation.
func remapValue(n uint64, size int) []byte {
	return bytes.Repeat(binary.BigEndian.AppendUint64(nil, n), size/8)
}

// grow writes generation n, of the given size, in addition to what is there. It fails the test
// on an error.
func grow(t *testing.T, db *DB, n uint64, size int) {
	t.Helper()
	if err := db.Update(func(tx *Tx) error { return putRemap(tx, n, size) }); err != nil {
		t.Fatal(err)
	}
}

func putRemap(tx *Tx, n uint64, size int) error {
	in, err := tx.CreateBucketIfNotExists(remapBucket)
	if err != nil {
		return err
	}
	return in.Put(binary.BigEndian.AppendUint64(nil, n), remapValue(n, size))
}

// checkRemap reads and checks everything that tx sees.
func checkRemap(tx *Tx) (n uint64, err error) {
	in := tx.Bucket(remapBucket)
	if in == nil {
		return 0, nil
	}
	err = in.ForEach(func(k, v []byte) error {
		if got := binary.BigEndian.Uint64(k); got != n {
			return fmt.Errorf("generation %d follows %d", got, n)
		}
		if !bytes.Equal(v, remapValue(n, len(v))) {
			return fmt.Errorf("generation %d has been overwritten", n)
		}
		n++
		return nil
	})
	return n, err
}

// Removing the guard from beginTx makes this crash each time, at the first read after the
// growth.
func TestRemapReaderKeepsItsMapping(t *testing.T) {
	db := openRemap(t, nil)
	grow(t, db, 0, 1<<10)
	readers := make([]*Tx, 5)
	for i := range readers {
		readers[i] = beginRemap(t, db)
		size := db.datasz
		grow(t, db, uint64(i+1), 2*size) // does not wait for the readers, or this would hang
		if db.datasz <= size {
			t.Fatalf("the mapping has not grown: %d", db.datasz)
		}
	}
	for i, tx := range readers {
		if n, err := checkRemap(tx); n != uint64(i+1) || err != nil {
			t.Errorf("reader %d sees %d generations, error %v", i, n, err)
		}
		if n := db.readers.unmapped.Load(); n > int64(i)+1 {
			t.Errorf("%d mappings are gone when %d readers have finished", n, i)
		}
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
	if err := db.readers.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	if s, n := db.readers.Stats(), db.readers.unmapped.Load(); s.Ranges != 1 || n < int64(len(readers)) {
		t.Errorf("%d mappings are there and %d gone, want 1 and at least %d", s.Ranges, n, len(readers))
	}
}

// Without the wait at the beginning of Close, the free list is gone before the reader ends.
// Without the wait in munmap as well, the mapping is gone too.
func TestRemapCloseWaits(t *testing.T) {
	db := openRemap(t, nil)
	grow(t, db, 0, 1<<20)
	old := beginRemap(t, db)
	grow(t, db, 1, 4<<20)
	current := beginRemap(t, db)
	var closed atomic.Bool
	var rolled sync.WaitGroup
	done := make(chan error)
	go func() {
		err := db.Close()
		closed.Store(true)
		done <- err
	}()
	for db.metalock.TryLock() { // until Close holds it
		db.metalock.Unlock()
		runtime.Gosched()
	}
	for i, tx := range []*Tx{current, old} {
		for range 20 {
			if n, err := checkRemap(tx); n != uint64(2-i) || err != nil {
				t.Errorf("it sees %d generations, error %v", n, err)
			}
			if _, err := tx.Page(0); err != nil {
				t.Errorf("the free list was gone before the reader ended: %v", err)
			}
		}
		if closed.Load() {
			t.Error("the database was closed under a reader")
		}
		// It waits for the lock that Close holds, after it has released the mapping.
		rolled.Add(1)
		go func() {
			defer rolled.Done()
			_ = tx.Rollback()
		}()
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	rolled.Wait()
}

// If stock cannot make a new mapping, it has none. The rewritten program keeps the old one.
func TestRemapFailureKeepsTheOld(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the test knows how to make mmap fail only on Linux")
	}
	const hugePages = 0x40000 // MAP_HUGETLB, which no ordinary file allows
	db := openRemap(t, nil)
	grow(t, db, 0, 1<<10)
	tx := beginRemap(t, db)
	db.MmapFlags = hugePages
	if err := db.Update(func(tx *Tx) error { return putRemap(tx, 1, 1<<20) }); err == nil {
		t.Fatal("mmap has not failed")
	}
	db.MmapFlags = syscall.MAP_SHARED
	if n, err := checkRemap(tx); n != 1 || err != nil {
		t.Errorf("the reader sees %d generations, error %v", n, err)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
	grow(t, db, 1, 1<<20)
	if err := db.View(func(tx *Tx) error {
		if n, err := checkRemap(tx); n != 2 || err != nil {
			t.Errorf("a new reader sees %d generations, error %v", n, err)
		}
		for err := range tx.Check() {
			t.Error(err)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// A mapping that has been made and cannot be published is withdrawn. The map has a range that
// Swap would have to cut, so that Swap fails.
func TestRemapWithdraws(t *testing.T) {
	db := openRemap(t, nil)
	grow(t, db, 0, 1<<10)
	tx := beginRemap(t, db)
	ctx, beyond := context.Background(), rangelock.Span(uint64(db.datasz), 1<<40)
	if err := db.readers.Insert(ctx, beyond, &mapping{}); err != nil {
		t.Fatal(err)
	}
	err := db.Update(func(tx *Tx) error { return putRemap(tx, 1, 1<<20) })
	if err == nil || !strings.Contains(err.Error(), rangelock.ErrPartial.Error()) {
		t.Fatalf("error %v, want one with %q", err, rangelock.ErrPartial)
	}
	if n, err := checkRemap(tx); n != 1 || err != nil {
		t.Errorf("the reader sees %d generations, error %v", n, err)
	}
	if _, err := db.readers.Remove(ctx, beyond); err != nil {
		t.Fatal(err)
	}
	grow(t, db, 1, 1<<20)
	if n, err := checkRemap(beginRemap(t, db)); n != 2 || err != nil {
		t.Errorf("a new reader sees %d generations, error %v", n, err)
	}
}

// Before a writer grows, it copies what it has read out of the old mapping. Here no reader holds
// that mapping, so it is gone long before the rest of this large transaction is written. Without
// dereference in DB.mmap this crashes.
func TestRemapWriterLetsGo(t *testing.T) {
	const keys = 40_000
	db := openRemap(t, &Options{NoSync: true, NoGrowSync: true})
	write := func(each int, n uint64) {
		if err := db.Update(func(tx *Tx) error {
			in, err := tx.CreateBucketIfNotExists(remapBucket)
			if err != nil {
				return err
			}
			for i := 0; i < keys; i += each {
				if err := in.Put(binary.BigEndian.AppendUint64(nil, uint64(i)), remapValue(n, 64)); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	write(1, 0)
	for n := uint64(1); n < 4; n++ {
		gone := db.readers.unmapped.Load()
		write(10, n) // touches every leaf
		if err := db.readers.Drain(context.Background()); err != nil {
			t.Fatal(err)
		}
		if n == 1 && db.readers.unmapped.Load() == gone {
			t.Error("the mapping has not changed, so nothing was tested")
		}
		if err := db.View(func(tx *Tx) error {
			i := uint64(0)
			return tx.Bucket(remapBucket).ForEach(func(k, v []byte) error {
				want := n
				if i%10 != 0 {
					want = 0
				}
				if binary.BigEndian.Uint64(k) != i || !bytes.Equal(v, remapValue(want, 64)) {
					return fmt.Errorf("key %d, want %d, has the value %x, want %d", k, i, v, want)
				}
				i++
				return nil
			})
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// Readers that began at different times run beside a writer that grows without pause. Reading a
// page through a mapping that is gone ends the process.
func TestRemapTorture(t *testing.T) {
	seed := time.Now().UnixNano()
	t.Log("seed", seed)
	for round := range 4 {
		db := openRemap(t, &Options{NoSync: true, NoGrowSync: true})
		var over atomic.Bool
		var wg sync.WaitGroup
		for g := range 4 {
			rnd := rand.New(rand.NewSource(seed + int64(round*4+g)))
			wg.Add(1)
			go func() {
				defer wg.Done()
				last := uint64(0)
				for !over.Load() {
					tx, err := db.Begin(false)
					if err != nil {
						t.Error(err)
						return
					}
					for range 1 + rnd.Intn(3) {
						n, err := checkRemap(tx)
						if err != nil || n < last {
							t.Errorf("a reader sees %d generations after %d, error %v", n, last, err)
						}
						last = n
						runtime.Gosched()
					}
					if err := tx.Rollback(); err != nil {
						t.Error(err)
					}
				}
			}()
		}
		size := 1 << 10
		for n := range uint64(10) {
			err := db.Update(func(tx *Tx) error {
				if err := putRemap(tx, n, size); err != nil || n%3 != 0 {
					return err
				}
				return tx.Bucket(remapBucket).Put(binary.BigEndian.AppendUint64(nil, n), remapValue(n, size))
			})
			if err != nil {
				t.Error(err)
			}
			size *= 2
		}
		over.Store(true)
		wg.Wait()
	}
}
