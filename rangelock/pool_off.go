//go:build !invariants && !race && !schedule

package rangelock

// maxSets is how many ranges can be hot at one time: a power of two.
const maxSets = 32

// hotAfter is how many collisions in one millisecond make a range hot. Two readers that
// do nothing else collide several hundred times in that time.
const hotAfter = 32
