package mapfile_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/spanlock/spanlock/mapfile"
)

// TestHappensBefore uses plain variables that the race detector must not report, because the
// memory model of the package orders them. There is no channel: Grow tells the reader to go on,
// and the waits of Truncate and Close order the other side.
func TestHappensBefore(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		for range 30 {
			f := k.create(t, pattern(1, 100))
			var grown, held, left int
			acquire := func(off int64) (g mapfile.Guard) {
				for {
					g, err := f.Acquire(off, 10)
					if err == nil {
						return g
					}
					if !errors.Is(err, mapfile.ErrBeyond) {
						panic(err)
					}
					runtime.Gosched()
				}
			}
			grow := func(size int64) {
				if err := f.Grow(context.Background(), size); err != nil {
					t.Fatal(err)
				}
			}
			go func() {
				g := acquire(150)
				if grown != 1 {
					t.Errorf("what was done before Grow is %d", grown)
				}
				held = 1
				g.Bytes()[0] = 1 // tells the other side that there is a reader
				for b := g.Bytes(); b[1] == 0; {
					runtime.Gosched()
				}
				left = 1
				g.Release()
			}()
			grown = 1
			grow(200)
			b := make([]byte, 1)
			for b[0] == 0 {
				if _, err := f.ReadAt(b, 150); err != nil {
					t.Fatal(err)
				}
				runtime.Gosched()
			}
			if _, err := f.WriteAt([]byte{1}, 151); err != nil {
				t.Fatal(err)
			}
			if err := f.Truncate(context.Background(), 100); err != nil {
				t.Fatal(err)
			}
			if held != 1 || left != 1 {
				t.Errorf("what the reader did before it left is %d, %d", held, left)
			}
		}
	})
}
