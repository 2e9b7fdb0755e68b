package inspect_test

import (
	"strings"
	"testing"

	"github.com/spanlock/spanlock/inspect"
	"github.com/spanlock/spanlock/rangealloc"
	"github.com/spanlock/spanlock/rangelock"
)

// TestNilMap checks that a map that is none is refused at the call, in every disguise.
func TestNilMap(t *testing.T) {
	var m *rangelock.Map[int, string]
	good := rangelock.New[int, string](nil)
	for name, f := range map[string]func(){
		"Handler(nil)":           func() { inspect.Handler(nil) },
		"Handler of a nil *Map":  func() { inspect.Handler(good, m) },
		"Handler of a zero Map":  func() { inspect.Handler(rangealloc.Map[int, string]{}) },
		"Handler of a nil *Map2": func() { inspect.Handler((*rangealloc.Map[int, string])(nil)) },
		"Named of nil":           func() { inspect.Named[int, string]("n", nil, nil) },
		"Named of a nil *Map":    func() { inspect.Named("n", m, nil) },
		"Named of a zero Map":    func() { inspect.Named("n", rangealloc.Map[int, string]{}, nil) },
		"Handler of a nil Named": func() { inspect.Handler(good, inspect.Map(nil)) },
	} {
		func() {
			defer func() {
				if s, _ := recover().(string); !strings.HasPrefix(s, "inspect: ") || !strings.Contains(s, "nil map") {
					t.Errorf("%s panics with %q", name, s)
				}
			}()
			f()
		}()
	}
	inspect.Handler(good, inspect.Named("n", rangealloc.New[int, string](rangelock.Span(0, 9), nil).Map(), nil))
}
