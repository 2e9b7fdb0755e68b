package main

import "fmt"

// cells is how many keys a neighbourhood has. A range lies in one neighbourhood, and an
// operation touches one, so neighbourhoods are judged separately. A transaction is one
// operation on its neighbourhood. The last cell is a wall: transactions may only replace
// its range by another one, so AcquireNext stays inside the neighbourhood.
const (
	cells = 8
	wall  = cells - 1
)

// A state is a naive model of a neighbourhood: for each cell, the number of the range object
// that covers it, or 0. Every attached range has a number of its own, so adjacent cells with
// the same number are one range, and the numbers give the bounds.
type state [cells]uint32

// found is what a reader learns about a range; the zero found means that there is none.
type found struct {
	id     uint32
	lo, hi int
}

// at returns the range that covers cell c.
func (s *state) at(c int) found {
	id := s[c]
	if id == 0 {
		return found{}
	}
	lo, hi := c, c+1
	for lo > 0 && s[lo-1] == id {
		lo--
	}
	for hi < cells && s[hi] == id {
		hi++
	}
	return found{id, lo, hi}
}

// next returns the first range that ends above c.
func (s *state) next(c int) found {
	for c < cells && s[c] == 0 {
		c++
	}
	if c == cells {
		return found{}
	}
	return s.at(c)
}

// within counts the ranges that overlap [lo, hi), and reports whether all lie in it.
func (s *state) within(lo, hi int) (n int, whole bool) {
	for c := lo; c < hi; {
		f := s.next(c)
		if f.id == 0 || f.lo >= hi {
			break
		}
		if f.lo < lo || f.hi > hi {
			return 0, false
		}
		n++
		c = f.hi
	}
	return n, true
}

// fill gives the cells [lo, hi) to a range, or to none.
func (s *state) fill(lo, hi int, id uint32) {
	for c := lo; c < hi; c++ {
		s[c] = id
	}
}

// An outcome is how an operation of a writer ended. The zero outcome is success.
type outcome byte

const (
	done outcome = iota
	overlap
	notFound
	partial
	ended   // the context's error: it claims only that nothing has changed
	unknown // an error that the operation must not give
)

func (o outcome) String() string {
	return [...]string{"ok", "overlap", "not found", "partial", "context", "UNEXPECTED ERROR"}[o]
}

// An act is one operation of a writer, with its result.
type act struct {
	kind    string
	lo, hi  int
	at      int
	ids     [2]uint32 // of the ranges that it makes
	refuse  bool      // MergeValue refuses
	outcome outcome
	n       int     // ranges taken out
	found   []found // what Find, Overlapping and Extract returned
}

func (a *act) String() string {
	return fmt.Sprintf("%s[%d,%d)@%d %v = %v %d %v", a.kind, a.lo, a.hi, a.at, a.ids, a.outcome, a.n, a.found)
}

// apply applies the act to the state, and reports whether its result is the right one.
func (s *state) apply(a *act) bool {
	switch a.outcome {
	case ended:
		return true
	case unknown:
		return false
	}
	switch a.kind {
	case "Exclude", "TryExclude":
		return a.outcome == done // the only visible effect is that nothing changes
	case "Find":
		return a.found[0] == s.at(a.at)
	case "Overlapping":
		return s.shows(a.found, a.lo, a.hi)
	case "Insert":
		if n, whole := s.within(a.lo, a.hi); n > 0 || !whole {
			return a.outcome == overlap
		}
		s.fill(a.lo, a.hi, a.ids[0])
	case "Remove", "Retire", "Swap", "Replace", "Clear":
		n, whole := s.within(a.lo, a.hi)
		if !whole {
			return a.outcome == partial && a.n == 0
		}
		s.fill(a.lo, a.hi, a.ids[0])
		if a.ids[0] == 0 && a.n != n {
			return false
		}
	case "Evict":
		n := 0
		for c := a.lo; c < a.hi; c++ {
			if f := s.at(c); f.id != 0 {
				s.fill(f.lo, f.hi, 0)
				n++
			}
		}
		return a.outcome == done && a.n == n
	case "Extract":
		f := s.at(a.at)
		if f.id == 0 {
			return a.outcome == notFound
		}
		if len(a.found) != 1 || a.found[0] != f {
			return false
		}
		s.fill(f.lo, f.hi, 0)
	case "Split":
		f := s.at(a.at)
		switch {
		case f.id == 0:
			return a.outcome == notFound
		case f.lo == a.at:
			return a.outcome == done
		}
		s.fill(f.lo, a.at, a.ids[0])
		s.fill(a.at, f.hi, a.ids[1])
	case "Merge":
		l, r := s.at(a.at-1), s.at(a.at)
		switch {
		case l.id == 0 || r.id == 0 || l.id == r.id:
			return a.outcome == notFound
		case a.refuse:
			return a.outcome == partial
		}
		s.fill(l.lo, r.hi, a.ids[0])
	case "Resize":
		f := s.at(a.at)
		if f.id == 0 {
			return a.outcome == notFound
		}
		without := *s
		without.fill(f.lo, f.hi, 0)
		if n, whole := without.within(a.lo, a.hi); n > 0 || !whole {
			return a.outcome == overlap
		}
		*s = without
		s.fill(a.lo, a.hi, f.id)
	case "Update":
		f := s.at(a.at)
		if f.id == 0 {
			return a.outcome == notFound
		}
		s.fill(f.lo, f.hi, a.ids[0])
	default:
		panic("linear: unknown act " + a.kind)
	}
	return a.outcome == done
}

// shows reports whether fs are all the ranges that overlap [lo, hi).
func (s *state) shows(fs []found, lo, hi int) bool {
	for c := lo; c < hi; {
		f := s.next(c)
		if f.id == 0 || f.lo >= hi {
			break
		}
		if len(fs) == 0 || fs[0] != f {
			return false
		}
		fs, c = fs[1:], f.hi
	}
	return len(fs) == 0
}
