package main

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/spanlock/spanlock/rangelock"
)

// A store finds the mapping of an offset for many readers, while one compactor replaces mappings.
// The store owns the mappings that it is given: it unmaps a mapping after it was retired, when no
// reader can be using it any more.
type store interface {
	// load fills the empty store.
	load(ctx context.Context, all []*mapping) error

	// read calls use with the mapping that has off. It stays mapped until use returns. read
	// reports false if there is none.
	read(off uint64, use func(*mapping)) bool

	// swap replaces the mapping of each file by the new one, in one transaction.
	swap(ctx context.Context, fresh ...*mapping) error

	// reinsert does the same with one mapping, as a removal and an insertion in one transaction:
	// no reader may find the range absent.
	reinsert(ctx context.Context, fresh *mapping) error

	// retire takes the file's mapping out, and leaves a gap.
	retire(ctx context.Context, f *file) error

	// insert fills the gap.
	insert(ctx context.Context, fresh *mapping) error

	// drain waits until all retired mappings are unmapped.
	drain(ctx context.Context) error

	// close retires all mappings, and drains.
	close(ctx context.Context) error
}

// maxPending bounds the mappings that are retired and not yet unmapped. Without it a compactor
// that retires faster than the callbacks unmap would reach the kernel's limit on mappings.
const maxPending = 4096

// A spanStore keeps the mappings in a rangelock.Map, one range per file. Its readers take no
// lock, its compactor does not wait for readers, and OnRetire unmaps.
type spanStore struct {
	m *rangelock.Map[uint64, *mapping]
}

func newSpanStore() *spanStore {
	return &spanStore{rangelock.New(&rangelock.Options[uint64, *mapping]{
		OnRetire:   func(_ rangelock.Range[uint64], m *mapping) { m.unmap() },
		MaxPending: maxPending,
	})}
}

func (f *file) span() rangelock.Range[uint64] { return rangelock.Span(f.lo, f.hi) }

func (s *spanStore) load(ctx context.Context, all []*mapping) error {
	w, err := s.m.LockContext(ctx)
	if err != nil {
		return err
	}
	defer w.Unlock()
	var each iter.Seq2[rangelock.Range[uint64], *mapping] = func(yield func(rangelock.Range[uint64], *mapping) bool) {
		for _, m := range all {
			if !yield(m.file.span(), m) {
				return
			}
		}
	}
	if n, err := w.Load(each); err != nil || n != len(all) {
		return fmt.Errorf("loaded %d of %d mappings: %w", n, len(all), err)
	}
	return nil
}

func (s *spanStore) read(off uint64, use func(*mapping)) bool {
	g, ok := s.m.Acquire(off)
	if !ok {
		return false
	}
	defer g.Release()
	use(g.Value())
	return true
}

func (s *spanStore) swap(ctx context.Context, fresh ...*mapping) error {
	return s.transact(ctx, fresh, func(w *rangelock.Writer[uint64, *mapping], m *mapping) error {
		return w.Swap(m.file.span(), m)
	})
}

func (s *spanStore) reinsert(ctx context.Context, fresh *mapping) error {
	return s.transact(ctx, []*mapping{fresh}, func(w *rangelock.Writer[uint64, *mapping], m *mapping) error {
		if _, err := w.Retire(m.file.span()); err != nil {
			return err
		}
		return w.Insert(m.file.span(), m)
	})
}

// transact calls replace for each mapping in one transaction; replace retires the file's old
// mapping. If the backlog is full, transact unlocks in between, so that the callbacks can catch
// up.
func (s *spanStore) transact(ctx context.Context, fresh []*mapping, replace func(*rangelock.Writer[uint64, *mapping], *mapping) error) error {
	w, err := s.m.LockContext(ctx)
	if err != nil {
		return err
	}
	for i := 0; i < len(fresh); {
		err := s.retireOne(&w, fresh[i].file, func() error { return replace(&w, fresh[i]) })
		if err == nil {
			i++
			continue
		}
		w.Unlock()
		if err = s.room(ctx, err); err != nil {
			return err
		}
		if w, err = s.m.LockContext(ctx); err != nil {
			return err
		}
	}
	w.Unlock()
	return nil
}

// room waits until the callbacks have caught up if err says that the backlog is full. It returns
// any other error. The caller must have unlocked.
func (s *spanStore) room(ctx context.Context, err error) error {
	var full *rangelock.BacklogError[uint64]
	if !errors.As(err, &full) {
		return err
	}
	return s.m.Room(ctx, full.Cost)
}

// retireOne updates the ledger for a step that retires the file's mapping.
func (s *spanStore) retireOne(w *rangelock.Writer[uint64, *mapping], f *file, step func() error) error {
	_, old, ok := w.Find(f.lo)
	if !ok || old.file != f {
		return fmt.Errorf("the map has no range for %s, which begins at %d", f.path, f.lo)
	}
	old.retiring()
	if err := step(); err != nil {
		old.staying()
		return err
	}
	old.retired()
	return nil
}

func (s *spanStore) retire(ctx context.Context, f *file) error {
	for {
		w, err := s.m.LockContext(ctx)
		if err != nil {
			return err
		}
		err = s.retireOne(&w, f, func() error {
			n, err := w.Retire(f.span())
			if err == nil && n != 1 {
				err = fmt.Errorf("retired %d ranges for %s, not 1", n, f.path)
			}
			return err
		})
		w.Unlock()
		if err == nil {
			return nil
		}
		if err = s.room(ctx, err); err != nil {
			return err
		}
	}
}

func (s *spanStore) insert(ctx context.Context, fresh *mapping) error {
	w, err := s.m.LockContext(ctx)
	if err != nil {
		return err
	}
	defer w.Unlock()
	return w.Insert(fresh.file.span(), fresh)
}

func (s *spanStore) drain(ctx context.Context) error { return s.m.Drain(ctx) }

func (s *spanStore) close(ctx context.Context) error {
	for g := range s.m.Guards(rangelock.From[uint64](0)) {
		g.Value().retired()
	}
	return s.m.Close(ctx)
}
