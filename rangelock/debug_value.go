//go:build spanlockdebug

package rangelock

import "fmt"

// aValue is what a call without a guard takes, in the list of what was reported.
const aValue kind = "a value"

// handsOut reports that method gives its caller a value without a guard, in a map in which
// OnRetire may have freed it by then: once for each place of the program and each map.
//
// The maps of package rangealloc are left out: each has an OnRetire, which gives back keys and
// says nothing of values. So are those of package mapfile, whose values the user never sees.
func (m *Map[K, V]) handsOut(method string) {
	if !DebugUnguarded || m.options.OnRetire == nil || m.watched.library {
		return
	}
	asked := here()
	c := conflicting{id: m.watched.id, kind: aValue, asked: asked.Site()}
	holds.mu.Lock()
	told := holds.told[c]
	holds.told[c] = true
	holds.mu.Unlock()
	if !told {
		report(fmt.Sprintf("rangelock: %s of a map with OnRetire: no guard holds the value, which may be retired before it is used; take it by Acquire, View or Guards, or set DebugUnguarded to false\n%s was called at\n%s",
			method, method, asked))
	}
}
