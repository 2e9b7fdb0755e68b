//go:build !spanlockdebug

package rangealloc_test

// debugBuild reports whether guards remember which goroutine took them.
const debugBuild = false
