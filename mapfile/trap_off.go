//go:build !spanlockdebug

package mapfile

// trap is for debug builds.
func trap() {}

// stale returns nothing: what is unmapped is forgotten.
func stale(uintptr) *StaleError { return nil }

// discard unmaps.
func discard(m *Mapping) error { return unmap(m) }
