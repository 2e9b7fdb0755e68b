// Package mapfile represents a package of the module that has guards of its own.
package mapfile

type File struct{}

type Guard struct{ data []byte }

func (f *File) Acquire(off int64, n int) (Guard, error) { return Guard{}, nil }

func (g Guard) Bytes() []byte { return g.data }

func (g *Guard) Release() { g.data = nil }
