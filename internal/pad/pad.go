// Package pad holds the distance that keeps two words out of each other's cache
// traffic.
package pad

// Size is two cache lines of 64 bytes: the adjacent-line prefetcher of common
// amd64 processors makes pairs of lines travel together.
const Size = 128

// Line is one such distance, to be embedded between fields.
type Line [Size]byte
