package rangelock_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/btree"
	"github.com/spanlock/spanlock/rangelock"
)

// entry is a range in the model.
type entry struct {
	r rangelock.Range[int]
	v int
}

// model is a naive map of ranges: a google/btree without concurrency.
type model struct {
	t *btree.BTreeG[entry]
}

func newModel() *model {
	return &model{btree.NewG(4, func(a, b entry) bool { return a.r.Lo < b.r.Lo })}
}

func overlaps(a, b rangelock.Range[int]) bool {
	return (b.Unbounded || a.Lo < b.Hi) && (a.Unbounded || b.Lo < a.Hi)
}

func within(outer, r rangelock.Range[int]) bool {
	return outer.Lo <= r.Lo && (outer.Unbounded || !r.Unbounded && r.Hi <= outer.Hi)
}

func (o *model) overlapping(r rangelock.Range[int]) (es []entry) {
	o.t.Ascend(func(e entry) bool {
		if overlaps(e.r, r) {
			es = append(es, e)
		}
		return true
	})
	return es
}

func (o *model) find(key int) (e entry, ok bool) {
	o.t.DescendLessOrEqual(entry{r: rangelock.Range[int]{Lo: key}}, func(x entry) bool {
		e, ok = x, x.r.Unbounded || key < x.r.Hi
		return false
	})
	return e, ok
}

func (o *model) remove(r rangelock.Range[int]) (int, error) {
	es := o.overlapping(r)
	for _, e := range es {
		if !within(r, e.r) {
			return 0, rangelock.ErrPartial
		}
	}
	for _, e := range es {
		o.t.Delete(e)
	}
	return len(es), nil
}

// put puts r over the ranges that are there, and returns those that leave and how often a range
// was split. SplitValue leaves the lower part its value, and gives the upper part the next number
// after before.
func (o *model) put(r rangelock.Range[int], v int, evicts bool, before int) (gone []entry, splits int) {
	es := o.overlapping(r)
	for _, e := range es {
		o.t.Delete(e)
		if !evicts && e.r.Lo < r.Lo {
			splits++
			o.t.ReplaceOrInsert(entry{rangelock.Span(e.r.Lo, r.Lo), e.v})
			e.r.Lo, e.v = r.Lo, before+splits
		}
		if !evicts && !r.Unbounded && (e.r.Unbounded || e.r.Hi > r.Hi) {
			splits++
			o.t.ReplaceOrInsert(entry{rangelock.Range[int]{Lo: r.Hi, Hi: e.r.Hi, Unbounded: e.r.Unbounded}, before + splits})
		}
		gone = append(gone, e)
	}
	o.t.ReplaceOrInsert(entry{r, v})
	return gone, splits
}

// TestModel runs random operations on a map and on the model, compares every result, and verifies
// the structure of the tree after each operation.
func TestModel(t *testing.T) {
	for _, space := range []int{40, 400, 20000} {
		for _, kind := range []string{"ordered", "func"} {
			t.Run(fmt.Sprintf("space=%d/%s", space, kind), func(t *testing.T) {
				for range 6 {
					runModel(t, rand.Uint64(), space, kind, 1500)
				}
			})
		}
	}
}

func runModel(t *testing.T, seed uint64, space int, kind string, steps int) {
	rng := rand.New(rand.NewPCG(seed, 1))
	defer func() {
		if t.Failed() {
			t.Logf("seed %d, space %d, %s", seed, space, kind)
		}
	}()
	retired := map[int]int{}
	next := 0
	o := &rangelock.Options[int, int]{
		PutEvicts: rng.IntN(2) == 0,
		OnRetire:  func(_ rangelock.Range[int], v int) { retired[v]++ },
		SplitValue: func(_ rangelock.Range[int], _ int, v int) (int, int, error) {
			next++
			return v, next, nil
		},
		MergeValue: func(_, _ rangelock.Range[int], lv, rv int) (int, bool) {
			return lv, (lv+rv)%5 != 0
		},
	}
	m := rangelock.New(o)
	if kind == "func" {
		m = rangelock.NewFunc(func(a, b int) int { return a - b }, o)
	}
	ref := newModel()
	gone := map[int]bool{}
	leave := func(es []entry) {
		for _, e := range es {
			gone[e.v] = true
		}
	}
	random := func() rangelock.Range[int] {
		lo := rng.IntN(space)
		n := 1 + rng.IntN(max(space/200, 4))
		switch rng.IntN(60) {
		case 0:
			return rangelock.From(lo)
		case 1, 2, 3:
			n = 1 + rng.IntN(space/4+1)
		}
		return rangelock.Span(lo, lo+n)
	}
	w := m.Lock()
	for i := range steps {
		r := random()
		op := rng.IntN(20)
		if i > steps*3/4 && op < 4 {
			op += 4 // shrink towards the end
		}
		switch op {
		case 0, 1, 2, 3:
			next++
			err := w.Insert(r, next)
			if len(ref.overlapping(r)) > 0 {
				if !errors.Is(err, rangelock.ErrOverlap) {
					t.Fatalf("Insert(%v) = %v, want ErrOverlap", r, err)
				}
			} else if err != nil {
				t.Fatalf("Insert(%v) = %v", r, err)
			} else {
				ref.t.ReplaceOrInsert(entry{r, next})
			}
		case 4, 5, 6:
			// Half of the time, choose bounds that cut no range.
			if es := ref.overlapping(r); len(es) > 0 && rng.IntN(2) == 0 {
				r.Lo = es[0].r.Lo
				if last := es[len(es)-1].r; !last.Unbounded {
					r = rangelock.Span(r.Lo, last.Hi)
				} else {
					r = rangelock.From(r.Lo)
				}
			}
			es := ref.overlapping(r)
			want, wantErr := ref.remove(r)
			f, name := w.Remove, "Remove"
			if rng.IntN(2) == 0 {
				f, name = w.Retire, "Retire"
			}
			n, err := f(r)
			if n != want || !errors.Is(err, wantErr) {
				t.Fatalf("%s(%v) = %d, %v, want %d, %v", name, r, n, err, want, wantErr)
			}
			if wantErr == nil {
				leave(es)
			}
		case 7, 8:
			es := ref.overlapping(r)
			if len(es) > 0 && rng.IntN(3) > 0 {
				r.Lo = min(r.Lo, es[0].r.Lo)
				if last := es[len(es)-1].r; last.Unbounded {
					r.Unbounded = true
				} else if !r.Unbounded {
					r.Hi = max(r.Hi, last.Hi)
				}
				es = ref.overlapping(r)
			}
			next++
			_, wantErr := ref.remove(r)
			f, name := w.Swap, "Swap"
			if rng.IntN(2) == 0 {
				f, name = w.Replace, "Replace"
			}
			if err := f(r, next); !errors.Is(err, wantErr) {
				t.Fatalf("%s(%v) = %v, want %v", name, r, err, wantErr)
			}
			if wantErr == nil {
				leave(es)
				ref.t.ReplaceOrInsert(entry{r, next})
			}
		case 9:
			next++
			e, ok := ref.find(r.Lo)
			err := w.Update(r.Lo, next)
			if ok != (err == nil) || !ok && !errors.Is(err, rangelock.ErrNotFound) {
				t.Fatalf("Update(%d) = %v, present %t", r.Lo, err, ok)
			}
			if ok {
				leave([]entry{e})
				ref.t.ReplaceOrInsert(entry{e.r, next})
			}
		case 19:
			e, ok := ref.find(r.Lo)
			got, v, err := w.Extract(r.Lo)
			if ok != (err == nil) || !ok && !errors.Is(err, rangelock.ErrNotFound) || ok && (got.String() != e.r.String() || v != e.v) {
				t.Fatalf("Extract(%d) = %v, %d, %v, want %v, %t", r.Lo, got, v, err, e, ok)
			}
			if ok {
				ref.t.Delete(e) // the caller owns the value, so it is never retired
			}
		case 10:
			if err := w.Exclude(r); err != nil {
				t.Fatalf("Exclude(%v) = %v", r, err)
			}
		case 12:
			e, ok := ref.find(r.Lo)
			if err := w.Split(r.Lo); ok != (err == nil) || !ok && !errors.Is(err, rangelock.ErrNotFound) {
				t.Fatalf("Split(%d) = %v, present %t", r.Lo, err, ok)
			}
			if ok && e.r.Lo != r.Lo {
				ref.t.ReplaceOrInsert(entry{rangelock.Span(e.r.Lo, r.Lo), e.v})
				ref.t.ReplaceOrInsert(entry{rangelock.Range[int]{Lo: r.Lo, Hi: e.r.Hi, Unbounded: e.r.Unbounded}, next})
			}
		case 13:
			// Choose a key at which two ranges meet, if there is one near.
			at := r.Lo
			for _, e := range ref.overlapping(r) {
				if _, ok := ref.find(e.r.Hi); ok && !e.r.Unbounded {
					at = e.r.Hi
				}
			}
			left, okLeft := ref.find(at - 1)
			right, okRight := ref.find(at)
			var want error
			switch {
			case !okLeft || !okRight || right.r.Lo != at:
				want = rangelock.ErrNotFound
			case (left.v+right.v)%5 == 0:
				want = rangelock.ErrPartial
			}
			if err := w.Merge(at); !errors.Is(err, want) {
				t.Fatalf("Merge(%d) = %v, want %v", at, err, want)
			}
			if want == nil {
				ref.t.Delete(right)
				ref.t.ReplaceOrInsert(entry{rangelock.Range[int]{Lo: left.r.Lo, Hi: right.r.Hi, Unbounded: right.r.Unbounded}, left.v})
			}
		case 14, 15:
			key := r.Lo
			to := random()
			e, ok := ref.find(key)
			if ok && rng.IntN(2) == 0 { // near its old place
				to = rangelock.Span(e.r.Lo+rng.IntN(5)-2, e.r.Lo+3+rng.IntN(5))
			}
			var want error
			if !ok {
				want = rangelock.ErrNotFound
			} else {
				for _, o := range ref.overlapping(to) {
					if o.r.Lo != e.r.Lo {
						want = rangelock.ErrOverlap
					}
				}
			}
			if err := w.Resize(key, to); !errors.Is(err, want) {
				t.Fatalf("Resize(%d, %v) = %v, want %v", key, to, err, want)
			}
			if want == nil {
				ref.t.Delete(e)
				ref.t.ReplaceOrInsert(entry{to, e.v})
			}
			r = to
		case 16, 17:
			next++
			v := next
			before := next
			if err := w.Put(r, v); err != nil {
				t.Fatalf("Put(%v) = %v", r, err)
			}
			gone, left := ref.put(r, v, o.PutEvicts, before)
			leave(gone)
			if before+left != next {
				t.Fatalf("Put(%v) has split %d times, want %d", r, next-before, left)
			}
		case 18:
			if rng.IntN(3) > 0 {
				break
			}
			es := ref.overlapping(r)
			seq, err := w.Evict(r)
			if err != nil {
				t.Fatalf("Evict(%v) = %v", r, err)
			}
			sameWalk(t, fmt.Sprintf("Evict(%v)", r), seq, es)
			for _, e := range es {
				ref.t.Delete(e)
			}
			leave(es)
		case 11:
			w.Unlock()
			if rng.IntN(400) == 0 {
				var all []entry
				ref.t.Ascend(func(e entry) bool { all = append(all, e); return true })
				w = m.Lock()
				if n, err := w.Clear(); n != len(all) || err != nil {
					t.Fatalf("Clear() = %d, %v, want %d", n, err, len(all))
				}
				leave(all)
				ref.t.Clear(false)
			} else {
				checkReads(t, m, ref, rng, space)
				w = m.Lock()
			}
		}
		if err := m.Verify(); err != nil {
			t.Fatalf("after step %d, operation %d on %v: %v", i, op, r, err)
		}
		if m.Len() != ref.t.Len() {
			t.Fatalf("Len() = %d, want %d", m.Len(), ref.t.Len())
		}
		got := 0
		want := ref.overlapping(r)
		for gr, v := range w.Overlapping(r) {
			if got >= len(want) || want[got].v != v || want[got].r.String() != gr.String() {
				t.Fatalf("Overlapping(%v) yields %v at %d, want %v", r, gr, got, want)
			}
			got++
		}
		if got != len(want) {
			t.Fatalf("Overlapping(%v) yields %d, want %v", r, got, want)
		}
	}
	w.Unlock()
	checkReads(t, m, ref, rng, space)
	if err := m.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	for v := range gone {
		if retired[v] != 1 {
			t.Fatalf("value %d has left and was retired %d times", v, retired[v])
		}
	}
	if len(retired) != len(gone) {
		t.Fatalf("%d values retired, %d left", len(retired), len(gone))
	}
	if err := m.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if want := len(gone) + ref.t.Len(); len(retired) != want {
		t.Fatalf("%d values retired after Close, want %d", len(retired), want)
	}
}

// checkReads compares what readers find with the model.
func checkReads(t *testing.T, m *rangelock.Map[int, int], ref *model, rng *rand.Rand, space int) {
	t.Helper()
	for range 20 {
		key := rng.IntN(space+20) - 10
		e, ok := ref.find(key)
		g, err := m.TryAcquire(key)
		if ok != (err == nil) {
			t.Fatalf("TryAcquire(%d) = %v, present %t", key, err, ok)
		}
		if ok {
			if g.Value() != e.v || g.Range().String() != e.r.String() {
				t.Fatalf("TryAcquire(%d) is %v %d, want %v", key, g.Range(), g.Value(), e)
			}
			g.Release()
		}
		e2, err := m.TryAcquireExclusive(key)
		if ok != (err == nil) || !ok && err != rangelock.ErrNotFound {
			t.Fatalf("TryAcquireExclusive(%d) = %v, present %t", key, err, ok)
		}
		if ok {
			if _, err := m.TryAcquire(key); err != rangelock.ErrBusy || e2.Value() != e.v {
				t.Fatalf("TryAcquireExclusive(%d) is %d, want %d; TryAcquire = %v", key, e2.Value(), e.v, err)
			}
			if rng.IntN(2) == 0 {
				e2.Downgrade()
				c := e2.Clone()
				e2.Release()
				g, err := m.TryAcquire(key)
				if err != nil || c.Value() != e.v || g.Value() != e.v {
					t.Fatalf("beside the clone of a guard on %v that was downgraded: %v", e, err)
				}
				g.Release()
				e2 = c
			}
			e2.Release()
			if rng.IntN(8) == 0 {
				m.Announcing(key)
			}
		}
		if v, got := m.Get(key); got != ok || v != e.v && ok {
			t.Fatalf("Get(%d) = %d, %t, want %d, %t", key, v, got, e.v, ok)
		}
	}
	checkNext(t, m, ref, rng, space)
	checkNeighbours(t, m, ref, rng, space)
	var want []entry
	ref.t.Ascend(func(e entry) bool { want = append(want, e); return true })
	sameWalk(t, "All", m.All(), want)
}

// checkNext compares the walks of readers with the model.
func checkNext(t *testing.T, m *rangelock.Map[int, int], ref *model, rng *rand.Rand, space int) {
	t.Helper()
	key := rng.IntN(space+20) - 10
	want := ref.overlapping(rangelock.From(key))
	g, ok := m.AcquireNext(key)
	if ok != (len(want) > 0) {
		t.Fatalf("AcquireNext(%d) = %t, want %v", key, ok, want)
	}
	if ok {
		if g.Value() != want[0].v || g.Range().String() != want[0].r.String() {
			t.Fatalf("AcquireNext(%d) is %v %d, want %v", key, g.Range(), g.Value(), want[0])
		}
		g.Release()
	}
	r := rangelock.Span(key, key+1+rng.IntN(space))
	want = ref.overlapping(r)
	i := 0
	for g := range m.Guards(r) {
		if i >= len(want) || g.Value() != want[i].v || g.Range().String() != want[i].r.String() {
			t.Fatalf("Guards(%v) yields %v at %d, want %v", r, g.Range(), i, want)
		}
		if i++; i == 1 && rng.IntN(2) == 0 {
			g.Release() // the body may release its guard
		}
	}
	if i != len(want) {
		t.Fatalf("Guards(%v) yields %d ranges, want %v", r, i, want)
	}
}
