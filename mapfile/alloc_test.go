//go:build !spanlockdebug

package mapfile_test

import (
	"testing"

	"github.com/spanlock/spanlock/mapfile"
)

// TestAllocs: readers allocate nothing.
func TestAllocs(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		f := k.create(t, pattern(1, 3*int(mapfile.Granularity())))
		b := make([]byte, 3*mapfile.Granularity())
		sum := 0
		use := func(b []byte) error { sum += int(b[0]); return nil }
		for name, read := range map[string]func(){
			"View":    func() { f.View(100, 50, use) },
			"ReadAt":  func() { f.ReadAt(b, 0) },
			"WriteAt": func() { f.WriteAt(b, 0) },
			"Size":    func() { sum += int(f.Size()) },
			"Acquire": func() {
				g, err := f.Acquire(100, 50)
				if err != nil {
					t.Fatal(err)
				}
				sum += int(g.Bytes()[0])
				g.Release()
			},
		} {
			if n := testing.AllocsPerRun(100, read); n != 0 {
				t.Errorf("%s allocates %v times", name, n)
			}
		}
	})
}
