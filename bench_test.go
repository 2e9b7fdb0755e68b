package spanlock_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/btree"
	"github.com/spanlock/spanlock/epoch"
	"github.com/spanlock/spanlock/rangelock"
	"github.com/spanlock/spanlock/rwsem"
)

// The benchmarks compare spanlock with code that people write by hand. All contenders of one
// comparison take turns in one process, a short slice each. One iteration (b.N) is one round of
// such slices. The results are the medians over the rounds, as times and as ratios to the first
// rival. So
//
//	go test -run '^$' -bench . -benchtime 20x .
//
// runs twenty rounds of everything. An absolute time means little; a ratio from one run means
// something.

// contender is one side of a comparison. run does at least n operations on one goroutine; worker
// is the number of the goroutine.
type contender struct {
	name string
	run  func(worker, n int)
}

// slice is how long a contender runs in one round.
func slice() time.Duration {
	if testing.Short() {
		return 500 * time.Microsecond
	}
	return 8 * time.Millisecond
}

// duel runs the contenders round by round on g goroutines each. It reports the median time of an
// operation of each contender, and the median ratio of the first to each other, taken within a
// round.
func duel(b *testing.B, g int, cs ...contender) []float64 {
	b.Helper()
	times := make([][]float64, len(cs))
	batch := make([]int, len(cs))
	for i, c := range cs { // find how many operations fill a slice
		n := 16
		for {
			start := time.Now()
			c.run(0, n)
			if d := time.Since(start); d > slice()/8 || n > 1<<24 {
				batch[i] = max(1, int(float64(n)*float64(slice())/float64(d+1)))
				break
			}
			n *= 2
		}
	}
	b.ResetTimer()
	for range b.N {
		for i, c := range cs {
			start := time.Now()
			if g == 1 {
				c.run(0, batch[i])
			} else {
				var wg sync.WaitGroup
				for worker := range g {
					wg.Go(func() { c.run(worker, batch[i]) })
				}
				wg.Wait()
			}
			times[i] = append(times[i], float64(time.Since(start).Nanoseconds())/float64(batch[i]))
		}
	}
	b.StopTimer()
	b.ReportMetric(0, "ns/op") // the time of a round is not the time of an operation
	medians := make([]float64, len(cs))
	for i, c := range cs {
		medians[i] = median(times[i])
		b.ReportMetric(medians[i], "ns/"+c.name)
		if i > 0 {
			ratios := make([]float64, len(times[i]))
			for j := range ratios {
				ratios[j] = times[0][j] / times[i][j]
			}
			b.ReportMetric(median(ratios), "x-"+c.name)
		}
	}
	return medians
}

func median(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	xs = slices.Clone(xs)
	slices.Sort(xs)
	return xs[len(xs)/2]
}

// rmw2 is the yardstick: two atomic adds on a cache line that no other goroutine uses.
func rmw2() contender {
	var words [64]struct {
		n atomic.Uint64
		_ [120]byte
	}
	return contender{"rmw2", func(worker, n int) {
		w := &words[worker].n
		for range n {
			w.Add(1)
			w.Add(^uint64(0))
		}
	}}
}

// reader is the common interface of the map and its rivals: find the range that covers a key,
// read its value while it is protected, and release it.
type reader[K any] interface {
	read(key K) int
}

// spanStore is this module's map.
type spanStore[K any] struct{ m *rangelock.Map[K, *int] }

func (s *spanStore[K]) read(key K) int {
	g, ok := s.m.Acquire(key)
	if !ok {
		return 0
	}
	v := *g.Value()
	g.Release()
	return v
}

// getStore is this module's map with Get, for values that the garbage collector owns.
type getStore[K any] struct{ m *rangelock.Map[K, *int] }

func (s *getStore[K]) read(key K) int {
	v, ok := s.m.Get(key)
	if !ok {
		return 0
	}
	return *v
}

// segment is a range in a rival's tree.
type segment[K any] struct {
	lo, hi K
	v      *int
	refs   atomic.Int64
}

// entry is an item of the tree. It has the key beside the pointer, so that a search follows no
// pointer and its pivot is not allocated.
type entry[K any] struct {
	lo K
	s  *segment[K]
}

func (s *segment[K]) entry() entry[K] { return entry[K]{s.lo, s} }

func newTree[K any](less func(a, b entry[K]) bool, segs []*segment[K]) *btree.BTreeG[entry[K]] {
	t := btree.NewG(32, less)
	for _, s := range segs {
		t.ReplaceOrInsert(s.entry())
	}
	return t
}

func floor[K any](t *btree.BTreeG[entry[K]], before func(a, b K) bool, key K) *segment[K] {
	var found *segment[K]
	t.DescendLessOrEqual(entry[K]{lo: key}, func(x entry[K]) bool {
		found = x.s
		return false
	})
	if found != nil && before(key, found.hi) {
		return found
	}
	return nil
}

// order compares keys, written out for each type of key.
type order[K any] struct {
	before func(a, b K) bool
	less   func(a, b entry[K]) bool
}

// rwStore is a sync.RWMutex over a google/btree. It holds the read lock during the access, as
// bbolt and others do.
type rwStore[K any] struct {
	mu    sync.RWMutex
	t     *btree.BTreeG[entry[K]]
	order order[K]
}

func (s *rwStore[K]) read(key K) int {
	v := 0
	s.mu.RLock()
	if x := floor(s.t, s.order.before, key); x != nil {
		v = *x.v
	}
	s.mu.RUnlock()
	return v
}

// snapStore is an atomic pointer to a clone of the tree, with a count on each segment: the best
// that a careful team writes by hand.
type snapStore[K any] struct {
	mu    sync.Mutex
	t     atomic.Pointer[btree.BTreeG[entry[K]]]
	order order[K]
}

const dead = 1 << 40

func (s *snapStore[K]) read(key K) int {
	for {
		x := floor(s.t.Load(), s.order.before, key)
		if x == nil {
			return 0
		}
		if x.refs.Add(1) < dead {
			v := *x.v
			x.refs.Add(-1)
			return v
		}
		x.refs.Add(-1) // retired meanwhile: search again
	}
}

// fixture has the same ranges in all stores, and keys to look up.
type fixture[K any] struct {
	keys []K
	ours *rangelock.Map[K, *int]
	rw   *rwStore[K]
	snap *snapStore[K]
	tree *btree.BTreeG[entry[K]]
}

func newFixture[K any](n int, m *rangelock.Map[K, *int], o order[K], key func(uint64) K) *fixture[K] {
	f := &fixture[K]{ours: m}
	w := m.Lock()
	segs := make([]*segment[K], n)
	for i := range n {
		v := i + 1
		lo, hi := key(uint64(i)*100), key(uint64(i)*100+100)
		segs[i] = &segment[K]{lo: lo, hi: hi, v: &v}
		if err := w.Insert(rangelock.Span(lo, hi), &v); err != nil {
			panic(err)
		}
	}
	w.Unlock()
	f.tree = newTree(o.less, segs)
	f.rw = &rwStore[K]{t: f.tree, order: o}
	f.snap = &snapStore[K]{order: o}
	f.snap.t.Store(newTree(o.less, segs))
	rng := uint64(0x9E3779B97F4A7C15)
	f.keys = make([]K, 1<<16)
	for i := range f.keys {
		rng ^= rng << 13
		rng ^= rng >> 7
		rng ^= rng << 17
		f.keys[i] = key(rng % uint64(n*100))
	}
	return f
}

func uint64Fixture(n int) *fixture[uint64] {
	o := order[uint64]{
		before: func(a, b uint64) bool { return a < b },
		less:   func(a, b entry[uint64]) bool { return a.lo < b.lo },
	}
	return newFixture(n, rangelock.New[uint64, *int](nil), o, func(k uint64) uint64 { return k })
}

func bytesFixture(n int) *fixture[[]byte] {
	o := order[[]byte]{
		before: func(a, b []byte) bool { return bytes.Compare(a, b) < 0 },
		less:   func(a, b entry[[]byte]) bool { return bytes.Compare(a.lo, b.lo) < 0 },
	}
	return newFixture(n, rangelock.NewFunc[[]byte, *int](bytes.Compare, nil), o, func(k uint64) []byte {
		return binary.BigEndian.AppendUint64([]byte("key/"), k)
	})
}

var sink atomic.Int64

func reading[K any](name string, keys []K, r reader[K]) contender {
	return contender{name, func(worker, n int) {
		sum, at := 0, worker*1031
		for range n {
			sum += r.read(keys[at&(len(keys)-1)])
			at++
		}
		sink.Add(int64(sum))
	}}
}

// BenchmarkLookup is rows 1 and 2: acquire, read the value, release, at random keys.
func BenchmarkLookup(b *testing.B) {
	for _, n := range []int{100, 1000, 100_000, 1_000_000} {
		if testing.Short() && n > 1000 {
			continue
		}
		lookup(b, "uint64", n, uint64Fixture(n))
		lookup(b, "bytes", n, bytesFixture(n))
		runtime.GC()
	}
}

func lookup[K any](b *testing.B, keys string, n int, f *fixture[K]) {
	bare := contender{"btree", func(worker, n int) {
		at := worker * 1031
		for range n {
			floor(f.tree, f.rw.order.before, f.keys[at&(len(f.keys)-1)])
			at++
		}
	}}
	for _, g := range []int{1, 2} {
		b.Run(fmt.Sprintf("keys=%s/n=%d/g=%d", keys, n, g), func(b *testing.B) {
			duel(b, g,
				reading("ours", f.keys, &spanStore[K]{f.ours}),
				reading("rwmutex", f.keys, f.rw),
				reading("snapshot", f.keys, f.snap),
				bare,
				rmw2())
		})
	}
}

// BenchmarkOverhead is row 3: the cost of Acquire with Release, and of Get, compared with the
// bare search, which is measured as the search of a Reader that holds the map.
func BenchmarkOverhead(b *testing.B) {
	f := uint64Fixture(1000)
	r := f.ours.RLock()
	defer r.Unlock()
	medians := duel(b, 1,
		reading("ours", f.keys, &spanStore[uint64]{f.ours}),
		reading("get", f.keys, &getStore[uint64]{f.ours}),
		contender{"search", func(_, n int) {
			sum := 0
			for i := range n {
				_, v, _ := r.Find(f.keys[i&(len(f.keys)-1)])
				sum += *v
			}
			sink.Add(int64(sum))
		}},
		rmw2())
	b.ReportMetric((medians[0]-medians[2])/medians[3], "rmw2-over-search")
	b.ReportMetric((medians[1]-medians[2])/medians[3], "rmw2-get-over-search")
}

// BenchmarkBusyWriter is row 5: readers while a writer holds the lock one millisecond of every
// two, working on ranges that the readers do not touch. It reports the share of their idle
// throughput that readers keep, and their tail latency.
func BenchmarkBusyWriter(b *testing.B) {
	f := uint64Fixture(1000)
	far := rangelock.Span(uint64(1<<40), uint64(1<<40)+1)
	v := 0
	ours := func(stop <-chan struct{}) {
		for running(stop) {
			w := f.ours.Lock()
			if err := w.Swap(far, &v); err != nil {
				panic(err)
			}
			time.Sleep(time.Millisecond)
			w.Unlock()
			time.Sleep(time.Millisecond)
		}
	}
	rival := func(stop <-chan struct{}) {
		for running(stop) {
			f.rw.mu.Lock()
			f.rw.t.ReplaceOrInsert((&segment[uint64]{lo: 1 << 40, hi: 1<<40 + 1, v: &v}).entry())
			time.Sleep(time.Millisecond)
			f.rw.mu.Unlock()
			time.Sleep(time.Millisecond)
		}
	}
	b.Run("ours", func(b *testing.B) { busyWriter(b, f.keys, &spanStore[uint64]{f.ours}, ours) })
	b.Run("rwmutex", func(b *testing.B) { busyWriter(b, f.keys, f.rw, rival) })
}

func running(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return false
	default:
		return true
	}
}

// busyWriter reads for one slice with the writer asleep and for one with it awake, round by
// round.
func busyWriter(b *testing.B, keys []uint64, r reader[uint64], write func(stop <-chan struct{})) {
	var kept []float64
	var idleTail, busyTail []time.Duration
	for range b.N {
		idle, d := readFor(keys, r, 10*slice())
		idleTail = append(idleTail, d...)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() { write(stop) })
		busy, d := readFor(keys, r, 10*slice())
		close(stop)
		wg.Wait()
		busyTail = append(busyTail, d...)
		kept = append(kept, float64(busy)/float64(idle))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(100*median(kept), "%kept")
	b.ReportMetric(float64(quantile(idleTail, 0.999)), "ns-idle-p99.9")
	b.ReportMetric(float64(quantile(busyTail, 0.999)), "ns-busy-p99.9")
}

// readFor reads for d. It returns the number of reads, and the time of one read in eight.
func readFor(keys []uint64, r reader[uint64], d time.Duration) (n int, times []time.Duration) {
	times = make([]time.Duration, 0, 1<<16)
	for start := time.Now(); time.Since(start) < d; {
		for range 7 {
			r.read(keys[n&(len(keys)-1)])
			n++
		}
		t := time.Now()
		r.read(keys[n&(len(keys)-1)])
		n++
		times = append(times, time.Since(t))
	}
	return n, times
}

func quantile(ds []time.Duration, q float64) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	slices.Sort(ds)
	return ds[int(float64(len(ds)-1)*q)]
}

// BenchmarkWrite is row 7: insert one range and remove it again.
func BenchmarkWrite(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		if testing.Short() && n > 1000 {
			continue
		}
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) { write(b, uint64Fixture(n)) })
	}
}

func write(b *testing.B, f *fixture[uint64]) {
	// Range i is [100 i, 100 i + 100). Take the odd ones out to make room.
	half := uint64(f.ours.Len() / 2)
	var mu sync.Mutex
	inPlace := newTree(f.rw.order.less, nil)
	w := f.ours.Lock()
	for i := range half {
		lo := 200*i + 100
		if _, err := w.Remove(rangelock.Span(lo, lo+100)); err != nil {
			b.Fatal(err)
		}
		f.tree.Delete(entry[uint64]{lo: lo})
	}
	w.Unlock()
	f.tree.Ascend(func(x entry[uint64]) bool { inPlace.ReplaceOrInsert(x); return true })
	f.snap.t.Store(inPlace.Clone())
	v := 1
	where := func(i int) uint64 { return f.keys[i&(len(f.keys)-1)]/200*200 + 100 }
	ctx := context.Background()
	duel(b, 1,
		contender{"ours", func(_, n int) {
			for i := range n {
				r := rangelock.Span(where(i), where(i)+100)
				if err := f.ours.Insert(ctx, r, &v); err != nil {
					panic(err)
				}
				if k, err := f.ours.Remove(ctx, r); k != 1 || err != nil {
					panic(err)
				}
			}
		}},
		contender{"mutex", func(_, n int) {
			for i := range n {
				lo := where(i)
				s := &segment[uint64]{lo: lo, hi: lo + 100, v: &v}
				mu.Lock()
				inPlace.ReplaceOrInsert(s.entry())
				mu.Unlock()
				mu.Lock()
				inPlace.Delete(s.entry())
				mu.Unlock()
			}
		}},
		contender{"snapshot", func(_, n int) {
			for i := range n {
				lo := where(i)
				s := &segment[uint64]{lo: lo, hi: lo + 100, v: &v}
				f.snap.mu.Lock()
				t := f.snap.t.Load().Clone()
				t.ReplaceOrInsert(s.entry())
				f.snap.t.Store(t)
				f.snap.mu.Unlock()
				f.snap.mu.Lock()
				t = f.snap.t.Load().Clone()
				t.Delete(s.entry())
				f.snap.t.Store(t)
				f.snap.mu.Unlock()
				s.refs.Add(dead)
			}
		}})
}

// rw is the common interface of rwsem.Sem and sync.RWMutex.
type rw interface {
	Lock()
	Unlock()
	RLock()
	RUnlock()
}

// BenchmarkSemaphore is row 9: rwsem beside sync.RWMutex. One of every writes operations is a
// write; 0 means none.
func BenchmarkSemaphore(b *testing.B) {
	pairs := func(l rw, writes int) func(worker, n int) {
		return func(worker, n int) {
			for i := range n {
				if writes > 0 && (i+worker)%writes == 0 {
					l.Lock()
					l.Unlock()
				} else {
					l.RLock()
					l.RUnlock()
				}
			}
		}
	}
	for _, writes := range []int{0, 1, 10, 100} {
		for _, g := range []int{1, 2} {
			b.Run(fmt.Sprintf("writes=%d/g=%d", writes, g), func(b *testing.B) {
				duel(b, g,
					contender{"ours", pairs(new(rwsem.Sem), writes)},
					contender{"rwmutex", pairs(new(sync.RWMutex), writes)})
			})
		}
	}
}

// BenchmarkEpoch is row 10.
func BenchmarkEpoch(b *testing.B) {
	ctx := context.Background()
	pinning := func(d *epoch.Domain) func(worker, n int) {
		return func(_, n int) {
			for range n {
				g := d.Pin()
				g.Unpin()
			}
		}
	}
	synchronizing := func(d *epoch.Domain) func(worker, n int) {
		return func(_, n int) {
			for range n {
				if err := d.Synchronize(ctx); err != nil {
					panic(err)
				}
			}
		}
	}
	for _, g := range []int{1, 2} {
		b.Run(fmt.Sprintf("pin/g=%d", g), func(b *testing.B) {
			duel(b, g, contender{"ours", pinning(new(epoch.Domain))}, rmw2())
		})
	}
	b.Run("retire", func(b *testing.B) {
		d := new(epoch.Domain)
		nothing := func() {}
		duel(b, 1, contender{"ours", func(_, n int) {
			for range n {
				d.Retire(nothing)
			}
			if err := d.Barrier(ctx); err != nil {
				panic(err)
			}
		}}, rmw2())
	})
	b.Run("synchronize/idle", func(b *testing.B) {
		duel(b, 1, contender{"ours", synchronizing(new(epoch.Domain))}, rmw2())
	})
	b.Run("synchronize/busy", func(b *testing.B) {
		d := new(epoch.Domain)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			for running(stop) {
				pinning(d)(0, 1000)
			}
		})
		duel(b, 1, contender{"ours", synchronizing(d)}, rmw2())
		close(stop)
		wg.Wait()
	})
}
