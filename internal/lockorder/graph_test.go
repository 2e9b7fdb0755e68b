package lockorder_test

import (
	"strings"
	"testing"

	"github.com/spanlock/spanlock/internal/caller"
	"github.com/spanlock/spanlock/internal/lockorder"
)

type (
	graph = lockorder.Graph[string, int]
	edge  = lockorder.Edge[string, int]
)

func always(a, b *edge) bool { return true }

func every(*edge) bool { return true }

// names returns the nodes of a circle in order.
func names(circle []*edge) string {
	var b strings.Builder
	for _, e := range circle {
		b.WriteString(e.From)
	}
	return b.String()
}

// add adds an edge that must be new.
func add(t *testing.T, g *graph, from, to string, label int) *edge {
	t.Helper()
	e := g.Add(from, to, label)
	if e == nil || e.From != from || e.To != to || e.Label != label {
		t.Fatalf("Add(%s, %s, %d) = %+v, want a new edge", from, to, label, e)
	}
	return e
}

// TestCircle: a circle is found when its last edge is added, and begins with it. An edge is
// added once for each label.
func TestCircle(t *testing.T) {
	var g graph
	for _, e := range []string{"ab", "bc", "bd", "dc"} {
		if c := g.Circle(add(t, &g, e[:1], e[1:], 0), always); c != nil {
			t.Errorf("%s closes the circle %s", e, names(c))
		}
	}
	if g.Add("a", "b", 0) != nil {
		t.Error("the same edge is new again")
	}
	if c := g.Circle(add(t, &g, "a", "b", 1), always); c != nil {
		t.Errorf("a second edge from a to b closes the circle %s", names(c))
	}
	if got := names(g.Circle(add(t, &g, "c", "a", 0), always)); got != "cab" {
		t.Errorf("the circle of c, a is %q, want cab", got)
	}
	if got := names(g.Circle(add(t, &g, "e", "e", 0), always)); got != "e" {
		t.Errorf("the circle of e, e is %q, want e", got)
	}
}

// TestFollows: edges that do not follow each other make no circle. When they do later, NewCircle
// returns it, once.
func TestFollows(t *testing.T) {
	var g graph
	labelled := func(a, b *edge) bool { return b.Label > 0 }
	add(t, &g, "a", "b", 1)
	if c := g.Circle(add(t, &g, "b", "a", 0), labelled); c != nil {
		t.Errorf("the circle %s goes over an edge that does not follow", names(c))
	}
	if c := g.NewCircle(every, labelled); c != nil {
		t.Errorf("NewCircle finds %s, want none", names(c))
	}
	if c := g.NewCircle(func(e *edge) bool { return e.From == "c" }, always); c != nil {
		t.Errorf("NewCircle finds %s, which does not match", names(c))
	}
	if got := names(g.NewCircle(every, always)); got != "ab" && got != "ba" {
		t.Errorf("NewCircle finds %q, want ab or ba", got)
	}
	if c := g.NewCircle(every, always); c != nil {
		t.Errorf("NewCircle finds %s again", names(c))
	}
}

// TestForget: the edges of a forgotten node are gone, and can be added again.
func TestForget(t *testing.T) {
	var g graph
	add(t, &g, "a", "b", 0)
	add(t, &g, "b", "c", 0)
	add(t, &g, "c", "d", 0)
	g.Forget(func(n string) bool { return n == "b" })
	if c := g.Circle(add(t, &g, "d", "a", 0), always); c != nil {
		t.Errorf("the circle %s goes through a node that was forgotten", names(c))
	}
	add(t, &g, "b", "c", 0)
	if got := names(g.Circle(add(t, &g, "a", "b", 0), always)); got != "abcd" {
		t.Errorf("the circle is %q, want abcd", got)
	}
}

// TestBounded: a full graph does not grow, and still knows the edges that it has.
func TestBounded(t *testing.T) {
	var g graph
	n := 0
	for g.Add("a", "b", n) != nil {
		if n++; n > 1<<20 {
			t.Fatal("the graph has no bound")
		}
	}
	if g.Add("b", "a", 0) != nil || g.Add("a", "b", 0) != nil {
		t.Error("a full graph takes an edge")
	}
	g.Forget(func(n string) bool { return n == "a" })
	add(t, &g, "b", "a", 0)
}

// TestDescribe checks the text of a circle.
func TestDescribe(t *testing.T) {
	var g graph
	for _, e := range []*edge{add(t, &g, "map 1", "map 2", 0), add(t, &g, "map 2", "map 1", 0)} {
		e.Held, e.Call = "a lock of "+e.From, "Lock"
		e.Taken, e.Asked = caller.Here(0), caller.Here(0)
	}
	text := lockorder.Describe(g.NewCircle(every, always))
	for _, words := range []string{"holding a lock of map 1, taken at\n", "Lock of map 2 was called at\n", "and before, holding", "TestDescribe"} {
		if !strings.Contains(text, words) {
			t.Errorf("no %q in\n%s", words, text)
		}
	}
}
