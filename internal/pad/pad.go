// Package pad holds the distance at which two words do not share a cache line.
package pad

// Size is two cache lines of 64 bytes: the adjacent-line prefetcher of common amd64
// processors loads lines in pairs.
const Size = 128

// Line is padding of that size, to be embedded between fields.
type Line [Size]byte
