package spanlockprom

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// dashboard has the parts of dashboard.json that the tests read.
type dashboard struct {
	Title         string
	UID           string
	SchemaVersion int
	Templating    struct {
		List []struct {
			Name, Type, Definition string
			Datasource             struct{ UID string }
		}
	}
	Panels []panel
}

type panel struct {
	ID                       int
	Type, Title, Description string
	Datasource               struct{ Type, UID string }
	GridPos                  struct{ H, W, X, Y int }
	FieldConfig              struct{ Defaults struct{ Unit string } }
	Targets                  []struct{ Expr, LegendFormat, RefID string }
}

func readDashboard(t *testing.T) (d dashboard, text string) {
	t.Helper()
	b, err := os.ReadFile("dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	return d, string(b)
}

// TestDashboardNames: every metric that the dashboard names is collected, and every metric that is
// collected is on the dashboard.
//
// It kills 258_dashboard_left_behind.
func TestDashboardNames(t *testing.T) {
	r := prometheus.NewRegistry()
	r.MustRegister(full(t))
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	collected := map[string]bool{}
	for _, f := range families {
		collected[f.GetName()] = true
	}
	d, _ := readDashboard(t)
	shown := map[string]bool{}
	name := regexp.MustCompile(`spanlock_\w+`)
	for _, p := range d.Panels {
		for _, x := range p.Targets {
			for _, n := range name.FindAllString(x.Expr, -1) {
				shown[n] = true
				if counts := strings.HasSuffix(n, "_total"); counts != strings.Contains(x.Expr, "rate("+n) {
					t.Errorf("%s: %s: a counter is shown by its rate, and a gauge as it is", p.Title, x.Expr)
				}
			}
		}
	}
	for _, v := range d.Templating.List {
		for _, n := range name.FindAllString(v.Definition, -1) {
			if !collected[n] {
				t.Errorf("the variable %s asks for %s, which is not collected", v.Name, n)
			}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(shown)) {
		if !collected[n] {
			t.Errorf("%s is on the dashboard, but is not collected", n)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(collected)) {
		if !shown[n] {
			t.Errorf("%s is not on the dashboard", n)
		}
	}
}

// TestDashboardShape checks, as far as that is possible here, what Grafana requires of a dashboard:
// each panel has a number of its own, a place that overlaps no other, a unit, a text, and queries
// that the variables narrow.
func TestDashboardShape(t *testing.T) {
	d, _ := readDashboard(t)
	if d.Title == "" || d.UID == "" || d.SchemaVersion < 36 {
		t.Errorf("title %q, uid %q, schema %d", d.Title, d.UID, d.SchemaVersion)
	}
	variables := map[string]bool{}
	for i, v := range d.Templating.List {
		variables[v.Name] = true
		if i == 0 && v.Type != "datasource" || i > 0 && v.Datasource.UID != "${datasource}" {
			t.Errorf("variable %d, %s, is of type %s and asks %s", i, v.Name, v.Type, v.Datasource.UID)
		}
	}
	for _, v := range []string{"datasource", "map", "allocator", "sem"} {
		if !variables[v] {
			t.Errorf("no variable %s", v)
		}
	}
	label := regexp.MustCompile(`\{(\w+)=~"\$(\w+)"\}`)
	metric := regexp.MustCompile(`spanlock_\w+`)
	ids, taken := map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if ids[p.ID] {
			t.Errorf("%s: number %d is taken", p.Title, p.ID)
		}
		ids[p.ID] = true
		g := p.GridPos
		if g.W < 1 || g.H < 1 || g.X < 0 || g.X+g.W > 24 {
			t.Errorf("%s: at %v", p.Title, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other, ok := taken[[2]int{x, y}]; ok {
					t.Fatalf("%s lies over %s", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if p.Description == "" || p.FieldConfig.Defaults.Unit == "" || p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
			t.Errorf("%s: no text, unit, data source or query", p.Title)
		}
		for _, x := range p.Targets {
			found := label.FindAllStringSubmatch(x.Expr, -1)
			if len(found) != len(metric.FindAllString(x.Expr, -1)) || x.LegendFormat == "" || x.RefID == "" {
				t.Errorf("%s: a metric of %s is not narrowed by a variable, or the query has no name", p.Title, x.Expr)
			}
			for _, f := range found {
				if f[1] != f[2] || !variables[f[1]] {
					t.Errorf("%s: %s", p.Title, f[0])
				}
			}
		}
	}
}
