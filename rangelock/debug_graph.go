//go:build spanlockdebug

package rangelock

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spanlock/spanlock/internal/caller"
)

// maxOrders bounds the edges of a graph: ranges may be many, and new for ever.
const maxOrders = 4096

// graph is in which order maps, or the ranges of one map, were used. holds.mu protects
// it.
type graph struct {
	known map[edgeKey]bool
	out   map[node][]*edge
}

// node is a map, or a range of one.
type node struct {
	id uint64
	r  string // empty for the map
}

func (n node) String() string {
	if n.r == "" {
		return fmt.Sprintf("map %d", n.id)
	}
	return fmt.Sprintf("%s of map %d", n.r, n.id)
}

// edgeKey is what is noted once.
type edgeKey struct {
	from, to node
	kind     kind   // what was held of from
	alone    bool   // and whether it was an exclusive guard
	what     intent // and what to was asked for
}

// edge says that a goroutine that held something asked for something else.
type edge struct {
	edgeKey
	held         string
	taken, asked caller.Stack
	method       string
	told         bool // a circle with it was reported
}

// add notes that the goroutine that holds h has asked for to, and returns the edge if it
// is a new one.
func (g *graph) add(from, to node, h *hold, method string, what intent, asked caller.Stack) *edge {
	k := edgeKey{from, to, h.kind, h.exclusive, what}
	if g.known[k] || len(g.known) >= maxOrders {
		return nil
	}
	if g.known == nil {
		g.known = make(map[edgeKey]bool)
		g.out = make(map[node][]*edge)
	}
	g.known[k] = true
	e := &edge{edgeKey: k, held: h.String(), taken: h.taken, asked: asked, method: method}
	g.out[from] = append(g.out[from], e)
	return e
}

// circle returns the edges from e round to e again, or nil. Two edges follow each other
// if who asks as the first says can wait for who holds as the second says.
func (g *graph) circle(e *edge, follows func(a, b *edge) bool) []*edge {
	seen := make(map[*edge]bool)
	var walk func(at *edge) []*edge
	walk = func(at *edge) []*edge {
		if at.to == e.from && follows(at, e) {
			return []*edge{at}
		}
		seen[at] = true
		for _, next := range g.out[at.to] {
			if !seen[next] && follows(at, next) {
				if rest := walk(next); rest != nil {
					return append([]*edge{at}, rest...)
				}
			}
		}
		return nil
	}
	return walk(e)
}

// tell returns the report of a circle through e, or the empty string if there is none.
func (g *graph) tell(e *edge, title string, follows func(a, b *edge) bool) string {
	circle := g.circle(e, follows)
	if circle == nil {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "rangelock: %s in an order that goes in a circle, so goroutines can wait for each other\n", title)
	for i, e := range circle {
		if e.told = true; i > 0 {
			b.WriteString("and before, ")
		}
		of := ""
		if e.from.r == "" {
			of = fmt.Sprintf(" of %v", e.from)
		}
		fmt.Fprintf(&b, "holding %s%s, taken at\n%s%s of %v was called at\n%s", e.held, of, e.taken, e.method, e.to, e.asked)
	}
	return b.String()
}

// again looks at all edges that match, since more of them can follow each other now, and
// returns a report for the first circle that was not reported yet.
func (g *graph) again(match func(e *edge) bool, title string, follows func(a, b *edge) bool) string {
	for _, list := range g.out {
		for _, e := range list {
			if e.told || !match(e) {
				continue
			}
			if text := g.tell(e, title, follows); text != "" {
				return text
			}
		}
	}
	return ""
}

// forget drops what is known about a map.
func (g *graph) forget(id uint64) {
	for k := range g.known {
		if k.from.id == id || k.to.id == id {
			delete(g.known, k)
			g.out[k.from] = slices.DeleteFunc(g.out[k.from], func(e *edge) bool { return e.edgeKey == k })
			if len(g.out[k.from]) == 0 {
				delete(g.out, k.from)
			}
		}
	}
}
