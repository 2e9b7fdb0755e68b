package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/google/btree"
)

// An rwStore keeps the mappings in a B-tree behind a sync.RWMutex, as most stores on mapped files
// do. A reader holds the read lock while it uses the bytes, because the compactor unmaps as soon
// as it has had the write lock.
//
// It is a good store of its kind: a lookup allocates nothing, and files are mapped before the
// write lock is taken and unmapped after it is released.
type rwStore struct {
	mu   sync.RWMutex
	tree *btree.BTreeG[place] // under mu
}

// A place is a mapping with its bounds. Two places that overlap are equal in the tree's order, so
// a lookup of [off, off+1) finds the file that has off.
type place struct {
	lo, hi uint64
	m      *mapping
}

func (m *mapping) place() place { return place{m.file.lo, m.file.hi, m} }

func newRWStore() *rwStore {
	return &rwStore{tree: btree.NewG(32, func(a, b place) bool { return a.hi <= b.lo })}
}

func (s *rwStore) load(_ context.Context, all []*mapping) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range all {
		s.tree.ReplaceOrInsert(m.place())
	}
	return nil
}

func (s *rwStore) read(off uint64, use func(*mapping)) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p, ok := s.tree.Get(place{lo: off, hi: off + 1})
	if ok {
		use(p.m)
	}
	return ok
}

func (s *rwStore) swap(_ context.Context, fresh ...*mapping) error {
	old := make([]*mapping, 0, len(fresh))
	s.mu.Lock()
	for _, m := range fresh {
		if p, ok := s.tree.ReplaceOrInsert(m.place()); ok {
			p.m.retiring()
			old = append(old, p.m)
		}
	}
	s.mu.Unlock()
	// The old mappings have no readers any more: earlier readers have released the read lock, and
	// later readers find the new mappings.
	for _, m := range old {
		m.retired()
		m.unmap()
	}
	if len(old) != len(fresh) {
		return fmt.Errorf("swapped %d of %d mappings", len(old), len(fresh))
	}
	return nil
}

func (s *rwStore) reinsert(ctx context.Context, fresh *mapping) error { return s.swap(ctx, fresh) }

func (s *rwStore) retire(_ context.Context, f *file) error {
	s.mu.Lock()
	p, ok := s.tree.Delete(place{lo: f.lo, hi: f.hi})
	if ok {
		p.m.retiring()
	}
	s.mu.Unlock()
	if !ok {
		return fmt.Errorf("the tree has no place for %s, which begins at %d", f.path, f.lo)
	}
	p.m.retired()
	p.m.unmap()
	return nil
}

func (s *rwStore) insert(_ context.Context, fresh *mapping) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tree.ReplaceOrInsert(fresh.place())
	return nil
}

func (s *rwStore) drain(context.Context) error { return nil } // it unmaps at once

func (s *rwStore) close(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tree.Ascend(func(p place) bool {
		p.m.retired()
		p.m.unmap()
		return true
	})
	s.tree.Clear(false)
	return nil
}
