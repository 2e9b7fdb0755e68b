//go:build !spanlockdebug

package rangealloc_test

// debugBuild says whether guards remember who took them.
const debugBuild = false
