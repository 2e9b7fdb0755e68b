package schedule

import "math/bits"

// search is the depth-first search. An execution follows the choices on the stack. At each
// later point with a choice it takes the first option and pushes the others.
type search struct {
	bound   int  // preemptions; negative for no bound
	reduced bool // use the two rules of the package comment

	stack  []branch
	depth  int // the part of the stack that the execution has followed
	used   int // preemptions so far
	misfit bool
}

// A branch is a point with a choice.
type branch struct {
	options [maxTasks]uint8 // task numbers
	n, at   int
}

func (s *search) begin(*execution)          { s.depth, s.used = 0, 0 }
func (s *search) spawned(*execution, *task) {}

func (s *search) interested(x *execution, t *task) bool {
	if t.pending.yields {
		return true
	}
	if s.bound >= 0 && s.used >= s.bound {
		return false
	}
	return !s.reduced || x.isShared(&t.pending)
}

func (s *search) pick(x *execution, t *task, enabled uint32) *task {
	var b branch
	preempts := t != nil && !t.pending.yields
	from := maxTasks - 1 // the last before task 0
	if t != nil {
		from = t.id
	}
	if preempts {
		b.options[0], b.n = uint8(t.id), 1
		enabled &^= 1 << t.id
	}
	// The other tasks, starting behind the current one, so that the first choice at a
	// Gosched is another task.
	for _, set := range [2]uint32{enabled &^ (2<<from - 1), enabled & (2<<from - 1)} {
		for ; set != 0; set &= set - 1 {
			if id := bits.TrailingZeros32(set); !x.tasks[id].asleep {
				b.options[b.n] = uint8(id)
				b.n++
			}
		}
	}
	switch b.n {
	case 0:
		return nil
	case 1:
		return x.tasks[b.options[0]]
	}
	if s.depth == len(s.stack) {
		s.stack = append(s.stack, b)
	}
	at := &s.stack[s.depth]
	if at.n != b.n || at.options != b.options {
		s.misfit = true
		return nil
	}
	s.depth++
	next := x.tasks[at.options[at.at]]
	if preempts && next != t {
		s.used++
		if s.reduced {
			t.asleep = true
			x.sleepers++
		}
	}
	return next
}

// advance moves to the next schedule, and reports whether there is one.
func (s *search) advance() bool {
	for n := len(s.stack); n > 0; n-- {
		b := &s.stack[n-1]
		if b.at++; b.at < b.n {
			s.stack = s.stack[:n]
			return true
		}
	}
	s.stack = s.stack[:0]
	return false
}
