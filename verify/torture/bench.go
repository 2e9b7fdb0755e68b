package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// A role is what a worker does.
type role int

const (
	reader role = iota
	writer
)

func (r role) String() string { return [...]string{"reader", "writer"}[r] }

// A worker is one goroutine. The counters have a cache line to themselves.
type worker struct {
	_    [64]byte
	ops  atomic.Uint64 // written by the worker after a batch
	wait atomic.Int64  // the longest wait that it has measured, in nanoseconds; likewise
	_    [48]byte
	role role
	n    int
	rng  *rand.Rand // the worker's own

	// clean releases what the worker holds, at the end and when a batch has panicked.
	clean func()
}

// waited records how long something took, if that is the longest wait of the worker.
func (w *worker) waited(since time.Time) {
	if d := int64(time.Since(since)); d > w.wait.Load() {
		w.wait.Store(d)
	}
}

// maxPrinted is how many violations are printed; the rest is counted.
const maxPrinted = 5

// A bench is one part with its workers.
type bench struct {
	name    string
	o       options
	part    part
	workers []*worker
	errors  atomic.Int64
	took    time.Duration
	stop    atomic.Bool
	wg      sync.WaitGroup

	mu sync.Mutex
	w  io.Writer // under mu
}

func newBench(name string, o options, w io.Writer, p part) *bench {
	return &bench{name: name, o: o, part: p, w: w}
}

// printf prints a line.
func (b *bench) printf(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintf(b.w, "%-5s "+format+"\n", append([]any{b.name}, args...)...)
}

// wrong counts a violation and prints the first few.
func (b *bench) wrong(format string, args ...any) {
	if b.errors.Add(1) <= maxPrinted {
		b.printf("VIOLATION "+format, args...)
	}
}

// add starts a worker that does batch again and again; batch returns how many
// operations it has done. A fault or a panic in it is a violation, and the worker goes
// on.
func (b *bench) add(r role, batch func(w *worker) int) {
	n := 0
	for _, w := range b.workers {
		if w.role == r {
			n++
		}
	}
	w := &worker{role: r, n: n, clean: func() {}}
	w.rng = rand.New(rand.NewPCG(b.o.seed, uint64(r)<<32|uint64(n)))
	b.workers = append(b.workers, w)
	b.wg.Go(func() {
		debug.SetPanicOnFault(true) // for this goroutine
		for !b.stop.Load() && b.errors.Load() < 100 {
			w.ops.Add(uint64(b.guarded(w, batch)))
		}
		b.guarded(w, func(w *worker) int { w.clean(); return 0 })
	})
}

// guarded does one batch and turns a panic into a violation.
func (b *bench) guarded(w *worker, batch func(w *worker) int) (n int) {
	defer func() {
		if p := recover(); p != nil {
			b.broken(fmt.Sprintf("%v %d", w.role, w.n), p)
			defer func() { recover() }() // the guards that it held may be invalid
			w.clean()
		}
	}()
	return batch(w)
}

// broken reports a panic. A panic with an address is a fault on a page that was given back.
func (b *bench) broken(who string, p any) {
	if fault, ok := p.(interface{ Addr() uintptr }); ok {
		b.wrong("%s: use after retirement: fault at %#x", who, fault.Addr())
		return
	}
	b.wrong("%s: panic: %v\n%s", who, p, debug.Stack())
}

// run starts the workers, prints their progress, and ends them when the time is over.
// It returns false if they do not end.
func (b *bench) run(d time.Duration) bool {
	start := time.Now()
	b.part.begin(b)
	if !b.watch(start, d) {
		return false
	}
	b.stop.Store(true)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.wg.Wait()
		b.took = time.Since(start)
		b.part.finish(b)
	}()
	select {
	case <-ended:
		return true
	case <-time.After(b.o.patience):
		b.took = time.Since(start)
		b.hang("the workers, or the end,")
		return false
	}
}

// watch waits for the end of the time. It gives GOMAXPROCS its values in turn, prints a
// line a second, and returns false when a worker hangs.
func (b *bench) watch(start time.Time, d time.Duration) bool {
	turn := max(d/time.Duration(2*len(b.o.procs)), 50*time.Millisecond)
	seen := make([]uint64, len(b.workers))
	moved := make([]time.Time, len(b.workers))
	var before uint64
	procs, printed := -1, start
	for {
		now := time.Now()
		b.took = now.Sub(start)
		if b.took >= d || b.errors.Load() >= 100 {
			return true
		}
		if p := int(b.took/turn) % len(b.o.procs); p != procs {
			procs = p
			runtime.GOMAXPROCS(b.o.procs[p])
		}
		for i, w := range b.workers {
			if n := w.ops.Load(); n != seen[i] || moved[i].IsZero() {
				seen[i], moved[i] = n, now
			} else if now.Sub(moved[i]) > b.o.patience {
				b.hang(fmt.Sprintf("%v %d", w.role, w.n))
				return false
			}
		}
		if since := now.Sub(printed); since >= time.Second {
			reads := b.sum(reader)
			b.printf("%4.0f s  procs %d  %6.1f M reads/s  %9d writes  %s  errors %d", b.took.Seconds(), b.o.procs[procs],
				float64(reads-before)/since.Seconds()/1e6, b.sum(writer), b.part.progress(), b.errors.Load())
			before, printed = reads, now
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// hang reports a worker that makes no progress, with the stacks of all goroutines.
func (b *bench) hang(who string) {
	buf := make([]byte, 1<<20)
	b.wrong("%s made no step for %v\n%s", who, b.o.patience, buf[:runtime.Stack(buf, true)])
}

// sum adds up what the workers of a role have done.
func (b *bench) sum(r role) uint64 {
	var n uint64
	for _, w := range b.workers {
		if w.role == r {
			n += w.ops.Load()
		}
	}
	return n
}

// fairness says how equal the workers of each role were.
func (b *bench) fairness() string {
	s := ""
	for _, r := range []role{reader, writer} {
		least, most, wait := ^uint64(0), uint64(0), int64(0)
		for _, w := range b.workers {
			if w.role == r {
				least, most, wait = min(least, w.ops.Load()), max(most, w.ops.Load()), max(wait, w.wait.Load())
			}
		}
		s += fmt.Sprintf("%vs %d/%d %v  ", r, least, most, time.Duration(wait).Round(10*time.Microsecond))
	}
	return s
}
