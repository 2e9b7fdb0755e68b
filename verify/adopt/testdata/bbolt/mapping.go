package bbolt

import (
	"context"
	"sync/atomic"

	"github.com/spanlock/spanlock/rangelock"
	"go.etcd.io/bbolt/internal/common"
)

// A mapping is one memory mapping of the data file. The one within DB is the writer's: the
// goroutine that holds rwlock changes it. Each one in DB.readers is a copy that never changes. A
// read transaction may use it while it holds a guard on it.
type mapping struct {
	dataref  []byte
	data     *[common.MaxMapSize]byte
	datasz   int
	meta0    *common.Meta
	meta1    *common.Meta
	pageSize int
}

// mappings maps the offsets of the file to the current mapping. It also has the earlier mappings
// that are still being read.
type mappings struct {
	*rangelock.Map[uint64, *mapping]

	unmapped atomic.Int64          // how many are gone
	failed   atomic.Pointer[error] // the error of the first that could not be unmapped
}

// open makes the map. A mapping is unmapped when it is no longer the current one and the last
// transaction that began with it has ended.
func (s *mappings) open(lg Logger) {
	s.Map = rangelock.New(&rangelock.Options[uint64, *mapping]{
		OnRetire: func(r rangelock.Range[uint64], m *mapping) {
			if err := munmap(m); err != nil {
				lg.Errorf("munmap failed, range: %v, error: %v", r, err)
				s.failed.CompareAndSwap(nil, &err)
			}
			s.unmapped.Add(1)
		},
	})
}

// close unmaps everything, and waits for the transactions that read it. It returns the error of
// the first munmap that failed, now or earlier.
func (s *mappings) close() error {
	if s.Map == nil {
		return nil // Open failed before it mapped anything
	}
	if err := s.Map.Close(context.Background()); err != nil {
		return err
	}
	if err := s.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// publish makes the writer's mapping the one that new readers take. It waits for no reader.
// A writer only grows its mapping, so the old range lies in the new one.
func (db *DB) publish() error {
	m := db.mapping
	return db.readers.Swap(context.Background(), rangelock.Span(0, uint64(m.datasz)), &m)
}

// withdraw unmaps the writer's mapping, which no reader has seen, and returns to old.
func (db *DB) withdraw(old mapping) error {
	err := munmap(&db.mapping)
	db.mapping = old
	return err
}
