//go:build !unix

package main

import "time"

// canTellProcessorTime says whether processorTime works here. It does not, so row 11 is left out.
const canTellProcessorTime = false

func processorTime() time.Duration { return 0 }
