package rangealloc_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/spanlock/spanlock/rangealloc"
)

// ofTests are the methods that export_test.go adds.
var ofTests = []string{"CheckGaps", "Expected", "GapRanges", "Smuggle"}

// TestZeroPanics: every exported method of a zero value panics at the call with a sentence. The
// methods come from the types by reflection, so that a new method cannot be forgotten.
func TestZeroPanics(t *testing.T) {
	for name, zero := range map[string]any{
		"Allocator": new(rangealloc.Allocator[int, string]),
		"Map":       rangealloc.Map[int, string]{},
	} {
		v := reflect.ValueOf(zero)
		for i := range v.NumMethod() {
			method := v.Type().Method(i).Name
			if slices.Contains(ofTests, method) {
				continue
			}
			var args []reflect.Value
			for p := range v.Method(i).Type().NumIn() {
				in := v.Method(i).Type().In(p)
				if in == reflect.TypeFor[context.Context]() {
					args = append(args, reflect.ValueOf(ctx))
				} else {
					args = append(args, reflect.Zero(in))
				}
			}
			want := fmt.Sprintf("rangealloc: %s of the zero %s", method, name)
			if s, _ := panicOf(func() { v.Method(i).Call(args) }).(string); !strings.HasPrefix(s, want) {
				t.Errorf("%s.%s: panic with %q, want %q", name, method, s, want)
			}
		}
	}
}
