// Package seam is the one place where the packages of this module touch shared memory,
// locks, goroutines and timers. In a normal build everything here is an alias or an inlined
// call and costs nothing. Under -tags schedule the same names are the scheduling points of
// internal/schedule, and no other package changes.
//
// Go's atomics are sequentially consistent, and all protocols of the module are
// written against that model.
package seam
