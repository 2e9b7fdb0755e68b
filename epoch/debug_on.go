//go:build spanlockdebug

package epoch

import (
	"fmt"

	"github.com/spanlock/spanlock/internal/caller"
	"github.com/spanlock/spanlock/internal/seam"
)

// debug says whether guards remember where they were pinned.
const debug = true

// A mark is shared by all copies of a guard.
type mark struct{ pin *pinRecord }

// A pinRecord is one pin. It exists from Pin until no copy of the guard is left.
type pinRecord struct {
	register *pinRegister
	number   uint64
	taken    caller.Stack // where it was pinned

	// Protected by register.mu.
	gone     bool
	unpinned caller.Stack // where it was unpinned, once gone
}

// pinRegister records the pins that are held.
type pinRegister struct {
	// mu protects every field here and the records.
	mu     seam.Mutex
	last   uint64
	held   map[*pinRecord]struct{}
	runner string // goroutine that runs callbacks, as the runtime prints it
}

func (r *pinRegister) add() mark {
	p := &pinRecord{register: r, taken: caller.Here(2)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held == nil {
		r.held = make(map[*pinRecord]struct{})
	}
	r.last++
	p.number = r.last
	r.held[p] = struct{}{}
	return mark{p}
}

// unpinMark panics if a copy of the guard was unpinned before.
func (g *Guard) unpinMark() {
	p := g.mark.pin
	g.mark = mark{}
	if p == nil {
		return // the zero Guard; Unpin panics with its own message
	}
	p.register.mu.Lock()
	defer p.register.mu.Unlock()
	if p.gone {
		panic(fmt.Sprintf("epoch: Unpin of a guard whose pin is gone: a copy of it was unpinned before\npinned at\n%sunpinned at\n%s", p.taken, p.unpinned))
	}
	p.gone = true
	p.unpinned = caller.Here(2)
	delete(p.register.held, p)
}

// oldest returns the stack at which the oldest pin was taken.
func (r *pinRegister) oldest() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var first *pinRecord
	for p := range r.held {
		if first == nil || p.number < first.number {
			first = p
		}
	}
	if first == nil {
		return ""
	}
	return first.taken.String()
}

// enterCallbacks records that the calling goroutine runs callbacks.
func (r *pinRegister) enterCallbacks() {
	r.mu.Lock()
	r.runner = caller.Goroutine()
	r.mu.Unlock()
}

// checkBarrier panics if the calling goroutine runs callbacks.
func (r *pinRegister) checkBarrier() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.runner == caller.Goroutine() {
		panic("epoch: Barrier in a callback of the same domain: it would wait for itself")
	}
}
