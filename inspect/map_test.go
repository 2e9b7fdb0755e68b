package inspect_test

import (
	"strings"
	"testing"

	"github.com/spanlock/spanlock/inspect"
	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

// TestNilMap checks that Named panics for every kind of nil or unmade map.
func TestNilMap(t *testing.T) {
	var m *rangelock.Map[int, string]
	good := rangelock.New[int, string](nil)
	for name, f := range map[string]func(){
		"Named of nil":          func() { inspect.Named[int, string]("n", nil, nil) },
		"Named of a nil *Map":   func() { inspect.Named("n", m, nil) },
		"Named of a zero Map":   func() { inspect.Named("n", rangealloc.Map[int, string]{}, nil) },
		"Named of a nil *Map2":  func() { inspect.Named("n", (*rangealloc.Map[int, string])(nil), nil) },
		"Named of a new Map":    func() { inspect.Named("n", new(rangelock.Map[int, string]), nil) },
		"Handler of a zero Map": func() { inspect.Handler(show(good), inspect.Map{}) },
	} {
		func() {
			defer func() {
				if s, _ := recover().(string); !strings.HasPrefix(s, "inspect: ") || !strings.Contains(s, "a nil map") && !strings.Contains(s, "the zero Map") {
					t.Errorf("%s panics with %q", name, s)
				}
			}()
			f()
		}()
	}
	inspect.Handler(show(good), inspect.Named("n", rangealloc.New[int, string](rangelock.Span(0, 9), nil).Map(), nil))
}
