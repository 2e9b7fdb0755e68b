// Package ofmapfile uses the guards of another package of the module.
package ofmapfile

import "github.com/spanlock/spanlock/corpus/mapfile"

func leaked(f *mapfile.File) int {
	g, err := f.Acquire(0, 100) // want `guard of Acquire is not released on the path that leaves at line 11`
	if err != nil {
		return 0
	}
	return len(g.Bytes())
}

func reused(f *mapfile.File) int {
	g, err := f.Acquire(0, 100)
	if err != nil {
		return 0
	}
	g.Release()
	return len(g.Bytes()) // want `Bytes of a guard that was released at line 19`
}

func clean(f *mapfile.File) int {
	g, err := f.Acquire(0, 100)
	if err != nil {
		return 0
	}
	defer g.Release()
	return len(g.Bytes())
}
