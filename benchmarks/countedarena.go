package main

import (
	"slices"
	"sync"
)

// countedArena is what an engineer writes by hand: a mutex; the free stretches in a slice, in
// the order of their addresses, searched first fit; and a map from each allocated stretch to
// the count of its readers.
type countedArena struct {
	mu    sync.Mutex
	free  []stretch
	there map[int]*readCount
	spare []*readCount
	next  func() int
	queue queue
	value *int
}

type stretch struct{ lo, hi int }

type readCount struct {
	size    int
	readers int
	value   *int
}

func newCountedArena(n int, sizes string) *countedArena {
	x := &countedArena{free: []stretch{{0, arenaSize(n, sizes)}}, there: make(map[int]*readCount), next: sizesOf(sizes), value: new(int)}
	x.queue.los = make([]int, 64*n)
	for range n {
		lo, ok := x.alloc(x.next())
		must(ok)
		x.queue.push(lo)
	}
	return x
}

func (x *countedArena) name() string { return "counted arena" }

// alloc takes the lowest stretch that is large enough.
func (x *countedArena) alloc(size int) (lo int, ok bool) {
	for i := range x.free {
		s := &x.free[i]
		if s.hi-s.lo < size {
			continue
		}
		lo = s.lo
		if s.lo += size; s.lo == s.hi {
			x.free = slices.Delete(x.free, i, i+1)
		}
		e := new(readCount)
		if last := len(x.spare) - 1; last >= 0 {
			e, x.spare = x.spare[last], x.spare[:last]
		}
		*e = readCount{size: size, value: x.value}
		x.there[lo] = e
		return lo, true
	}
	return 0, false
}

// release gives the bytes of an entry back.
func (x *countedArena) release(lo int, e *readCount) {
	delete(x.there, lo)
	x.spare = append(x.spare, e)
	hi := lo + e.size
	i, _ := slices.BinarySearchFunc(x.free, lo, func(s stretch, lo int) int { return s.lo - lo })
	before, after := i > 0 && x.free[i-1].hi == lo, i < len(x.free) && x.free[i].lo == hi
	switch {
	case before && after:
		x.free[i-1].hi = x.free[i].hi
		x.free = slices.Delete(x.free, i, i+1)
	case before:
		x.free[i-1].hi = hi
	case after:
		x.free[i].lo = lo
	default:
		x.free = slices.Insert(x.free, i, stretch{lo, hi})
	}
}

func (x *countedArena) replace() {
	x.mu.Lock()
	defer x.mu.Unlock()
	size := x.next()
	for {
		if lo, ok := x.alloc(size); ok {
			x.queue.push(lo)
			return
		}
		lo := x.queue.pop()
		if e := x.there[lo]; e.readers == 0 {
			x.release(lo, e)
		} else {
			x.queue.push(lo)
		}
	}
}

func (x *countedArena) hold(i int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.there[x.queue.los[x.queue.head+i]].readers++
}
