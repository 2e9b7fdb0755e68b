// Package kept has values that are used without a guard next to OnRetire.
package kept

import (
	"context"
	"fmt"
	"io"

	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

type file struct {
	data []byte
	name string
}

func (f *file) unmap()    { f.data = nil }
func (f *file) size() int { return len(f.data) }

type store struct {
	m    *rangelock.Map[int, *file]
	last *file
}

func open() *store {
	s := &store{}
	s.m = rangelock.New(&rangelock.Options[int, *file]{
		OnRetire: func(_ rangelock.Range[int], f *file) { f.unmap() },
	})
	return s
}

var global *file

func (s *store) returned(key int) *file {
	f, _ := s.m.Get(key)
	return f // want `value from Get at line \d+ is returned without a guard, and the map has an OnRetire that may free it: use Acquire or View`
}

func (s *store) stored(key int) {
	if f, ok := s.m.Get(key); ok {
		s.last = f // want `value from Get at line \d+ is stored without a guard`
	}
}

func (s *store) storedInGlobal(key int) {
	_, f, _ := s.m.GetRange(key)
	global = f // want `value from GetRange at line \d+ is stored`
}

func (s *store) followed(key int) string {
	f, ok := s.m.Get(key)
	if !ok {
		return ""
	}
	return f.name // want `value from Get at line \d+ is used`
}

func (s *store) method(key int) int {
	f, ok := s.m.Get(key)
	if !ok {
		return 0
	}
	return f.size() // want `value from Get at line \d+ is used`
}

func (s *store) sent(key int, c chan *file) {
	f, _ := s.m.Get(key)
	c <- f // want `value from Get at line \d+ is sent`
}

func (s *store) captured(key int) func() int {
	f, _ := s.m.Get(key)
	return func() int { return f.size() } // want `value from Get at line \d+ is captured`
}

func (s *store) background(key int) {
	f, _ := s.m.Get(key)
	go f.size() // want `value from Get at line \d+ is passed to a goroutine`
}

func (s *store) all() (n int) {
	for _, f := range s.m.All() {
		n += f.size() // want `value from All at line \d+ is used`
	}
	return n
}

func (s *store) collect() (all []*file) {
	for _, f := range s.m.All() {
		all = append(all, f) // want `value from All at line \d+ is stored`
	}
	return all
}

func (s *store) many(keys []int) {
	s.m.GetMany(keys, func(_ int, f *file, ok bool) {
		if ok {
			println(f.size()) // want `value from GetMany at line \d+ is used`
		}
	})
}

// A value that a Writer finds stays only until Unlock.
func (s *store) found(key int) *file {
	w := s.m.Lock()
	defer w.Unlock()
	_, f, ok := w.Find(key) // want `value from Find at line \d+ is returned`
	if !ok || f.size() == 0 {
		return nil
	}
	return f
}

func (s *store) overlapping() {
	r := s.m.RLock()
	defer r.Unlock()
	for _, f := range r.Overlapping(rangelock.Span(0, 10)) {
		println(f.size())
		s.last = f // want `value from Overlapping at line \d+ is stored`
	}
}

func local(w io.Writer) {
	m := rangelock.New(&rangelock.Options[int, []byte]{OnRetire: func(_ rangelock.Range[int], b []byte) { clear(b) }})
	b, ok := m.Get(1)
	if !ok {
		return
	}
	w.Write(b) // want `value from Get at line \d+ is used`
}

func printed() {
	o := &rangelock.Options[int, string]{}
	o.OnRetire = func(_ rangelock.Range[int], s string) { fmt.Println("unmap", s) }
	m := rangelock.New(o)
	go func() {
		s, _ := m.Get(1)
		fmt.Println(s) // want `value from Get at line \d+ is used`
	}()
}

var table = rangelock.New(&rangelock.Options[int, *file]{OnRetire: retire})

func retire(_ rangelock.Range[int], f *file) { f.unmap() }

func ofTable() *file {
	f, _ := table.Get(1)
	return f // want `value from Get at line \d+ is returned`
}

func closedLater(ctx context.Context) {
	m := rangelock.New(&rangelock.Options[int, *file]{OnRetire: retire})
	f, _ := m.Get(1)
	m.Retire(ctx, rangelock.Span(0, 10))
	println(f.size()) // want `value from Get at line \d+ is used`
	m.Close(ctx)
}

type arena struct {
	a *rangealloc.Allocator[int, []byte]
}

func newArena() *arena {
	x := &arena{}
	x.a = rangealloc.New(rangelock.Span(0, 100), &rangelock.Options[int, []byte]{OnRetire: x.free})
	return x
}

func (x *arena) free(_ rangelock.Range[int], b []byte) { clear(b) }

func (x *arena) first() byte {
	b, ok := x.a.Map().Get(0)
	if !ok || len(b) == 0 {
		return 0
	}
	return b[0] // want `value from Get at line \d+ is used`
}

// either is made in two ways, both with an OnRetire.
type either struct{ m *rangelock.Map[int, *file] }

func newEither(named bool) either {
	if named {
		return either{rangelock.New(&rangelock.Options[int, *file]{OnRetire: retire})}
	}
	return either{rangelock.New(&rangelock.Options[int, *file]{OnRetire: retire})}
}

func (e either) get(key int) *file {
	f, _ := e.m.Get(key)
	return f // want `value from Get at line \d+ is returned`
}
