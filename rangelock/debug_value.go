//go:build spanlockdebug

package rangelock

import (
	"fmt"
	"strings"
)

// aValue is what a call without a guard takes, in the list of what was reported.
const aValue kind = "a value"

// handsOut reports that method gives its caller a value without a guard, in a map in which
// OnRetire may have freed it by then: once for each place of the program and each map.
//
// Package rangealloc is left out: each of its maps has an OnRetire, which gives back keys and
// says nothing of values.
func (m *Map[K, V]) handsOut(method string) {
	if !DebugUnguarded || m.options.OnRetire == nil {
		return
	}
	asked := here()
	if strings.HasPrefix(asked.Function(), "github.com/spanlock/spanlock/rangealloc.") {
		return
	}
	c := conflicting{id: m.watched.id, kind: aValue, asked: asked.Site()}
	holds.mu.Lock()
	told := holds.told[c]
	holds.told[c] = true
	holds.mu.Unlock()
	if !told {
		report(fmt.Sprintf("rangelock: %s of a map with OnRetire: no guard holds the value, which may be retired before it is used; take it by Acquire or View, or set DebugUnguarded to false\n%s was called at\n%s",
			method, method, asked))
	}
}
