//go:build spanlockdebug

package rangelock

import "fmt"

// aValue stands in holds.reported for a value that is held without a guard.
const aValue kind = "a value"

// handsOut reports that method returns a value without a guard from a map with an OnRetire, which
// may have freed the value before it is used. There is one report for each map and each place in
// the program.
//
// Maps of packages rangealloc and mapfile are left out. Those of rangealloc have an OnRetire that
// gives keys back and does not touch values. Those of mapfile never show their values to the user.
func (m *Map[K, V]) handsOut(method string) {
	if !DebugUnguarded || m.options.OnRetire == nil || m.watched.library {
		return
	}
	asked := here()
	c := conflicting{id: m.watched.id, kind: aValue, asked: asked.Site()}
	holds.mu.Lock()
	reported := holds.reported[c]
	holds.reported[c] = true
	holds.mu.Unlock()
	if !reported {
		report(fmt.Sprintf("rangelock: %s of a map with OnRetire: no guard holds the value, so it may be retired before it is used; use Acquire, View or Guards, or set DebugUnguarded to false\n%s was called at\n%s",
			method, method, asked))
	}
}
