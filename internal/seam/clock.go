//go:build !schedule

package seam

import "time"

// start is the origin of Millis.
var start = time.Now()

// Millis returns a clock in milliseconds that wraps. It is for heuristics: if it stands
// still or jumps, only speed may suffer.
func Millis() uint32 { return uint32(time.Since(start) / time.Millisecond) }
