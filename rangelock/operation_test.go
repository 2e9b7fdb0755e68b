package rangelock_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spanlock/spanlock/rangelock"
)

// userCode names what calls the user's functions, which are in fields of the map and of its
// options, and what waits. Trace hooks do not count: they must not panic, and are called after
// the fact.
var userCode = []string{"compare", "valid", "Cost", "SplitValue", "MergeValue", "LoadRange", "awaitSlow",
	// A test of internal/rangetree checks that the tree's changes do not compare.
	"tree.Find", "tree.FindBatch", "tree.Look", "tree.Covers", "tree.Place", "tree.Collect", "tree.Supplant",
	"tree.Seek", "tree.SeekFrom", "tree.SeekLeaf", "tree.SeekOverlap", "tree.Rest", "tree.Settled", "tree.PlanOverlay"}

// TestPlanThenApply reads the source and holds the shape of operations: after publishing or keep,
// no method of Map calls anything that compares, waits, or calls the user's code, directly or
// through other functions. And a Writer's method that excludes ranges defers done.
func TestPlanThenApply(t *testing.T) {
	calls := map[string]map[string]bool{} // by function: what it calls or mentions
	behind := map[string][]string{}       // by function: what it calls after the end of its plan
	for _, f := range functions(t) {
		name := f.Name.Name
		if f.Recv == nil {
			name = "func " + name
		}
		if calls[name] == nil {
			calls[name] = map[string]bool{}
		}
		var end token.Pos
		defers := false
		ast.Inspect(f.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.DeferStmt:
				defers = defers || ofMap(n.Call.Fun) == "done"
			case ast.Expr:
				called := ofMap(n)
				if called == "" {
					return true
				}
				calls[name][called] = true
				if called == "publishing" || called == "keep" {
					end = n.End()
				} else if end != 0 {
					behind[name] = append(behind[name], called)
				}
			}
			return true
		})
		if (calls[name]["shut"] || calls[name]["exclude"]) && ast.IsExported(name) && !defers {
			t.Errorf("%s excludes and does not defer done", name)
		}
	}
	if len(behind) < 8 {
		t.Fatalf("only %d functions end a plan: is this the right source?", len(behind))
	}
	tainted := map[string]bool{}
	for _, name := range userCode {
		tainted[name] = true
	}
	for again := true; again; {
		again = false
		for f, called := range calls {
			for c := range called {
				if tainted[c] && !tainted[f] {
					tainted[f], again = true, true
				}
			}
		}
	}
	for f, list := range behind {
		for _, c := range list {
			if tainted[c] {
				t.Errorf("%s is already applying when it calls %s, which may compare, wait or call the user", f, c)
			}
		}
	}
}

// functions returns the package's functions and its methods of Map and Writer.
func functions(t *testing.T) (all []*ast.FuncDecl) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := file.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil && (f.Recv == nil || receiver(f) == "Map" || receiver(f) == "Writer") {
				all = append(all, f)
			}
		}
	}
	return all
}

// receiver returns the name of the type that f is a method of.
func receiver(f *ast.FuncDecl) string {
	x := f.Recv.List[0].Type
	if p, ok := x.(*ast.StarExpr); ok {
		x = p.X
	}
	if i, ok := x.(*ast.IndexListExpr); ok {
		x = i.X
	}
	if id, ok := x.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

// ofMap returns what x names of a map or a transaction, as m.name, m.options.name or w.name, or
// the function that x calls, as "func name".
func ofMap(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.SelectorExpr:
		switch of := x.X.(type) {
		case *ast.Ident:
			if of.Name == "m" || of.Name == "w" {
				return x.Sel.Name
			}
		case *ast.SelectorExpr:
			switch of.Sel.Name {
			case "options":
				return x.Sel.Name
			case "tree":
				return "tree." + x.Sel.Name
			}
		}
	case *ast.CallExpr:
		if id, ok := x.Fun.(*ast.Ident); ok {
			return "func " + id.Name
		}
	}
	return ""
}

// TestFailedOperationReadmits checks that an operation that fails, for whatever reason, lets
// readers into the ranges again that it has excluded, and into no other.
func TestFailedOperationReadmits(t *testing.T) {
	cost := int64(1)
	split := func(intRange, int, string) (string, string, error) { panic("split") }
	m := rangelock.New(&rangelock.Options[int, string]{
		OnRetire:   func(intRange, string) {},
		Cost:       func(intRange, string) int64 { return cost },
		SplitValue: func(r intRange, at int, v string) (string, string, error) { return split(r, at, v) },
		MergeValue: func(l, _ intRange, _, _ string) (string, bool) {
			if l.Lo == 0 {
				return "", false
			}
			panic("merge")
		},
		MaxPending: 10,
	})
	fillTens(m, "a", "b", "c", "d", "e")
	guard := hold(t, m, 45)
	for name, fail := range map[string]func(w intWriter) error{
		"Merge refused":      func(w intWriter) error { return w.Merge(10) },
		"Merge panics":       func(w intWriter) error { return w.Merge(20) },
		"Split panics":       func(w intWriter) error { return w.Split(5) },
		"Update, Cost":       func(w intWriter) error { cost = -1; return w.Update(5, "x") },
		"Remove, backlog":    func(w intWriter) error { cost = 11; _, err := w.Remove(rg(0, 30)); return err },
		"Remove, cut":        func(w intWriter) error { _, err := w.Remove(rg(0, 25)); return err },
		"Replace, backlog":   func(w intWriter) error { cost = 11; return w.Replace(rg(0, 30), "x") },
		"Resize over":        func(w intWriter) error { return w.Resize(5, rg(0, 15)) },
		"Remove, context":    func(w intWriter) error { _, err := w.Remove(rg(0, 50)); return err },
		"Exclude, context":   func(w intWriter) error { return w.Exclude(rg(0, 50)) },
		"Replace, context":   func(w intWriter) error { return w.Replace(rg(0, 50), "x") },
		"Merge, context":     func(w intWriter) error { return w.Merge(40) },
		"Split, context":     func(w intWriter) error { return w.Split(45) },
		"Resize, context":    func(w intWriter) error { return w.Resize(45, rg(42, 48)) },
		"Resize away":        func(w intWriter) error { return w.Resize(45, rg(142, 148)) },
		"Update, context":    func(w intWriter) error { return w.Update(45, "x") },
		"TryExclude refused": func(w intWriter) error { return tried(w.TryExclude(rg(0, 50))) },
	} {
		cost = 1
		ctx, cancel := context.WithCancel(bg)
		w, err := m.LockContext(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Exclude(rg(30, 40)); err != nil {
			t.Fatal(err)
		}
		cancel()
		func() {
			defer func() { recover() }()
			if err := fail(w); err == nil {
				t.Errorf("%s does not fail", name)
			}
		}()
		for key := 5; key < 50; key += 10 {
			g, err := m.TryAcquire(key)
			if excluded := key == 35; excluded != (err == rangelock.ErrBusy) {
				t.Errorf("%s: then TryAcquire(%d): %v", name, key, err)
			}
			if err == nil {
				g.Release()
			}
		}
		w.Unlock()
	}
	guard.Release()
	cost = 1
	wantContents(t, m, "[0, 10)=a [10, 20)=b [20, 30)=c [30, 40)=d [40, 50)=e")
	usable(t, m)
}

// tried is an error if ok is false.
func tried(ok bool) error {
	if ok {
		return nil
	}
	return rangelock.ErrBusy
}

// TestResizeMoves moves each range of a tree to each gap that it fits in, with full leaves and
// with half-empty ones.
func TestResizeMoves(t *testing.T) {
	for _, full := range []bool{false, true} {
		n := 3*rangelock.LeafCap + 1
		rec := &recorder{}
		m := rangelock.New(&rangelock.Options[int, string]{OnRetire: func(_ intRange, v string) { rec.add(v) }})
		fill := func(w intWriter) {
			var order []int
			for i := range n {
				order = append(order, i)
			}
			if !full {
				rand.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
			}
			for _, i := range order {
				if err := w.Insert(rg(10*i, 10*i+4), fmt.Sprint(i)); err != nil {
					t.Fatal(err)
				}
			}
		}
		w := m.Lock()
		fill(w)
		w.Unlock()
		for from := range n {
			for to := -1; to < n; to++ {
				if testing.Short() && (from+to)%3 != 0 {
					continue
				}
				w := m.Lock()
				there := rg(10*to+5, 10*to+9)
				if err := w.Resize(10*from, there); err != nil {
					t.Fatalf("%d behind %d: %v", from, to, err)
				}
				if err := m.Verify(); err != nil {
					t.Fatalf("%d behind %d: %v", from, to, err)
				}
				var want []string
				for i := -1; i < n; i++ {
					if i >= 0 && i != from {
						want = append(want, fmt.Sprintf("%v=%d", rg(10*i, 10*i+4), i))
					}
					if i == to {
						want = append(want, fmt.Sprintf("%v=%d", there, from))
					}
				}
				if got := text(w.Overlapping(rangelock.From(-1 << 30))); got != strings.Join(want, " ") {
					t.Fatalf("%d behind %d: %s, want %s", from, to, got, strings.Join(want, " "))
				}
				if err := w.Resize(there.Lo, rg(10*from, 10*from+4)); err != nil {
					t.Fatal(err)
				}
				w.Unlock()
			}
		}
		usable(t, m)
		if rec.String() != "" {
			t.Errorf("retired are %q", rec)
		}
	}
}

// TestRandomPanics runs random operations in which a comparison, a Cost, a SplitValue or a
// MergeValue panics at a random call. The map must be as it was, no range may stay excluded, and
// no value may be retired twice.
func TestRandomPanics(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 1))
	rounds := 60
	if testing.Short() {
		rounds = 15
	}
	for round := range rounds {
		f := &fuse{left: -1}
		rec := &recorder{}
		o := &rangelock.Options[int, string]{
			OnRetire: func(_ intRange, v string) { rec.add(v) },
			Cost:     func(intRange, string) int64 { f.compare(0, 0); return 1 },
			SplitValue: func(_ intRange, _ int, v string) (string, string, error) {
				f.compare(0, 0)
				return v + "l", v + "r", nil
			},
			MergeValue: func(_, _ intRange, l, r string) (string, bool) {
				return l + "+" + r, f.compare(rng.IntN(2), 0) == 0
			},
		}
		if round%2 == 1 { // without SplitValue, Put is one operation
			o.OnRetire, o.SplitValue = nil, nil
		}
		m := rangelock.NewFunc(f.compare, o)
		id := 0
		w := m.Lock()
		for i := range 40 {
			if rng.IntN(4) > 0 {
				if err := w.Insert(rg(10*i, 10*i+5+5*rng.IntN(2)), fmt.Sprint(id)); err != nil {
					t.Fatal(err)
				}
				id++
			}
		}
		w.Unlock()
		for range 60 {
			before := text(m.All())
			m.Drain(bg)
			retired := rec.String()
			a := rng.IntN(400)
			b := a + 1 + rng.IntN(60)
			whole := rg(a/10*10, b/10*10+10)
			id++
			v := fmt.Sprint(id)
			ops := []struct {
				name string
				do   func(w intWriter) error
			}{
				{"Insert", func(w intWriter) error { return w.Insert(rg(a, b), v) }},
				{"Remove", func(w intWriter) error { _, err := w.Remove(whole); return err }},
				{"Retire", func(w intWriter) error { _, err := w.Retire(whole); return err }},
				{"Swap", func(w intWriter) error { return w.Swap(whole, v) }},
				{"Replace", func(w intWriter) error { return w.Replace(rg(whole.Lo-3, whole.Hi-2), v) }},
				{"Split", func(w intWriter) error { return w.Split(a) }},
				{"Merge", func(w intWriter) error { return w.Merge(a / 5 * 5) }},
				{"Resize", func(w intWriter) error {
					return w.Resize(a, rg(a/10*10-rng.IntN(8), a/10*10+1+rng.IntN(15)))
				}},
				{"Resize away", func(w intWriter) error { return w.Resize(a, rg(b, b+1+rng.IntN(5))) }},
				{"Update", func(w intWriter) error { return w.Update(a, v) }},
				{"Exclude", func(w intWriter) error { return w.Exclude(rg(a, b)) }},
				{"Put", func(w intWriter) error { return w.Put(rg(a, b), v) }},
				{"Evict", func(w intWriter) error { _, err := w.Evict(rg(a, b)); return err }},
				{"Extract", func(w intWriter) error { _, _, err := w.Extract(a); return err }},
				{"Clear", func(w intWriter) error {
					if rng.IntN(10) > 0 {
						return nil
					}
					_, err := w.Clear()
					return err
				}},
			}
			op := ops[rng.IntN(len(ops))]
			panicked := true
			func() {
				w := m.Lock()
				defer w.Unlock()
				defer func() {
					f.left = -1
					recover()
				}()
				f.left = rng.IntN(60)
				op.do(w)
				panicked = false
			}()
			if err := m.Verify(); err != nil {
				t.Fatalf("seed %d round %d: %s(%d, %d), panicked %v: %v", seed, round, op.name, a, b, panicked, err)
			}
			if !panicked {
				continue
			}
			m.Drain(bg)
			if op.name == "Put" && o.SplitValue != nil {
				continue // what it has cut stays cut; TestPutSplitFails looks at that
			}
			if now := text(m.All()); now != before || rec.String() != retired {
				t.Fatalf("seed %d round %d: %s(%d, %d) panicked and made of\n%s\n%s\nretired before %q and then %q",
					seed, round, op.name, a, b, before, now, retired, rec)
			}
			usable(t, m)
		}
		usable(t, m)
		m.Close(bg)
		list := slices.Clone(rec.list)
		slices.Sort(list)
		if n := len(list); n != len(slices.Compact(list)) {
			t.Fatalf("seed %d: something is retired twice: %q", seed, rec)
		}
	}
}
