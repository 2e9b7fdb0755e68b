package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

const (
	keyCount   = 512  // keys of the map
	crowdKeys  = 2    // of these, the keys that all readers use in crowded times
	wide       = 8    // the most keys of a range that a writer makes
	pageCount  = 2048 // for keyCount ranges, those that are pending, and those that writers hold
	maxPending = 128  // mostly fewer than there are ranges, so that Clear is sometimes refused
)

type (
	objects = rangelock.Map[int32, *object]
	guard   = rangelock.Guard[int32, *object]
	keys    = rangelock.Range[int32]
)

// In each 256 ms there is a time when all readers use the same few keys, and a time when
// the writers change those keys without a pause. The two overlap.
func crowded(now time.Time) bool { return now.UnixMilli()>>5&7 <= 1 }
func stormy(now time.Time) bool  { n := now.UnixMilli() >> 5 & 7; return n == 1 || n == 2 }

// An object is the value of a range: a page, with marks of the goroutines that use it.
type object struct {
	*page
	alone  atomic.Int32 // 1 while a goroutine has it exclusively, with an exclusive guard or as a writer
	inside atomic.Int32 // readers that check all of it; the others only check alone
}

// mapPart tortures a rangelock.Map.
type mapPart struct {
	b    *bench
	m    *objects
	pool *pool

	inside  atomic.Int32 // writers in a transaction
	retired atomic.Int64 // by OnRetire
	merged  atomic.Int64 // pages that a merge no longer needed
	taken   atomic.Int64 // pages that Extract gave to a writer
	unused  atomic.Int64 // pages of operations that failed
	full    atomic.Int64 // operations refused because of the backlog
	ended   atomic.Int64 // waits that a context has ended
	shown   atomic.Int64 // the most guards announced at one time that a writer has seen in a storm
}

func newMapPart() (part, error) {
	pages, err := newPool(pageCount)
	return &mapPart{pool: pages}, err
}

func (p *mapPart) share() (int, int) { return 3, 5 }

// begin fills the map and starts the workers.
func (p *mapPart) begin(b *bench) {
	p.b = b
	o := &rangelock.Options[int32, *object]{
		OnRetire:   p.onRetire,
		MaxPending: maxPending,
		SplitValue: func(_ keys, _ int32, o *object) (*object, *object, error) { return o, p.make(), nil },
		MergeValue: func(_, _ keys, l, _ *object) (*object, bool) { return l, true },
	}
	if b.o.seed%4 == 0 {
		p.m = rangelock.NewFunc(cmp.Compare[int32], o)
	} else {
		p.m = rangelock.New(o)
	}
	for lo := int32(0); lo < keyCount; lo += 4 {
		if err := p.m.Insert(context.Background(), rangelock.Span(lo, lo+4), p.make()); err != nil {
			panic(err)
		}
	}
	for range b.o.readers {
		(&mapReader{part: p}).start(b)
	}
	for range b.o.writers {
		b.add(writer, (&mapWriter{mapPart: p}).batch)
	}
}

// make returns a new object. There are enough pages for all that can be in use.
func (p *mapPart) make() *object {
	g := p.pool.take()
	if g == nil {
		panic("torture: no page left: the pages of retired ranges are not given back")
	}
	return &object{page: g}
}

// lose drops an object's page. No goroutine may use the object any more.
func (p *mapPart) lose(o *object, how string, n *atomic.Int64) {
	if r, a := o.inside.Load(), o.alone.Load(); r != 0 || a != 0 {
		p.b.wrong("%s page %d with %d readers and %d exclusive users", how, o.id, r, a)
	}
	if !o.drop() {
		p.b.wrong("%s page %d, which was retired before", how, o.id)
	}
	n.Add(1)
}

// onRetire unmaps the page. Sometimes it is slow, so that the backlog grows.
func (p *mapPart) onRetire(r keys, o *object) {
	if o == nil {
		p.b.wrong("retired twice: the value of %v was cleared before OnRetire", r)
		return
	}
	p.lose(o, "retired", &p.retired)
	if rand.IntN(1<<12) == 0 {
		time.Sleep(time.Millisecond)
	}
}

// own marks an object as exclusively the caller's for a while, and writes to it.
func (p *mapPart) own(o *object, who string) {
	if !o.alone.CompareAndSwap(0, 1) {
		p.b.wrong("%s: overlap: another goroutine has page %d exclusively", who, o.id)
		return
	}
	if n := o.inside.Load(); n != 0 {
		p.b.wrong("%s: overlap: %d readers in page %d", who, n, o.id)
	}
	o.put(1, ^pattern(o.id, 1)) // a reader would find a wrong word
	runtime.Gosched()
	if n := o.inside.Load(); n != 0 {
		p.b.wrong("%s: overlap: %d readers have come to page %d", who, n, o.id)
	}
	o.put(1, pattern(o.id, 1))
	o.alone.Store(0)
}

func (p *mapPart) progress() string {
	live := p.pool.born.Load() - p.pool.gone.Load()
	return fmt.Sprintf("retired %d, pages %d", p.retired.Load(), live)
}

// finish closes the map. Then every page must be gone, in one of four ways.
func (p *mapPart) finish(b *bench) {
	if err := p.m.Close(context.Background()); err != nil {
		b.wrong("Close: %v", err)
	}
	born, gone := p.pool.born.Load(), p.pool.gone.Load()
	sum := p.retired.Load() + p.merged.Load() + p.taken.Load() + p.unused.Load()
	if born != gone || gone != sum {
		b.wrong("pages: %d made, %d unmapped, %d retired, merged, extracted and unused", born, gone, sum)
	}
	if s := p.m.Stats(); s.Retired != p.retired.Load() || s.Pending != 0 || s.Ranges != 0 {
		b.wrong("Stats: %d retired, %d pending, %d ranges; OnRetire was called %d times", s.Retired, s.Pending, s.Ranges, p.retired.Load())
	}
}

func (p *mapPart) totals() []string {
	born, gone := p.pool.born.Load(), p.pool.gone.Load()
	s := p.m.Stats()
	return []string{
		fmt.Sprintf("pages %d = unmapped %d + live %d; unmapped = retired %d + merged away %d + extracted %d + never attached %d",
			born, gone, born-gone, p.retired.Load(), p.merged.Load(), p.taken.Load(), p.unused.Load()),
		fmt.Sprintf("refused for the backlog %d, waits ended by a context %d, at most %d guards announced", p.full.Load(), p.ended.Load(), p.shown.Load()),
		fmt.Sprintf("fell back: busy %d, miss %d, gone %d; waits: lock %d, exclude %d, turn %d",
			s.FellBackBusy, s.FellBackMiss, s.FellBackGone, s.LockWaits, s.ExcludeWaits, s.TurnWaits),
	}
}
