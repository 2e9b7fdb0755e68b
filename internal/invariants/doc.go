// Package invariants holds the checks that are too expensive, and the yields that
// are too rude, for a normal build. They are compiled in under -tags invariants
// or -race and are empty functions otherwise. Under it sizes shrink, too (node
// fan-out, slots, free lists), so that rare paths are common.
//
// Under -tags schedule there are the checks and the small sizes, and no yields:
// internal/schedule decides who runs, and nothing random may happen.
package invariants
