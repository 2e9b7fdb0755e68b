package epoch_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/spanlock/spanlock/epoch"
)

func TestAllocations(t *testing.T) {
	if checking {
		return // these builds allocate on purpose
	}
	var d epoch.Domain
	n := 0
	f := func() { n++ }
	check := func(what string, f func()) {
		t.Helper()
		f()
		if a := testing.AllocsPerRun(1000, f); a != 0 {
			t.Errorf("%s: %v allocations", what, a)
		}
	}
	check("Pin and Unpin", func() { g := d.Pin(); g.Unpin() })
	check("nested pins", func() { g := d.Pin(); h := d.Pin(); d.Advance(); h.Unpin(); g.Unpin() })
	check("Synchronize", func() { d.Synchronize(t.Context()) })
	check("Cookie and Done", func() { c := d.Cookie(); c.Done(); c.Done() })
	check("Retire", func() { d.Retire(f) })
	d.Barrier(t.Context())
	check("Retire that starts the goroutine", func() {
		d.Retire(f)
		for d.Stats().Pending > 0 {
			runtimeYield()
		}
	})
	check("Stats", func() { d.Stats() })
}

// compile returns what the compiler prints about this package with the flag. It compiles
// for amd64: on other processors an atomic operation may be a call.
func compile(t *testing.T, flag string) string {
	t.Helper()
	cmd := exec.Command("go", "build", "-gcflags="+flag, ".")
	cmd.Env = append(os.Environ(), "GOARCH=amd64")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return string(out)
}

// The fast paths call nothing: no function of this module and no atomic operation that
// the compiler failed to inline.
func TestFastPathsCallNothing(t *testing.T) {
	out := compile(t, "-S")
	allowed := map[string][]string{
		"(*Domain).Pin":    {"firstUse"},
		"(*Guard).Unpin":   {"unpinSlow"},
		"(*Domain).Cookie": {"firstUse"},
		"Cookie.Done":      {"doneSlow"},
	}
	function := regexp.MustCompile(`^\S*/epoch\.(\S+) STEXT`)
	call := regexp.MustCompile(`\tCALL\t(\S+)\(SB\)`)
	seen := map[string]bool{}
	var in string
	for line := range strings.Lines(out) {
		if m := function.FindStringSubmatch(line); m != nil {
			in = m[1]
			seen[in] = true
		} else if !strings.HasPrefix(line, "\t") {
			in = ""
		}
		m := call.FindStringSubmatch(line)
		if m == nil || allowed[in] == nil || strings.HasPrefix(m[1], "runtime.") {
			continue
		}
		name := m[1][strings.LastIndex(m[1], ".")+1:]
		ok := false
		for _, a := range allowed[in] {
			ok = ok || a == name
		}
		if !ok {
			t.Errorf("%s calls %s", in, m[1])
		}
	}
	for f := range allowed {
		if !seen[f] {
			t.Errorf("found no code of %s", f)
		}
	}
}

// The checks that come first are inlined into their callers.
func TestInlining(t *testing.T) {
	out := compile(t, "-m")
	for _, f := range []string{"Cookie.Done", "(*Domain).ready", "(*state).settle", "(*state).reached"} {
		if !strings.Contains(out, "can inline "+f+"\n") {
			t.Errorf("%s is not inlined any more", f)
		}
	}
}
