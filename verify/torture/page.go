package main

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
)

// A pool has pages outside of Go's heap. A page that is given back is protected at once,
// and is reused as late as possible.
type pool struct {
	memory []byte
	born   atomic.Int64 // pages given out
	gone   atomic.Int64 // pages given back

	mu   sync.Mutex
	free []int // under mu; a queue, of places in memory
}

func newPool(pages int) (*pool, error) {
	memory, err := reserve(pages * pageSize)
	if err != nil {
		return nil, err
	}
	p := &pool{memory: memory}
	for i := range pages {
		p.free = append(p.free, i)
	}
	return p, nil
}

// A page is filled with a pattern that is unique to its number.
type page struct {
	pool *pool
	mem  []byte
	id   uint64
	at   int
	dead atomic.Bool
}

// take returns a filled page, or nil if there is none left.
func (p *pool) take() *page {
	p.mu.Lock()
	if len(p.free) == 0 {
		p.mu.Unlock()
		return nil
	}
	at := p.free[0]
	p.free = p.free[1:]
	p.mu.Unlock()
	// The capacity ends with the page, so that a longer slice panics.
	mem := p.memory[at*pageSize : (at+1)*pageSize : (at+1)*pageSize]
	if err := permit(mem); err != nil {
		panic(fmt.Sprintf("torture: permitting a page: %v", err))
	}
	g := &page{pool: p, mem: mem, id: uint64(p.born.Add(1)), at: at}
	for i := range words {
		g.put(i, pattern(g.id, i))
	}
	return g
}

// words is how many words of a page are filled. They are spread over the page, and are few,
// so that filling is cheap.
const words = 64

// pattern is word i of page id.
func pattern(id uint64, i int) uint64 { return (id<<8 | uint64(i)) * 0x9e3779b97f4a7c15 }

func (g *page) put(i int, v uint64) { binary.NativeEndian.PutUint64(g.mem[i*64:], v) }

// good reports whether word i is what it must be. It faults if the page has been given back.
func (g *page) good(i int) bool { return binary.NativeEndian.Uint64(g.mem[i*64:]) == pattern(g.id, i) }

// sound reports whether all words are what they must be.
func (g *page) sound() bool {
	for i := range words {
		if !g.good(i) {
			return false
		}
	}
	return true
}

// drop gives a page back, and reports false if that has been done before.
func (g *page) drop() bool {
	if g.dead.Swap(true) {
		return false
	}
	if err := forbid(g.mem); err != nil {
		panic(fmt.Sprintf("torture: forbidding a page: %v", err))
	}
	p := g.pool
	p.gone.Add(1)
	p.mu.Lock()
	p.free = append(p.free, g.at)
	p.mu.Unlock()
	return true
}
