package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// grow is a write that makes the file and its mapping grow, beside a transaction that reads for
// r.For. Meanwhile a new reader starts each millisecond, even if earlier ones have not finished.
// It returns, in nanoseconds, how long the write took, and the median and the 99th percentile of
// how long the new readers took from the moment when each was due.
func (b *bench) grow(r request) ([]float64, error) {
	path := filepath.Join(b.dir, "grow")
	defer os.Remove(path)
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	small := []byte("small")
	put := func(name []byte, size int) error {
		return db.Update(func(tx *bolt.Tx) error {
			in, err := tx.CreateBucketIfNotExists(bucket)
			if err != nil {
				return err
			}
			return in.Put(name, make([]byte, size))
		})
	}
	if err := put(small, 100); err != nil {
		return nil, err
	}
	before, err := os.Stat(path)
	if err != nil {
		return nil, err
	}

	reading, over := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	errs := make(chan error, 2)
	wg.Go(func() { // the long reader
		errs <- db.View(func(tx *bolt.Tx) error {
			v := tx.Bucket(bucket).Get(small)
			close(reading)
			time.Sleep(r.For)
			defer close(over)
			if len(v) != 100 || v[0] != 0 || v[99] != 0 {
				return errors.New("the value that the long reader reads has changed")
			}
			return nil
		})
	})
	<-reading
	var took time.Duration
	start := time.Now()
	wg.Go(func() { // the writer
		err := put([]byte("large"), 1<<20)
		took = time.Since(start)
		errs <- err
	})

	var mu sync.Mutex
	var waits []time.Duration
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for more := true; more; {
		select {
		case <-over:
			more = false
		case due := <-tick.C:
			wg.Go(func() { // a new reader
				err := db.View(func(tx *bolt.Tx) error {
					if v := tx.Bucket(bucket).Get(small); len(v) != 100 {
						return errors.New("a new reader does not find what was there before")
					}
					return nil
				})
				mu.Lock()
				defer mu.Unlock()
				waits = append(waits, time.Since(due))
				if err != nil {
					waits = nil
				}
			})
		}
	}
	wg.Wait()
	if err := errors.Join(<-errs, <-errs); err != nil {
		return nil, err
	}
	if len(waits) < 10 {
		return nil, errors.New("new readers failed, or hardly any came")
	}
	if after, err := os.Stat(path); err != nil || after.Size() <= before.Size() {
		return nil, errors.New("the file has not grown, so nothing was measured")
	}
	slices.Sort(waits)
	at := func(q float64) float64 { return float64(waits[int(q*float64(len(waits)-1))]) }
	return []float64{float64(took), at(0.5), at(0.99)}, nil
}
