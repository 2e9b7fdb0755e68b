// Command measure runs one job after another on the bbolt that it was built with, stock or
// rewritten, and reports how long each took. It reads a request from each line of its input and
// writes an answer to it, so that two such commands can take turns.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
)

var jobs = map[string]func(*bench, request) ([]float64, error){
	"view":   (*bench).view,
	"get":    (*bench).get,
	"update": (*bench).update,
	"batch":  (*bench).batch,
	"grow":   (*bench).grow,
}

// A bench has the databases, in a folder of its own.
type bench struct {
	dir   string
	still *bolt.DB // is only read
	busy  *bolt.DB // is written to, and not synced
}

var bucket = []byte("bucket")

const keys = 10_000

func key(i uint64) []byte { return binary.BigEndian.AppendUint64(nil, i) }

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
	if err := b.open(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.still.Close(), b.busy.Close()) }()
	return b.serve()
}

// open fills the two databases.
func (b *bench) open() (err error) {
	fill := func(name string) (*bolt.DB, error) {
		db, err := bolt.Open(filepath.Join(b.dir, name), 0o600, &bolt.Options{NoSync: true, NoGrowSync: true, FreelistType: bolt.FreelistMapType})
		if err != nil {
			return nil, err
		}
		return db, db.Update(func(tx *bolt.Tx) error {
			in, err := tx.CreateBucketIfNotExists(bucket)
			if err != nil {
				return err
			}
			for i := range uint64(keys) {
				if err := in.Put(key(i), key(i)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if b.still, err = fill("still"); err != nil {
		return err
	}
	b.busy, err = fill("busy")
	return err
}

// view is a transaction that does nothing.
func (b *bench) view(r request) ([]float64, error) {
	return r.rate(func(int, uint64) error {
		return b.still.View(func(*bolt.Tx) error { return nil })
	})
}

// get is a transaction that reads one key.
func (b *bench) get(r request) ([]float64, error) {
	return r.rate(func(g int, i uint64) error {
		k := key((i*7919 + uint64(g)*5003) % keys)
		return b.still.View(func(tx *bolt.Tx) error {
			if v := tx.Bucket(bucket).Get(k); string(v) != string(k) {
				return fmt.Errorf("key %x has the value %x", k, v)
			}
			return nil
		})
	})
}

// update is a transaction that writes one key, and is not synced.
func (b *bench) update(r request) ([]float64, error) {
	return r.rate(func(g int, i uint64) error {
		k := key((i*7919 + uint64(g)*5003) % keys)
		return b.busy.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucket).Put(k, k) })
	})
}

// batch is like update, but uses Batch, with as many calls in a batch as there are goroutines.
func (b *bench) batch(r request) ([]float64, error) {
	b.busy.MaxBatchSize = r.G
	b.busy.MaxBatchDelay = time.Millisecond
	return r.rate(func(g int, i uint64) error {
		k := key((i*7919 + uint64(g)*5003) % keys)
		return b.busy.Batch(func(tx *bolt.Tx) error { return tx.Bucket(bucket).Put(k, k) })
	})
}
