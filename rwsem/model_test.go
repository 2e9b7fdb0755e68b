package rwsem_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/spanlock/spanlock/rwsem"
)

// mode is what an actor holds or wants.
type mode int

const (
	idle mode = iota
	reading
	writing
)

// actor is a goroutine that does what the test tells it.
type actor struct {
	do     chan func() mode // the result is what the actor holds afterwards
	got    mode             // what the real lock gave it; written by the goroutine
	busy   bool             // it has not finished the last command
	cancel context.CancelFunc

	model mode // what the model says it holds
	wants mode // what the model says it is queued for
}

// model is the lock in its naive form: a list of the waiters, in order.
type model struct {
	actors []*actor
	queue  []*actor
	seq    uint64
}

func (m *model) holders() (readers, writers int) {
	for _, a := range m.actors {
		switch a.model {
		case reading:
			readers++
		case writing:
			writers++
		}
	}
	return readers, writers
}

// admits reports whether an actor that wants it could enter now beside the holders.
func (m *model) admits(want mode) bool {
	r, w := m.holders()
	return w == 0 && (want == reading || r == 0)
}

func (m *model) take(a *actor, want mode) {
	a.model, a.wants = want, idle
	if want == writing {
		m.seq++
	}
}

func (m *model) give(a *actor, left mode) {
	if a.model == writing {
		m.seq++
	}
	a.model = left
}

// settle admits from the head of the queue while that is possible.
func (m *model) settle() {
	for len(m.queue) > 0 && m.admits(m.queue[0].wants) {
		m.take(m.queue[0], m.queue[0].wants)
		m.queue = m.queue[1:]
	}
}

// TestModel does random operations, one at a time. After each it compares with a naive
// model: the holders, the waiters, the sequence, and the results of the Tries.
func TestModel(t *testing.T) {
	episodes, steps := 200, 200
	if testing.Short() {
		episodes = 40
	}
	seed := rand.Uint64()
	for e := range episodes {
		rng := rand.New(rand.NewPCG(seed, uint64(e)))
		synctest.Test(t, func(t *testing.T) { runModel(t, rng, steps) })
		if t.Failed() {
			t.Fatalf("seed %d, episode %d", seed, e)
		}
	}
}

func runModel(t *testing.T, rng *rand.Rand, steps int) {
	var s rwsem.Sem
	m := &model{}
	for range 2 + rng.IntN(6) {
		a := &actor{do: make(chan func() mode)}
		m.actors = append(m.actors, a)
		go func() {
			for f := range a.do {
				a.got = f()
				a.busy = false
			}
		}()
	}
	var log []string
	for i := 0; i < steps && !t.Failed(); i++ {
		a := m.actors[rng.IntN(len(m.actors))]
		name := m.step(t, &s, rng, a)
		if name == "" {
			continue
		}
		log = append(log, fmt.Sprintf("%d:%s", slices.Index(m.actors, a), name))
		synctest.Wait()
		m.settle()
		m.compare(t, &s)
	}
	if t.Failed() {
		t.Logf("operations: %v", log)
	}
	// All actors leave: first those that can still give up, then the holders.
	for range 2 * len(m.actors) {
		for _, a := range m.actors {
			if a.busy && a.cancel != nil {
				a.cancel()
			}
			synctest.Wait()
			if !a.busy {
				switch a.got {
				case reading:
					s.RUnlock()
				case writing:
					s.Unlock()
				}
				a.got = idle
			}
			synctest.Wait()
		}
	}
	for _, a := range m.actors {
		close(a.do)
	}
	if !t.Failed() {
		mustBeFree(t, &s)
	}
}

// step lets a do something that it may do, in the lock and in the model, and returns the
// name of the operation.
func (m *model) step(t *testing.T, s *rwsem.Sem, rng *rand.Rand, a *actor) string {
	tell := func(f func() mode) {
		a.busy = true
		a.do <- f
	}
	if a.busy {
		if a.cancel == nil || rng.IntN(3) != 0 {
			return ""
		}
		a.cancel()
		a.cancel = nil
		m.queue = slices.DeleteFunc(m.queue, func(b *actor) bool { return a == b })
		a.wants = idle
		return "cancel"
	}
	a.cancel = nil
	switch a.model {
	case reading:
		m.give(a, idle)
		tell(func() mode { s.RUnlock(); return idle })
		return "RUnlock"
	case writing:
		if rng.IntN(3) == 0 {
			m.give(a, reading)
			tell(func() mode { s.Downgrade(); return reading })
			return "Downgrade"
		}
		m.give(a, idle)
		tell(func() mode { s.Unlock(); return idle })
		return "Unlock"
	}

	want, name := reading, "RLock"
	lock, try, lockContext := s.RLock, s.TryRLock, s.RLockContext
	if rng.IntN(3) == 0 {
		want, name = writing, "Lock"
		lock, try, lockContext = s.Lock, s.TryLock, s.LockContext
	}
	now := len(m.queue) == 0 && m.admits(want)
	switch rng.IntN(3) {
	case 0:
		if now {
			m.take(a, want)
		}
		tell(func() mode {
			if try() {
				return want
			}
			return idle
		})
		return "Try" + name
	case 1:
		tell(func() mode { lock(); return want })
	case 2:
		ctx, cancel := context.WithCancel(t.Context())
		if rng.IntN(8) == 0 {
			cancel()
			tell(func() mode {
				if lockContext(ctx) == nil {
					return want
				}
				return idle
			})
			return name + "Context, ended"
		}
		a.cancel = cancel
		name += "Context"
		tell(func() mode {
			if lockContext(ctx) == nil {
				return want
			}
			return idle
		})
	}
	if now {
		m.take(a, want)
	} else {
		a.wants = want
		m.queue = append(m.queue, a)
	}
	return name
}

// compare compares the lock, and what the actors hold, with the model.
func (m *model) compare(t *testing.T, s *rwsem.Sem) {
	t.Helper()
	for i, a := range m.actors {
		if queued := a.wants != idle; a.busy != queued {
			t.Errorf("actor %d: waits %v, want %v", i, a.busy, queued)
		}
		if !a.busy && a.got != a.model {
			t.Errorf("actor %d: holds %d, want %d", i, a.got, a.model)
		}
	}
	if got := rwsem.QueueLen(s); got != len(m.queue) {
		t.Errorf("%d queued, want %d", got, len(m.queue))
	}
	if got := s.Contended(); got != (len(m.queue) > 0) {
		t.Errorf("Contended = %v with %d queued", got, len(m.queue))
	}
	if seq, ok := s.Speculate(); seq != m.seq || ok != (m.seq%2 == 0) {
		t.Errorf("Speculate = %d, %v, want %d", seq, ok, m.seq)
	}
	readers, writers := m.holders()
	want := uint64(readers) + uint64(writers)*rwsem.Writer
	if len(m.queue) > 0 {
		want |= rwsem.Waiters
	}
	if got := rwsem.State(s); got != want {
		t.Errorf("state %#x, want %#x", got, want)
	}
}
