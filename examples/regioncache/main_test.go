package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

func TestRun(t *testing.T) {
	for _, args := range []string{"", "-every 1 -regions 3", "-words 2 -regions 50 -every 5", "-readers 1 -every 10"} {
		var out bytes.Buffer
		// The identifiers of this module are enough.
		all := append(strings.Fields("-dir ../.. -words 500 -regions 40 -duration 150ms"), strings.Fields(args)...)
		if err := run(t.Context(), all, &out); err != nil {
			t.Fatalf("%s: %v\n%s", args, err, &out)
		}
		words := strings.Join(strings.Fields(out.String()), " ")
		for _, want := range []string{"wrong routes 0 false gaps 0 Every"} {
			if !strings.Contains(words, want) {
				t.Errorf("%s: the report lacks %q:\n%s", args, want, &out)
			}
		}
	}
}

// TestRunWorks checks that everything happens in a run, given enough time: the scheduler decides
// how soon the readers run.
func TestRunWorks(t *testing.T) {
	missing := "a run"
	for d := 150 * time.Millisecond; missing != "" && d < 20*time.Second; d *= 4 {
		var out bytes.Buffer
		args := strings.Fields("-dir ../.. -words 500 -regions 40 -duration " + d.String())
		if err := run(t.Context(), args, &out); err != nil {
			t.Fatalf("%v\n%s", err, &out)
		}
		words := strings.Join(strings.Fields(out.String()), " ")
		missing = ""
		for _, never := range []string{"lookups 0 ", "splits 0 ", "stale routes 0 ", "reloads 1 ", "loads 0 "} {
			if strings.Contains(words, never) {
				missing = never + "\n" + out.String()
			}
		}
	}
	if missing != "" {
		t.Errorf("nothing has happened: %s", missing)
	}
}

// TestAuthority checks that the regions cover all keys after every change of the servers, and
// that an outdated route is refused.
func TestAuthority(t *testing.T) {
	a := newAuthority()
	rng := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("a b c d e f g h i j k l m n o p")
	for range 2000 {
		word := words[rng.IntN(len(words))]
		old := a.lookup(word)
		a.change(rng, words, 5)
		now, _ := a.cover(rangelock.From(""))
		end := ""
		for i, r := range now {
			if r.span.Lo != end || r.span.Unbounded != (i == len(now)-1) || r.died.Load() != 0 {
				t.Fatalf("region %d of %d is %v, after %q", i, len(now), r.span, end)
			}
			end = r.span.Hi
		}
		var want error
		if r := a.lookup(word); r.region != old.region {
			want = errStale
			if d := old.died.Load(); d != a.clock.Load() {
				t.Fatalf("died at %d, now is %d", d, a.clock.Load())
			}
		} else if r != old {
			want = errNotLeader
		}
		if err := a.serve(old, word); err != want {
			t.Fatalf("a request by %+v: %v, want %v", old, err, want)
		}
	}
	if a.splits == 0 || a.merges == 0 || a.transfers == 0 || len(a.regions) < 2 {
		t.Errorf("%d splits, %d merges, %d moves", a.splits, a.merges, a.transfers)
	}
}

// TestReload checks that old regions that stick out of the changed part are replaced as a whole,
// and that newer ones stay.
func TestReload(t *testing.T) {
	a := newAuthority()
	a.replace(0, 1, rangelock.Span("", "g"), rangelock.Span("g", "p"), rangelock.From("p"))
	c, err := newClient(t.Context(), a, "")
	if err != nil {
		t.Fatal(err)
	}
	a.replace(0, 2, rangelock.Span("", "c"), rangelock.Span("c", "p"))
	kept := func() string {
		var all []string
		for g := range c.m.Guards(rangelock.From("")) {
			all = append(all, g.Range().String())
		}
		return strings.Join(all, " ")
	}
	if err := c.get(t.Context(), "d"); err != nil { // was in [, g), is in [c, p)
		t.Fatal(err)
	}
	if got := kept(); got != `["", "c") ["c", "p") ["p", ∞)` {
		t.Errorf("kept are %s", got)
	}
	s := rangelock.From("")
	old := []route{{region: &region{span: s}}}
	if done, err := c.install(t.Context(), &s, old, a.clock.Load()-1); !done || err != nil || kept() != `["", "c") ["c", "p") ["p", ∞)` {
		t.Errorf("an old answer replaces newer regions: %v, %v, %s", done, err, kept())
	}
	if err := c.evict(t.Context(), "d"); err != nil || c.evicted.Load() != 1 {
		t.Fatal(err)
	}
	if err := c.get(t.Context(), "e"); err != nil || c.loads.Load() != 1 || c.falseGaps.Load() != 0 {
		t.Errorf("%v, %d loads", err, c.loads.Load())
	}
	c.pivot = "z" // no region may be evicted below z, and here is a gap
	if n, err := c.m.Retire(t.Context(), rangelock.Span("c", "p")); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if err := c.get(t.Context(), "e"); err != nil || c.falseGaps.Load() != 1 {
		t.Errorf("%v, %d false gaps", err, c.falseGaps.Load())
	}
}

func TestErrors(t *testing.T) {
	for args, want := range map[string]string{
		"-duration 0s":           "-duration is 0s",
		"-every 0":               "-every 0",
		"-words 1":               "-words 1",
		"x":                      "unexpected argument",
		"-dir . -words 10000000": "identifiers, not 10000000",
		"-dir /no/such":          "cannot read the directory",
	} {
		if err := run(t.Context(), strings.Fields(args), new(bytes.Buffer)); err == nil || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%s: error is %v, want one with %q", args, err, want)
		}
	}
	if got := []span{join(rangelock.Span("b", "d"), rangelock.Span("a", "c")), join(rangelock.Span("b", "d"), rangelock.From("c"))}; !slices.Equal(got, []span{rangelock.Span("a", "d"), rangelock.From("b")}) {
		t.Errorf("joined to %v", got)
	}
}
