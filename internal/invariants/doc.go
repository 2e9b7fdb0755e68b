// Package invariants holds the checks and the yields that are too expensive for a normal
// build. They are compiled in under -tags invariants or -race; otherwise they are empty
// functions. Sizes (node fan-out, slots, free lists) shrink under these too, so that rare
// paths are common.
//
// Under -tags schedule the checks and the small sizes are compiled in, but no yields:
// internal/schedule decides which task runs, and nothing random may happen.
package invariants
