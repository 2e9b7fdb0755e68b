package mapfile

import "os"

// What can fail, as variables, so that tests see it fail. No one else sets them.
var (
	mapFile = systemMap
	cutFile = (*os.File).Truncate
	exact   = systemExact
)
