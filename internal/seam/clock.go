//go:build !schedule

package seam

import "time"

// start is where Millis begins.
var start = time.Now()

// Millis returns a clock in milliseconds that wraps. It is for heuristics: nothing may
// go wrong, but for speed, if it stands still or jumps.
func Millis() uint32 { return uint32(time.Since(start) / time.Millisecond) }
