package mapfile

import "os"

// System calls that can fail, as variables, so that tests can make them fail. Only tests set
// them.
var (
	mapFile = systemMap
	cutFile = (*os.File).Truncate
	exact   = systemExact
)
