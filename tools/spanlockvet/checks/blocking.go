package checks

import (
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// Blocking reports calls that wait while the goroutine holds a guard of the same map.
var Blocking = check("blocking", `report calls that wait for a map of which a guard is held

A goroutine that holds a guard and waits for the map's lock waits forever if the holder
of the lock waits for the guard. The check reports calls that may wait for the lock
(Acquire and similar methods, AcquireOrLoad, View, Get, GetRange, GetMany, Guards, Lock,
RLock, Do and the one-operation forms) and calls that may wait for the guard itself
(Close, Drain, Room, Remove and Exclude of the guard's own Range), if the same function
has acquired a guard of the same map and still holds it. The map is the same if it is
denoted by the same variable or fields.

TryAcquire, TryLock, All and Len never wait. The check does not report a call with a
context that the function has bounded (context.WithTimeout and similar functions, a
request's context or a test's), Acquire and Get while there may be a Reader, and calls
that wait for the lock of a map that this package makes and keeps to itself, if nothing
in the package waits for the guards on a map of such keys and values. It does not check
tests either: they wait on purpose, and hang if a wait does not end.`)

// waitsForLock are the methods of Map, and the functions, that may wait for the map's lock
// or for one range.
var waitsForLock = words(`Acquire AcquireContext AcquireExclusive AcquireExclusiveContext
	AcquireNext AcquireNextContext AcquirePrev AcquirePrevContext AcquireOrLoad View Get
	GetRange GetMany Guards GuardsContext Lock LockContext RLock RLockContext Insert Remove
	Retire Swap Put Evict Update Do Alloc AllocBest AllocAt AllocFunc AllocEvict AllocTop
	AllocIn Free`)

// waitsForWriter are those of them that do not wait while the goroutine has a Reader.
var waitsForWriter = words(`Acquire AcquireContext AcquireNext AcquireNextContext AcquirePrev
	AcquirePrevContext View Get GetRange GetMany Guards GuardsContext`)

// waitsForGuards are the operations in which the holder of the lock waits for guards.
var waitsForGuards = words(`Exclude Remove Update Replace Split Merge Resize Put Free
	AcquireExclusive AcquireExclusiveContext TryAcquireExclusive`)

// waitsForAll wait for guards on more than one range.
var waitsForAll = words(`Close Drain DrainRange Room`)

// waitsForOwn wait for the guards on the range that they are given.
var waitsForOwn = words(`Exclude Remove Replace DrainRange`)

func words(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// mayWait reports the call in if it may wait for a guard that its caller holds.
func (w *walk) mayWait(s *state, in *ssa.Call, a callee) {
	if len(s.holds) == 0 || w.pkg.inTest(in.Pos()) {
		return
	}
	if waitsForOwn[a.name] && w.ownRange(s, in) {
		w.report("blocking", in.Pos(), "%s of the range of a guard that is held waits for itself", a.name)
		return
	}
	if a.recv != "" && a.recv != "Map" && a.recv != "Allocator" {
		return
	}
	all := waitsForAll[a.name]
	if !all && (!waitsForLock[a.name] || s.read && waitsForWriter[a.name]) || bounded(in) {
		return
	}
	m, ok := w.receiver(in.Common(), a)
	if !ok {
		return
	}
	var first ssa.Value // of the guards of this map
	for h, st := range s.holds {
		if !st.released.IsValid() && st.known && st.from == m && (first == nil || h.from.Pos() < first.Pos()) {
			first = h.from
		}
	}
	switch {
	case first == nil:
	case all:
		w.report("blocking", in.Pos(), "%s may wait for the guard that its own caller has held since line %d", a.name, w.pkg.line(first.Pos()))
	case !w.calm(in):
		w.report("blocking", in.Pos(), "%s may wait for a writer that waits for the guard held since line %d; release it first, or use a Try form or a context that ends", a.name, w.pkg.line(first.Pos()))
	}
}

// ownRange reports whether an argument of in is the Range of a guard that is held.
func (w *walk) ownRange(s *state, in *ssa.Call) bool {
	for _, arg := range in.Call.Args {
		c, ok := arg.(*ssa.Call)
		if !ok {
			continue
		}
		if a, ok := calleeOf(c.Common()); !ok || !a.of("Guard") || a.name != "Range" {
			continue
		}
		h, ok := s.in[c.Call.Args[0]]
		if st, held := s.holds[h]; ok && held && !st.released.IsValid() {
			return true
		}
	}
	return false
}

// bounded reports whether the call has a context that ends, as far as the function shows.
func bounded(in *ssa.Call) bool {
	for _, arg := range in.Call.Args {
		if n, ok := types.Unalias(arg.Type()).(*types.Named); ok && n.Obj().Name() == "Context" &&
			n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "context" && ends(arg) {
			return true
		}
	}
	return false
}

// ends reports whether ctx is a context that ends.
func ends(ctx ssa.Value) bool {
	if x, ok := ctx.(*ssa.Extract); ok {
		ctx = x.Tuple
	}
	c, ok := ctx.(*ssa.Call)
	if !ok {
		return false
	}
	a, ok := calleeOf(c.Common())
	switch {
	case !ok:
		return false
	case a.is("context", "WithValue"):
		return ends(c.Call.Args[0])
	case a.pkg != nil && a.pkg.Path() == "context":
		return !strings.HasPrefix(a.name, "Without") && strings.HasPrefix(a.name, "With")
	}
	return a.pkg != nil
}
