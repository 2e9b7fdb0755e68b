package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// A side is one store with its readers and its compactor.
type side struct {
	name      string
	corpus    *corpus
	store     store
	ledger    ledger
	gaps      []atomic.Int64 // by file: when its last gap closed, on the clock of now; 0 if it never had one, MaxInt64 while it is open
	readers   []*reader      // the slow ones first
	slow      int            // how many readers are slow
	compactor *compactor
	elapsed   time.Duration
}

// newSide maps every file and loads the store. If it fails, nothing stays mapped.
func newSide(ctx context.Context, name string, st store, c *corpus, o options) (*side, error) {
	s := &side{name: name, corpus: c, store: st, slow: o.slow(), gaps: make([]atomic.Int64, len(c.files))}
	for i := range o.readers {
		var keep time.Duration
		if i < s.slow {
			keep = o.hold
		}
		s.readers = append(s.readers, newReader(s, o.seed+uint64(i), keep))
	}
	s.compactor = &compactor{side: s, rng: rand.New(rand.NewPCG(o.seed, 2))}

	all := make([]*mapping, len(c.files))
	for i, f := range c.files {
		m, err := s.ledger.open(f)
		if err != nil {
			for _, m := range all[:i] {
				m.unmap()
			}
			return nil, err
		}
		all[i] = m
	}
	if err := st.load(ctx, all); err != nil {
		return nil, errors.Join(err, st.close(ctx))
	}
	return s, nil
}

// slice runs the readers and the compactor for d, or until ctx ends or one of them fails. It
// returns when all have returned and all retired mappings are unmapped.
func (s *side) slice(ctx context.Context, d time.Duration) error {
	runtime.GC() // this side must not collect the other side's garbage
	group, ctx := errgroup.WithContext(ctx)
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var over atomic.Bool
	stop := context.AfterFunc(ctx, func() { over.Store(true) })
	defer stop()

	// The compactor finishes its current step, so that no gap stays open.
	work := context.WithoutCancel(ctx)
	began := now()
	group.Go(func() error { return s.compactor.run(work, &over) })
	for _, r := range s.readers {
		group.Go(func() error { return r.run(ctx, &over) })
	}
	<-ctx.Done()
	s.elapsed += now() - began
	if err := group.Wait(); err != nil {
		return err
	}
	return s.store.drain(work)
}

// A contest runs two sides in turn, so that both run under the same conditions.
type contest struct {
	sides  [2]*side
	status atomic.Pointer[string] // the figures so far, for the progress line
}

// run gives each side half of d, in slices of about half a second.
func (c *contest) run(ctx context.Context, d time.Duration) error {
	n := max(2, 2*int(d/time.Second))
	for i := 0; i < n && ctx.Err() == nil; i++ {
		if err := c.sides[i%2].slice(ctx, d/time.Duration(n)); err != nil {
			return err
		}
		c.tell()
	}
	return nil
}

// tell updates the status.
func (c *contest) tell() {
	var each []string
	for _, s := range c.sides {
		if s.elapsed > 0 {
			each = append(each, s.name+" "+formatRate(s.result().ReadsPerSecond))
		}
	}
	text := ""
	if len(each) > 0 {
		text = "reads/s: " + strings.Join(each, ", ")
	}
	c.status.Store(&text)
}

// close closes both stores, also after an error, so that every mapping is unmapped.
func (c *contest) close(ctx context.Context) error {
	var errs []error
	for _, s := range c.sides {
		if s != nil {
			if err := s.store.close(ctx); err != nil {
				errs = append(errs, fmt.Errorf("closing the %s store: %w", s.name, err))
			}
		}
	}
	return errors.Join(errs...)
}
