package clean

import (
	"context"
	"errors"
	"fmt"

	"github.com/spanlock/spanlock/rangelock"
)

func retry(ctx context.Context, m *ranges) error {
	for {
		g, err := m.TryAcquire(1)
		if errors.Is(err, rangelock.ErrBusy) {
			continue
		}
		if err != nil {
			return err
		}
		println(len(g.Value()))
		g.Release()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

func switched(m *ranges) error {
	g, err := m.TryAcquire(1)
	switch err {
	case nil:
	case rangelock.ErrBusy, rangelock.ErrNotFound:
		return nil
	default:
		return err
	}
	defer g.Release()
	return nil
}

func keepFirst(m *ranges, keys []int) {
	var g guard
	var ok bool
	for _, key := range keys {
		if g, ok = m.Acquire(key); ok {
			break
		}
	}
	if !ok {
		return
	}
	println(len(g.Value()))
	g.Release()
}

func again(m *ranges) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	g.Release()
	if g, ok = m.Acquire(2); !ok {
		return
	}
	println(len(g.Value()))
	g.Release()
}

func moved(m *ranges) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	h := g // one of the two is released
	println(len(h.Value()))
	g.Release()
}

func takenOver(m *ranges) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	h := g.Take()
	defer h.Release()
	println(len(h.Value()))
}

func walked(m *ranges) {
	var kept guard
	found := false
	for g := range m.Guards(rangelock.Span(0, 10)) {
		if len(g.Value()) > 3 {
			kept, found = g.Take(), true
			break
		}
		g.Release()
	}
	if found {
		kept.Release()
	}
}

func walkedIn(m *ranges, keys map[int]bool) (n int) {
	for key := range keys {
		for r := range m.All() {
			g, ok := m.Acquire(r.Lo + key)
			if !ok {
				continue
			}
			n += len(g.Value())
			g.Release()
			if n > 10 {
				return n
			}
		}
	}
	return n
}

func exchange(m *ranges) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	h, ok := returned(m, 2)
	if !ok {
		g.Release()
		return
	}
	g, h = h, g
	g.Release()
	h.Release()
}

func downgraded(m *ranges) {
	g, ok := m.AcquireExclusive(1)
	if !ok {
		return
	}
	g.Value()[0]++
	g.Downgrade()
	println(g.Value()[0])
	g.Release()
}

func printed(m *ranges) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	defer g.Release()
	fmt.Println(g.String(), g.Range())
}

func labelled(m *ranges, keys []int) {
outer:
	for _, key := range keys {
		g, ok := m.Acquire(key)
		if !ok {
			continue
		}
		for _, b := range g.Value() {
			if b == 0 {
				g.Release()
				continue outer
			}
			if b == 1 {
				g.Release()
				break outer
			}
		}
		g.Release()
	}
}

// A loop of three rounds is not left before the first.
func shared(m *ranges) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	for i := range 3 {
		c := g
		go func() {
			if i == 2 {
				c.Release()
			}
		}()
	}
}

func translate(err error) error {
	if errors.Is(err, rangelock.ErrNotFound) {
		return errShort
	}
	return err
}

func isBusy(err error) bool { return errors.Is(err, rangelock.ErrBusy) }

func translated(m *ranges) error {
	g, err := m.TryAcquire(1)
	if err = translate(err); err != nil {
		return err
	}
	println(len(g.Value()))
	g.Release()
	return nil
}

func predicate(m *ranges) error {
	g, err := m.TryAcquire(1)
	if isBusy(err) {
		return nil
	}
	if err != nil {
		return err
	}
	println(len(g.Value()))
	g.Release()
	return nil
}

func deferredWithArgument(m *ranges) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	defer func(g guard) {
		println("leaves")
		g.Release()
	}(g)
}

func deferredIf(m *ranges) {
	g, ok := m.Acquire(1)
	if ok {
		defer g.Release()
	}
	h, err := m.TryAcquire(2)
	if err == nil {
		defer h.Release()
	}
	println(ok, err == nil)
}

func calledAtOnce(m *ranges) int {
	g, ok := m.Acquire(1)
	if !ok {
		return 0
	}
	return func(g guard) int {
		defer g.Release()
		return len(g.Value())
	}(g)
}

func jumps(m *ranges, n int) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	if n > 3 {
		goto out
	}
	println(len(g.Value()))
out:
	g.Release()
}

func selected(m *ranges, stop <-chan bool, c chan<- int) {
	for {
		g, ok := m.Acquire(1)
		if !ok {
			return
		}
		select {
		case c <- len(g.Value()):
			g.Release()
		case <-stop:
			g.Release()
			return
		}
	}
}

type record struct {
	name string
	guard
}

func embedded(m *ranges) *record {
	g, ok := m.Acquire(1)
	if !ok {
		return nil
	}
	r := &record{name: "r", guard: g}
	return r
}

func inMap(m *ranges, all map[int]guard) {
	g, ok := m.Acquire(1)
	if ok {
		all[1] = g
	}
}

func inArray(m *ranges) {
	var all [2]guard
	var ok bool
	if all[0], ok = m.Acquire(1); !ok {
		return
	}
	all[0].Release()
}

func pointerTo(m *ranges) {
	g, ok := m.Acquire(1)
	if !ok {
		return
	}
	p := &g
	defer p.Release()
	println(len(p.Value()))
}

func asInterface(m *ranges) interface{ Release() } {
	g, ok := m.Acquire(1)
	if !ok {
		return nil
	}
	return &g
}
