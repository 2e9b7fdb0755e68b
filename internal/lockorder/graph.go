// Package lockorder finds circles in the order in which goroutines take things, such as locks. A
// circle means that goroutines can wait for each other for ever, even if they never have so far.
//
// A goroutine that holds one node and asks for another adds an edge from the first to the second.
// What a node is, and which calls can wait for which, is up to the user of the package. Only debug
// builds use it.
package lockorder

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spanlock/spanlock/internal/caller"
)

// maxEdges is the largest number of edges in a graph. Programs may use new nodes without end.
const maxEdges = 4096

// Graph is a set of edges between nodes of type N. Two edges between the same nodes differ in
// their labels of type L. The zero Graph is empty and ready to use. A Graph is not safe for
// concurrent use.
type Graph[N, L comparable] struct {
	known map[key[N, L]]bool
	out   map[N][]*Edge[N, L] // by the node where they begin
}

// key is what is added once.
type key[N, L comparable] struct {
	from, to N
	label    L
}

// Edge records that a goroutine that held something of From has asked for To. The fields after
// Label are for reports. The caller of Add sets them.
type Edge[N, L comparable] struct {
	From, To N
	Label    L

	Held  string       // what it held
	Taken caller.Stack // where it took that
	Call  string       // the call by which it asked
	Asked caller.Stack // where it made that call

	reported bool // a circle with this edge has been returned
}

// Follows reports whether the call of a can wait for what b holds. It is asked only if a.To is
// b.From. A circle is a sequence of edges in which each follows the one before, and the first
// follows the last.
type Follows[N, L comparable] func(a, b *Edge[N, L]) bool

// Add adds an edge and returns it. It returns nil if the graph has the edge already, or is full.
func (g *Graph[N, L]) Add(from, to N, label L) *Edge[N, L] {
	k := key[N, L]{from, to, label}
	if g.known[k] || len(g.known) >= maxEdges {
		return nil
	}
	if g.known == nil {
		g.known = make(map[key[N, L]]bool)
		g.out = make(map[N][]*Edge[N, L])
	}
	g.known[k] = true
	e := &Edge[N, L]{From: from, To: to, Label: label}
	g.out[from] = append(g.out[from], e)
	return e
}

// Circle returns a circle that begins with e, or nil if there is none.
func (g *Graph[N, L]) Circle(e *Edge[N, L], follows Follows[N, L]) []*Edge[N, L] {
	seen := make(map[*Edge[N, L]]bool)
	var walk func(at *Edge[N, L]) []*Edge[N, L]
	walk = func(at *Edge[N, L]) []*Edge[N, L] {
		if at.To == e.From && follows(at, e) {
			return []*Edge[N, L]{at}
		}
		seen[at] = true
		for _, next := range g.out[at.To] {
			if !seen[next] && follows(at, next) {
				if rest := walk(next); rest != nil {
					return append([]*Edge[N, L]{at}, rest...)
				}
			}
		}
		return nil
	}
	circle := walk(e)
	for _, e := range circle {
		e.reported = true
	}
	return circle
}

// NewCircle returns a circle that begins with an edge for which match returns true and that is in
// no circle returned so far, or nil if there is none. It is for the time when more edges follow
// each other than before.
func (g *Graph[N, L]) NewCircle(match func(*Edge[N, L]) bool, follows Follows[N, L]) []*Edge[N, L] {
	for _, list := range g.out {
		for _, e := range list {
			if e.reported || !match(e) {
				continue
			}
			if circle := g.Circle(e, follows); circle != nil {
				return circle
			}
		}
	}
	return nil
}

// Forget removes the edges that begin or end at a node for which match returns true.
func (g *Graph[N, L]) Forget(match func(N) bool) {
	for k := range g.known {
		if match(k.from) || match(k.to) {
			delete(g.known, k)
			g.out[k.from] = slices.DeleteFunc(g.out[k.from], func(e *Edge[N, L]) bool {
				return e.To == k.to && e.Label == k.label
			})
			if len(g.out[k.from]) == 0 {
				delete(g.out, k.from)
			}
		}
	}
}

// Describe returns the edges of a circle as text: for each what was held, and what was asked for,
// with both stacks.
func Describe[N, L comparable](circle []*Edge[N, L]) string {
	var b strings.Builder
	for i, e := range circle {
		if i > 0 {
			b.WriteString("and before, ")
		}
		fmt.Fprintf(&b, "holding %s, taken at\n%s%s of %v was called at\n%s", e.Held, e.Taken, e.Call, e.To, e.Asked)
	}
	return b.String()
}
