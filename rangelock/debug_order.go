//go:build spanlockdebug

package rangelock

import (
	"fmt"

	"github.com/spanlock/spanlock/internal/caller"
	"github.com/spanlock/spanlock/internal/lockorder"
)

// Goroutines that take guards on several ranges, or use several maps, in different orders can wait
// for each other. Two kinds of graphs record the orders: facts.orders for the ranges of a map, and
// holds.orders for the maps. holds.mu protects both. An edge counts only if the call at its end can
// wait for what the next edge holds, which depends on what has been seen of the map (facts).

// node is a map, or a range of a map.
type node struct {
	id uint64 // number of the map
	r  string // the range; empty for the map itself
}

func (n node) String() string {
	if n.r == "" {
		return fmt.Sprintf("map %d", n.id)
	}
	return fmt.Sprintf("%s of map %d", n.r, n.id)
}

// label says what was held of the node where an edge begins, and what was asked of the other.
type label struct {
	kind      kind
	exclusive bool // an exclusive guard was held
	what      intent
}

type (
	edge  = lockorder.Edge[node, label]
	graph = lockorder.Graph[node, label]
)

// addOrder records in g that the goroutine that holds c.h of the node from has made the call c for
// the node to. It returns the edge if it is new.
func addOrder(g *graph, from, to node, c call) *edge {
	e := g.Add(from, to, label{c.h.kind, c.h.exclusive, c.what})
	if e == nil {
		return nil
	}
	e.Held, e.Taken, e.Call, e.Asked = c.h.String(), c.h.taken, c.method, c.asked
	if from.r == "" {
		e.Held += " of " + from.String()
	}
	return e
}

// circleReport returns the report of a circle, or none if circle is nil.
func circleReport(what string, circle []*edge) []string {
	if circle == nil {
		return nil
	}
	return []string{fmt.Sprintf("rangelock: %s in orders that form a circle, so goroutines can wait for each other\n%s",
		what, lockorder.Describe(circle))}
}

// What is said of ranges and of maps in a report of a circle.
const (
	rangesTaken = "guards on ranges of one map are taken"
	mapsUsed    = "maps are used"
)

// orderOfRanges records that the goroutine that holds the guard c.h makes the call c for the range
// r of the same map. It returns a report if that closes a circle.
//
// Preconditions: the caller holds holds.mu; so for the rest of this file.
func (f *facts) orderOfRanges(c call, r string) []string {
	e := addOrder(&f.orders, node{c.h.id, c.h.r.String()}, node{c.h.id, r}, c)
	if e == nil {
		return nil
	}
	return circleReport(rangesTaken, f.orders.Circle(e, f.rangesFollow))
}

// orderOfMaps records that the goroutine that holds h makes a call of the map id, which is another
// map than that of h. It returns a report if that closes a circle.
func orderOfMaps(h *hold, id uint64, method string, what intent, asked caller.Stack) []string {
	e := addOrder(&holds.orders, node{id: h.id}, node{id: id}, call{h: h, method: method, what: what, asked: asked})
	if e == nil {
		return nil
	}
	return circleReport(mapsUsed, holds.orders.Circle(e, mapsFollow))
}

// newCircles returns reports for circles that were harmless until the map id got the facts f.
func (f *facts) newCircles(id uint64) []string {
	found := circleReport(rangesTaken, f.orders.NewCircle(func(*edge) bool { return true }, f.rangesFollow))
	ofMap := func(e *edge) bool { return e.To.id == id }
	return append(found, circleReport(mapsUsed, holds.orders.NewCircle(ofMap, mapsFollow))...)
}

// rangesFollow reports whether the call of a can wait for the guard of b on the same range.
func (f *facts) rangesFollow(a, b *edge) bool {
	return b.Label.exclusive || a.Label.what == toExclusive || f.exclusive != ""
}

// mapsFollow reports whether the call of a can wait for what b holds of the same map.
func mapsFollow(a, b *edge) bool {
	if b.Label.kind != aGuard {
		return true
	}
	f := factsOf(b.From.id)
	beside := b.Label.exclusive || f.exclusive != "" // others may wait in the queue for a guard beside b's
	switch what := a.Label.what; {
	case what == toExclude || what == toExclusive || what == toClose:
		return true
	case what.guards() && beside:
		return true
	}
	return f.any != "" || f.turn != "" && beside
}
