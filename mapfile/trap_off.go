//go:build !spanlockdebug

package mapfile

// trap does nothing outside of debug builds.
func trap() {}

// stale returns nil: an unmapped mapping leaves no trace.
func stale(uintptr) *StaleError { return nil }

// discard unmaps.
func discard(m *Mapping) error { return unmap(m) }
