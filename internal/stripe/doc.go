// Package stripe picks one of several padded counters for a goroutine without
// asking the runtime who it is.
package stripe
