package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/anishathalye/porcupine"

	"github.com/spanlock/spanlock/rwsem"
)

// A lock is a naive model of the semaphore. The sequence is part of it: it is odd while a
// writer holds the lock, and grows by one at each change.
type lock struct {
	writer  bool
	readers int
	seq     uint64
}

// A turn is one operation at the semaphore, with its result.
type turn struct {
	kind string
	ok   bool
	seq  uint64 // the result of Speculate, or the argument of Validate
}

func (u *turn) String() string {
	switch u.kind {
	case "Speculate", "Validate":
		return fmt.Sprintf("%s %d = %v", u.kind, u.seq, u.ok)
	}
	return fmt.Sprintf("%s = %v", u.kind, u.ok)
}

// step applies the turn to the lock, and reports whether its result is a right one.
//
// A Try that reports false claims nothing. A wait that its context has ended claims nothing
// either. Both are allowed at any time and change nothing.
func (l *lock) step(u *turn) bool {
	switch u.kind {
	case "Lock", "LockContext", "TryLock":
		if !u.ok {
			return u.kind != "Lock"
		}
		if l.writer || l.readers > 0 {
			return false
		}
		l.writer = true
		l.seq++
	case "RLock", "RLockContext", "TryRLock":
		if !u.ok {
			return u.kind != "RLock"
		}
		if l.writer {
			return false
		}
		l.readers++
	case "Unlock", "Downgrade":
		if !l.writer {
			return false
		}
		l.writer = false
		l.seq++
		if u.kind == "Downgrade" {
			l.readers++
		}
	case "RUnlock":
		l.readers--
		return l.readers >= 0 && !l.writer
	case "Speculate":
		return u.seq == l.seq && u.ok == !l.writer
	case "Validate":
		return u.ok == (u.seq == l.seq)
	default:
		panic("linear: unknown turn " + u.kind)
	}
	return true
}

var semModel = porcupine.Model{
	Init: func() any { return lock{} },
	Step: func(st, input, _ any) (bool, any) {
		l := st.(lock)
		ok := l.step(input.(*turn))
		return ok, l
	},
	DescribeOperation: func(input, _ any) string { return fmt.Sprint(input) },
	DescribeState:     func(s any) string { return fmt.Sprintf("%+v", s) },
}

// A user is one goroutine of an episode at a semaphore.
type user struct {
	s     *rwsem.Sem
	clock *clock
	n     int
	rng   *rand.Rand
	hist  history

	reads int // read locks that it holds
	write bool
	seq   uint64 // the last result of Speculate
}

// do does and records one operation.
func (u *user) do(kind string, f func() bool) bool {
	op := &turn{kind: kind}
	call := u.clock.now()
	op.ok = f()
	u.hist.add(u.n, call, u.clock.now(), op)
	return op.ok
}

// always makes an operation without a result one that reports true.
func always(f func()) func() bool { return func() bool { f(); return true } }

// peek does an operation that writes nothing.
func (u *user) peek() {
	op := &turn{kind: "Validate", seq: u.seq}
	call := u.clock.now()
	if u.rng.IntN(2) == 0 {
		op.kind = "Speculate"
		op.seq, op.ok = u.s.Speculate()
		u.seq = op.seq
	} else {
		op.ok = u.s.Validate(u.seq)
	}
	u.hist.add(u.n, call, u.clock.now(), op)
}

// turn does one operation that is allowed with what this goroutine holds.
func (u *user) turn() {
	switch {
	case u.rng.IntN(4) == 0:
		u.peek()
	case u.write:
		u.write = false
		if u.rng.IntN(3) > 0 {
			u.do("Unlock", always(u.s.Unlock))
		} else {
			u.do("Downgrade", always(u.s.Downgrade))
			u.reads++
		}
	case u.reads > 0:
		if u.reads < 3 && u.rng.IntN(3) == 0 {
			if u.do("TryRLock", u.s.TryRLock) {
				u.reads++
			}
			return
		}
		u.do("RUnlock", always(u.s.RUnlock))
		u.reads--
	default:
		u.enter()
	}
}

// enter takes the lock in one way or another.
func (u *user) enter() {
	ctx, cancel := mayEnd(u.rng)
	defer cancel()
	switch u.rng.IntN(6) {
	case 0:
		u.write = u.do("Lock", always(u.s.Lock))
	case 1:
		u.write = u.do("TryLock", u.s.TryLock)
	case 2:
		u.write = u.do("LockContext", func() bool { return u.s.LockContext(ctx) == nil })
	case 3:
		u.do("RLock", always(u.s.RLock))
		u.reads++
	case 4:
		if u.do("TryRLock", u.s.TryRLock) {
			u.reads++
		}
	case 5:
		if u.do("RLockContext", func() bool { return u.s.RLockContext(ctx) == nil }) {
			u.reads++
		}
	}
}

// leave releases what the goroutine holds.
func (u *user) leave() {
	if u.write {
		u.do("Unlock", always(u.s.Unlock))
	}
	for ; u.reads > 0; u.reads-- {
		u.do("RUnlock", always(u.s.RUnlock))
	}
}

// semEpisode plays one episode at a new semaphore and has its history judged.
func semEpisode(rng *rand.Rand, t *tally, html string) error {
	var s rwsem.Sem
	var c clock
	goroutines := 3 + rng.IntN(4)
	users := make([]*user, goroutines)
	together(goroutines, func(n int) {
		u := users[n]
		for range 120 / goroutines {
			u.turn()
			pause()
		}
		u.leave()
	}, func(n int) {
		users[n] = &user{s: &s, clock: &c, n: n, rng: rand.New(rand.NewPCG(rng.Uint64(), uint64(n)))}
	})
	var h history
	for _, u := range users {
		h = append(h, u.hist...)
	}
	for _, op := range h {
		if u := op.Input.(*turn); u.ok {
			t.count(u.kind, "")
		} else {
			t.count(u.kind, "false")
		}
	}
	return t.judge(semModel, h, html)
}
