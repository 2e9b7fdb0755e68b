package rangelock_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// fuzzModel is a naive map: a sorted slice of ranges.
type fuzzModel []fuzzRange

type fuzzRange struct {
	r rangelock.Range[int]
	v int
}

// run returns the positions [i, j) of the ranges that overlap r.
func (o fuzzModel) run(r rangelock.Range[int]) (i, j int) {
	for i < len(o) && !o[i].r.Unbounded && o[i].r.Hi <= r.Lo {
		i++
	}
	for j = i; j < len(o) && (r.Unbounded || o[j].r.Lo < r.Hi); j++ {
	}
	return i, j
}

// cuts reports whether one of the ranges [i, j) extends beyond r.
func (o fuzzModel) cuts(r rangelock.Range[int], i, j int) bool {
	return slices.ContainsFunc(o[i:j], func(x fuzzRange) bool {
		return x.r.Lo < r.Lo || !r.Unbounded && (x.r.Unbounded || x.r.Hi > r.Hi)
	})
}

// Operations. Each takes three bytes: the operation, the position and the length.
const (
	fuzzInsert = iota
	fuzzRemove
	fuzzRetire
	fuzzSwap
	fuzzUpdate
	fuzzExclude
	fuzzTryExclude
	fuzzClear
	fuzzCommit
	fuzzGuard
	fuzzRelease
	fuzzInsertMany
	fuzzPut
	fuzzEvict
	fuzzExtract
	fuzzOps
)

// fuzzSeeds are sequences with a purpose: trees that grow in order, backwards and in the middle,
// and shrink in the same orders; ranges swapped across the bounds of leaves; guards held during
// all kinds of operations.
func fuzzSeeds() map[string][]byte {
	seeds := map[string][]byte{"nothing": nil}
	seq := func(name string, n int, f func(i int) []byte) {
		for i := range n {
			seeds[name] = append(seeds[name], f(i)...)
		}
	}
	seq("grow in order, shrink in order", 160, func(i int) []byte {
		if i < 80 {
			return []byte{fuzzInsert, byte(3 * i), 1}
		}
		return []byte{fuzzRemove, byte(3 * (i - 80)), 1}
	})
	seq("grow backwards, shrink from the middle", 160, func(i int) []byte {
		if i < 80 {
			return []byte{fuzzInsert, byte(240 - 3*i), 1}
		}
		return []byte{fuzzRetire, byte((120 + 3*(i-80)) % 243), 1}
	})
	seq("swap over leaves", 120, func(i int) []byte {
		if i < 60 {
			return []byte{fuzzInsert, byte(4 * i), 0}
		}
		return []byte{fuzzSwap, byte(4*(i-60) - i%3), byte(3 + i%7)}
	})
	seq("widen into the gap over a separator", 40, func(i int) []byte {
		return []byte{fuzzInsertMany, byte(i * 6), 5, fuzzRemove, byte(i*6 + 2), 1, fuzzInsert, byte(i*6 + 1), 2, fuzzCommit, 0, 0}
	})
	seq("guards across everything", 60, func(i int) []byte {
		return []byte{
			fuzzInsert, byte(5 * i), 3, fuzzCommit, 0, 0, fuzzGuard, byte(5 * i), 0,
			fuzzRetire, byte(5 * i), 3, fuzzSwap, byte(5 * i), 9, fuzzRelease, byte(i / 2), 0,
		}
	})
	seq("clear again and again", 20, func(i int) []byte {
		return []byte{fuzzInsertMany, byte(i), byte(i * 11), fuzzExclude, 0, 255, fuzzClear, 0, 0, fuzzInsert, byte(i), 255}
	})
	seq("put over others", 90, func(i int) []byte {
		return []byte{fuzzPut, byte(i * 37), byte(5 + i%25), fuzzGuard, byte(i * 53), 0, fuzzPut, byte(i*37 + 3), 2, fuzzCommit, 0, 0, fuzzEvict, byte(i * 91), byte(i % 9)}
	})
	seq("extract from every place of a leaf", 120, func(i int) []byte {
		if i < 60 {
			return []byte{fuzzInsert, byte(4 * i), 2, fuzzGuard, byte(4 * i), 0}
		}
		return []byte{fuzzExtract, byte(i * 37), 0, fuzzExclude, byte(i * 29), 7, fuzzExtract, byte(i * 29), 0, fuzzInsert, byte(i * 37), 1}
	})
	seq("unbounded", 30, func(i int) []byte {
		return []byte{fuzzInsert, byte(200 + i), 255, fuzzUpdate, 255, 0, fuzzSwap, byte(190 - i), 255, fuzzRemove, byte(i), 255}
	})
	return seeds
}

// FuzzOperations decodes a sequence of operations, applies it to a map and to a sorted slice, and
// after each compares the result, the contents, and the structure of the tree.
func FuzzOperations(f *testing.F) {
	seeds := fuzzSeeds()
	for _, name := range slices.Sorted(maps.Keys(seeds)) {
		f.Add(seeds[name], false)
		f.Add(seeds[name], true)
	}
	f.Fuzz(func(t *testing.T, ops []byte, byFunc bool) {
		if len(ops) > 3*400 {
			return // longer sequences find no more, and their time grows with the square
		}
		z := newFuzzing(t, byFunc)
		for len(ops) >= 3 && !t.Failed() {
			z.step(ops[0], ops[1], ops[2])
			ops = ops[3:]
		}
		z.end()
	})
}

// fuzzing is one sequence under way.
type fuzzing struct {
	t       *testing.T
	m       *rangelock.Map[int, int]
	w       rangelock.Writer[int, int]
	ref     fuzzModel
	next    int // the last value that was used
	steps   int
	retired map[int]int // written by OnRetire, read after Close
	gone    []int       // values that have left
	guards  []fuzzHeld
}

// fuzzHeld is a guard with the bounds and the value that it must keep.
type fuzzHeld struct {
	g rangelock.Guard[int, int]
	x fuzzRange
}

func newFuzzing(t *testing.T, byFunc bool) *fuzzing {
	z := &fuzzing{t: t, retired: map[int]int{}}
	o := &rangelock.Options[int, int]{OnRetire: func(_ rangelock.Range[int], v int) { z.retired[v]++ }}
	o.SplitValue = func(_ rangelock.Range[int], _, v int) (int, int, error) {
		z.next++
		return v, z.next, nil
	}
	if byFunc {
		z.m = rangelock.NewFunc(cmp.Compare[int], o)
	} else {
		z.m = rangelock.New(o)
	}
	z.w = z.m.Lock()
	return z
}

func (z *fuzzing) step(op, at, size byte) {
	r := rangelock.Span(int(at), int(at)+1+int(size)%32)
	if size >= 240 {
		r = rangelock.From(int(at))
	}
	i, j := z.ref.run(r)
	name := fmt.Sprintf("step %d, operation %d on %v", z.steps, op%fuzzOps, r)
	z.steps++
	switch op % fuzzOps {
	case fuzzInsert:
		z.insert(name, r, i, j)
	case fuzzInsertMany:
		for k := range int(size) % 48 {
			r := rangelock.Span(int(at)+2*k, int(at)+2*k+1)
			i, j := z.ref.run(r)
			z.insert(name, r, i, j)
		}
	case fuzzRemove, fuzzRetire:
		take := z.w.Retire
		if op%fuzzOps == fuzzRemove {
			z.release(r) // it would wait for them
			take = z.w.Remove
		}
		n, err := take(r)
		if z.refused(name, err, z.ref.cuts(r, i, j), rangelock.ErrPartial) {
			break
		}
		if n != j-i {
			z.t.Errorf("%s: %d, want %d", name, n, j-i)
		}
		z.replace(i, j)
	case fuzzSwap:
		z.next++
		if !z.refused(name, z.w.Swap(r, z.next), z.ref.cuts(r, i, j), rangelock.ErrPartial) {
			z.replace(i, j, fuzzRange{r, z.next})
		}
	case fuzzUpdate:
		r = rangelock.Span(int(at), int(at)+1)
		i, j = z.ref.run(r)
		z.release(r)
		z.next++
		if !z.refused(name, z.w.Update(r.Lo, z.next), i == j, rangelock.ErrNotFound) {
			z.replace(i, j, fuzzRange{z.ref[i].r, z.next})
		}
	case fuzzExclude:
		z.release(r)
		if err := z.w.Exclude(r); err != nil {
			z.t.Errorf("%s: %v", name, err)
		}
	case fuzzTryExclude:
		want := !slices.ContainsFunc(z.guards, func(g fuzzHeld) bool { return slices.Contains(z.ref[i:j], g.x) })
		if got := z.w.TryExclude(r); got != want {
			z.t.Errorf("%s: %t, want %t", name, got, want)
		}
	case fuzzPut:
		z.put(name, r, i, j)
	case fuzzEvict:
		seq, err := z.w.Evict(r)
		if z.refused(name, err, false, nil) {
			break
		}
		n := i
		for r, v := range seq {
			if n >= j || z.ref[n] != (fuzzRange{r, v}) {
				z.t.Errorf("%s: evicts %v with %d", name, r, v)
				return
			}
			n++
		}
		if n != j {
			z.t.Errorf("%s: evicts %d, want %v", name, n-i, z.ref[i:j])
		}
		z.replace(i, j)
	case fuzzExtract:
		r = rangelock.Span(int(at), int(at)+1)
		i, j = z.ref.run(r)
		z.release(r) // it would wait for them
		whole, v, err := z.w.Extract(r.Lo)
		if z.refused(name, err, i == j, rangelock.ErrNotFound) {
			break
		}
		if z.ref[i] != (fuzzRange{whole, v}) {
			z.t.Errorf("%s: %v with %d, want %v", name, whole, v, z.ref[i])
		}
		z.ref = slices.Delete(z.ref, i, j) // the caller owns the value, so OnRetire never gets it
	case fuzzClear:
		n, err := z.w.Clear()
		if n != len(z.ref) || err != nil {
			z.t.Errorf("%s: %d, %v, want %d", name, n, err, len(z.ref))
		}
		z.replace(0, len(z.ref))
	case fuzzCommit:
		z.w.Unlock()
		z.readers(int(at))
		z.w = z.m.Lock()
	case fuzzGuard:
		// During the transaction: busy is allowed for what it has changed.
		g, err := z.m.TryAcquire(int(at))
		i, j := z.ref.run(rangelock.Span(int(at), int(at)+1))
		switch {
		case err == nil && i == j:
			z.t.Errorf("%s: found %v", name, g.Range())
		case err == nil && (g.Range() != z.ref[i].r || g.Value() != z.ref[i].v):
			z.t.Errorf("%s: found %v with %d, want %v", name, g.Range(), g.Value(), z.ref[i])
		case err == nil:
			z.guards = append(z.guards, fuzzHeld{g, z.ref[i]})
		case err == rangelock.ErrNotFound && i < j:
			z.t.Errorf("%s: missed %v", name, z.ref[i])
		}
	case fuzzRelease:
		if n := len(z.guards); n > 0 {
			z.releaseAt(int(at) % n)
		}
	}
	z.compare(name, r)
}

func (z *fuzzing) insert(name string, r rangelock.Range[int], i, j int) {
	z.next++
	if !z.refused(name, z.w.Insert(r, z.next), i < j, rangelock.ErrOverlap) {
		z.ref = slices.Insert(z.ref, i, fuzzRange{r, z.next})
	}
}

// put puts r over the ranges [i, j). The parts that extend beyond r are split off, and stay.
func (z *fuzzing) put(name string, r rangelock.Range[int], i, j int) {
	xs := []fuzzRange{{}}
	z.next++
	v := z.next
	n := z.next // SplitValue gives the upper part the next number
	gone := slices.Clone(z.ref[i:j])
	for k := range gone {
		x := &gone[k]
		if whole := x.r; whole.Lo < r.Lo {
			z.release(whole) // it would wait for them
			n++
			xs = append(xs, fuzzRange{rangelock.Span(whole.Lo, r.Lo), x.v})
			x.r.Lo, x.v = r.Lo, n
		}
		if whole := x.r; !r.Unbounded && (whole.Unbounded || whole.Hi > r.Hi) {
			z.release(whole)
			n++
			xs = append(xs, fuzzRange{rangelock.Range[int]{Lo: r.Hi, Hi: whole.Hi, Unbounded: whole.Unbounded}, n})
		}
	}
	xs[0] = fuzzRange{r, v}
	slices.SortFunc(xs, func(a, b fuzzRange) int { return a.r.Lo - b.r.Lo })
	if z.refused(name, z.w.Put(r, v), false, nil) {
		return
	}
	for _, x := range gone {
		z.gone = append(z.gone, x.v)
	}
	z.ref = slices.Replace(z.ref, i, j, xs...)
}

// refused compares an error with the expected one, and reports whether the operation was refused.
func (z *fuzzing) refused(name string, err error, want bool, as error) bool {
	if want && !errors.Is(err, as) || !want && err != nil {
		z.t.Errorf("%s: error %v, want %v: %t", name, err, as, want)
	}
	return want || err != nil
}

// replace puts xs in the place of the ranges [i, j), which leave.
func (z *fuzzing) replace(i, j int, xs ...fuzzRange) {
	for _, x := range z.ref[i:j] {
		z.gone = append(z.gone, x.v)
	}
	z.ref = slices.Replace(z.ref, i, j, xs...)
}

// release releases the guards on attached ranges that overlap r.
func (z *fuzzing) release(r rangelock.Range[int]) {
	i, j := z.ref.run(r)
	for n := len(z.guards) - 1; n >= 0; n-- {
		if slices.Contains(z.ref[i:j], z.guards[n].x) {
			z.releaseAt(n)
		}
	}
}

func (z *fuzzing) releaseAt(n int) {
	g := z.guards[n]
	if g.g.Range() != g.x.r || g.g.Value() != g.x.v {
		z.t.Errorf("a guard on %v with %d has become %v with %d", g.x.r, g.x.v, g.g.Range(), g.g.Value())
	}
	if g.x.v%2 == 0 {
		c := g.g.Clone()
		g.g.Release()
		g.g = c.Take()
	}
	g.g.Release()
	z.guards = slices.Delete(z.guards, n, n+1)
}

// compare checks the tree, all ranges, and the results of reads around the operation.
func (z *fuzzing) compare(name string, r rangelock.Range[int]) {
	if err := z.m.Verify(); err != nil {
		z.t.Errorf("%s: %v", name, err)
	}
	n := 0
	for r, v := range z.m.All() {
		if n >= len(z.ref) || z.ref[n] != (fuzzRange{r, v}) {
			z.t.Errorf("%s: range %d is %v with %d, want %v", name, n, r, v, z.ref)
			return
		}
		n++
	}
	if n != len(z.ref) || n != z.m.Len() {
		z.t.Errorf("%s: %d ranges, Len %d, want %d", name, n, z.m.Len(), len(z.ref))
	}
	i, j := z.ref.run(r)
	for r, v := range z.w.Overlapping(r) {
		if i >= j || z.ref[i] != (fuzzRange{r, v}) {
			z.t.Errorf("%s: Overlapping yields %v with %d", name, r, v)
			return
		}
		i++
	}
	if i != j {
		z.t.Errorf("%s: Overlapping leaves out %v", name, z.ref[i:j])
	}
}

// readers compares what readers find around a key with no writer under way.
func (z *fuzzing) readers(at int) {
	for key := at - 5; key < at+40; key++ {
		i, j := z.ref.run(rangelock.Span(key, key+1))
		g, ok := z.m.Acquire(key)
		v, found := z.m.Get(key)
		if ok != (i < j) || found != ok {
			z.t.Errorf("key %d: Acquire %t, Get %t, want %t", key, ok, found, i < j)
		}
		if !ok {
			continue
		}
		if g.Range() != z.ref[i].r || g.Value() != z.ref[i].v || v != z.ref[i].v {
			z.t.Errorf("key %d: %v with %d, Get %d, want %v", key, g.Range(), g.Value(), v, z.ref[i])
		}
		g.Release()
		if key%8 == 0 {
			z.m.Announcing(key)
		}
		held := slices.ContainsFunc(z.guards, func(g fuzzHeld) bool { return g.x == z.ref[i] })
		switch e, err := z.m.TryAcquireExclusive(key); {
		case held != (err == rangelock.ErrBusy) || err == rangelock.ErrNotFound:
			z.t.Errorf("key %d: TryAcquireExclusive %v, held %t", key, err, held)
		case err == nil:
			if _, err := z.m.TryAcquire(key); err != rangelock.ErrBusy || e.Value() != v {
				z.t.Errorf("key %d: the exclusive guard has %d, want %d; TryAcquire %v", key, e.Value(), v, err)
			}
			e.Downgrade()
			if g, err := z.m.TryAcquire(key); err != nil {
				z.t.Errorf("key %d: TryAcquire beside a guard that was downgraded: %v", key, err)
			} else {
				g.Release()
			}
			e.Release()
		}
	}
}

// end closes the map and compares what was retired with what left.
func (z *fuzzing) end() {
	z.w.Unlock()
	for len(z.guards) > 0 {
		z.releaseAt(0)
	}
	if err := z.m.Close(z.t.Context()); err != nil {
		z.t.Fatal(err)
	}
	z.replace(0, len(z.ref))
	for _, v := range z.gone {
		if z.retired[v] != 1 {
			z.t.Errorf("value %d has left and was retired %d times", v, z.retired[v])
		}
	}
	if len(z.retired) != len(z.gone) {
		z.t.Errorf("%d values were retired, %d have left", len(z.retired), len(z.gone))
	}
}
