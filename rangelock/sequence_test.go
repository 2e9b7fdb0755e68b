package rangelock_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// object is a range in a naive model of a map, which keeps them in a sorted slice.
type object struct {
	lo, hi   int
	v        int
	guards   int
	excluded bool
	gone     bool
}

func (o *object) bounds() rangelock.Range[int] { return rangelock.Span(o.lo, o.hi) }

// held is a guard and what it should return.
type held struct {
	g rangelock.Guard[int, int]
	o *object
}

// book is the model: the ranges, the guards, whether the transaction has published, and what was
// retired, in the order in which the last guards were released.
type book struct {
	objects []*object
	guards  []held
	changed bool
	free    []int
}

func (n *book) overlapping(lo, hi int) (os []*object) {
	for _, o := range n.objects {
		if o.lo < hi && lo < o.hi {
			os = append(os, o)
		}
	}
	return os
}

func (n *book) at(key int) *object {
	for _, o := range n.objects {
		if o.lo <= key && key < o.hi {
			return o
		}
	}
	return nil
}

// leave removes o.
func (n *book) leave(o *object) {
	for i, x := range n.objects {
		if x == o {
			n.objects = append(n.objects[:i:i], n.objects[i+1:]...)
		}
	}
	o.gone = true
	n.changed = true
	if o.guards == 0 {
		n.free = append(n.free, o.v)
	}
}

func (n *book) enter(o *object) {
	i := 0
	for i < len(n.objects) && n.objects[i].lo < o.lo {
		i++
	}
	n.objects = append(n.objects[:i:i], append([]*object{o}, n.objects[i:]...)...)
	o.excluded, n.changed = true, true
}

// exclude returns what an Exclude of os reports if it may not wait.
func (n *book) exclude(os []*object) error {
	for _, o := range os {
		if o.guards > 0 {
			return context.Canceled
		}
	}
	for _, o := range os {
		o.excluded = true
	}
	return nil
}

func cut(os []*object, lo, hi int) bool {
	for _, o := range os {
		if o.lo < lo || hi < o.hi {
			return true
		}
	}
	return false
}

// TestSequences runs random transactions, with guards held across them, on a map and on a model
// of every promise that one goroutine can observe: the result of each operation, what TryAcquire
// returns for every key between any two operations, what guards return, and the order of the
// calls of OnRetire. The contexts of the transactions have ended, so an operation that would wait
// fails instead.
func TestSequences(t *testing.T) {
	for i := range 40 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("seed %#x", seed)
				}
			}()
			runSequence(t, seed, 24+8*(i%4), 60)
		})
	}
}

func runSequence(t *testing.T, seed uint64, space, transactions int) {
	rng := rand.New(rand.NewPCG(seed, 2))
	var retired []int
	m := rangelock.New(&rangelock.Options[int, int]{OnRetire: func(_ rangelock.Range[int], v int) { retired = append(retired, v) }})
	n := &book{}
	next := 0
	fresh := func(lo, hi int) *object { next++; return &object{lo: lo, hi: hi, v: next} }
	look := func() {
		t.Helper()
		if err := m.Verify(); err != nil {
			t.Fatal(err)
		}
		for key := range space {
			o := n.at(key)
			want, wantErr := 0, error(nil)
			switch {
			case o != nil && o.excluded, o == nil && n.changed:
				wantErr = rangelock.ErrBusy
			case o == nil:
				wantErr = rangelock.ErrNotFound
			default:
				want = o.v
			}
			g, err := m.TryAcquire(key)
			if err != wantErr {
				t.Fatalf("TryAcquire(%d) = %v, want %v", key, err, wantErr)
			}
			if err != nil {
				continue
			}
			if g.Value() != want || g.Range() != o.bounds() {
				t.Fatalf("TryAcquire(%d) is %v %d, want %v %d", key, g.Range(), g.Value(), o.bounds(), want)
			}
			if len(n.guards) < 8 && rng.IntN(60) == 0 {
				n.guards = append(n.guards, held{g, o})
				o.guards++
				continue
			}
			g.Release()
		}
		for i := 0; i < len(n.guards); i++ {
			h := &n.guards[i]
			if h.g.Value() != h.o.v || h.g.Range() != h.o.bounds() {
				t.Fatalf("the guard on %v %d shows %v %d", h.o.bounds(), h.o.v, h.g.Range(), h.g.Value())
			}
			if rng.IntN(12) > 0 {
				continue
			}
			h.g.Release()
			if h.o.guards--; h.o.guards == 0 && h.o.gone {
				n.free = append(n.free, h.o.v)
			}
			n.guards = append(n.guards[:i], n.guards[i+1:]...)
			i--
		}
	}
	answer := func(op string, n, want int, err, wantErr error) {
		t.Helper()
		if n != want || !errors.Is(err, wantErr) || wantErr == nil && err != nil {
			t.Fatalf("%s = %d, %v, want %d, %v", op, n, err, want, wantErr)
		}
	}
	for range transactions {
		ctx, cancel := context.WithCancel(bg)
		w, err := m.LockContext(ctx)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		n.changed = false
		for range rng.IntN(6) {
			lo := rng.IntN(space)
			hi := lo + 1 + rng.IntN(5)
			if os := n.overlapping(lo, hi); len(os) > 0 && rng.IntN(3) > 0 {
				lo, hi = min(lo, os[0].lo), max(hi, os[len(os)-1].hi) // whole ranges
			}
			r := rangelock.Span(lo, hi)
			os := n.overlapping(lo, hi)
			switch rng.IntN(11) {
			case 10:
				old := n.at(lo)
				got, v, err := w.Extract(lo)
				if old == nil {
					answer("Extract", v, 0, err, rangelock.ErrNotFound)
				} else if want := n.exclude([]*object{old}); want != nil {
					answer("Extract", v, 0, err, want)
				} else {
					answer("Extract", v, old.v, err, nil)
					if got != old.bounds() {
						t.Fatalf("Extract(%d) = %v, want %v", lo, got, old.bounds())
					}
					n.leave(old)
					n.free = n.free[:len(n.free)-1] // it had no guard, and the caller owns its value
				}
			case 8:
				_, err := w.Evict(r)
				answer("Evict", 0, 0, err, nil)
				for _, o := range os {
					n.leave(o)
				}
			case 0, 1:
				o := fresh(lo, hi)
				err := w.Insert(r, o.v)
				if len(os) > 0 {
					answer("Insert", 0, 0, err, rangelock.ErrOverlap)
					break
				}
				answer("Insert", 0, 0, err, nil)
				n.enter(o)
			case 2:
				err := w.Exclude(r)
				answer("Exclude", 0, 0, err, n.exclude(os))
			case 3:
				if ok := w.TryExclude(r); ok != (n.exclude(os) == nil) {
					t.Fatalf("TryExclude(%v) = %t", r, ok)
				}
			case 4:
				got, err := w.Remove(r)
				if cut(os, lo, hi) {
					answer("Remove", got, 0, err, rangelock.ErrPartial)
				} else if want := n.exclude(os); want != nil {
					answer("Remove", got, 0, err, want)
				} else {
					answer("Remove", got, len(os), err, nil)
					for _, o := range os {
						n.leave(o)
					}
				}
			case 5:
				got, err := w.Retire(r)
				if cut(os, lo, hi) {
					answer("Retire", got, 0, err, rangelock.ErrPartial)
					break
				}
				answer("Retire", got, len(os), err, nil)
				for _, o := range os {
					n.leave(o)
				}
			case 6, 9:
				name, install := "Swap", w.Swap
				if rng.IntN(2) == 0 {
					name, install = "Put", w.Put // this map has no SplitValue
				}
				o := fresh(lo, hi)
				err := install(r, o.v)
				if cut(os, lo, hi) {
					answer(name, 0, 0, err, rangelock.ErrPartial)
					break
				}
				answer(name, 0, 0, err, nil)
				for _, o := range os {
					n.leave(o)
				}
				n.enter(o)
			case 7:
				old := n.at(lo)
				next++
				err := w.Update(lo, next)
				if old == nil {
					answer("Update", 0, 0, err, rangelock.ErrNotFound)
				} else if want := n.exclude([]*object{old}); want != nil {
					answer("Update", 0, 0, err, want)
				} else {
					answer("Update", 0, 0, err, nil)
					n.leave(old)
					n.enter(&object{lo: old.lo, hi: old.hi, v: next})
				}
			}
			look()
		}
		w.Unlock()
		n.changed = false
		for _, o := range n.objects {
			o.excluded = false
		}
		look()
	}
	for _, h := range n.guards {
		h.g.Release()
		if h.o.guards--; h.o.guards == 0 && h.o.gone {
			n.free = append(n.free, h.o.v)
		}
	}
	if err := m.Drain(bg); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(retired) != fmt.Sprint(n.free) {
		t.Fatalf("retired are\n%v, want\n%v", retired, n.free)
	}
	rest := m.Len()
	if err := m.Close(bg); err != nil {
		t.Fatal(err)
	}
	if len(retired) != len(n.free)+rest {
		t.Fatalf("%d are retired after Close, want %d", len(retired), len(n.free)+rest)
	}
}
