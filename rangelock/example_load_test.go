package rangelock_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spanlock/spanlock/rangelock"
)

// A program reads its routes from a file when it starts. Load takes them one by one, so the file is never
// in memory as a whole; ranges in the order of their keys go in several times faster than by Insert. An
// error has the number of the route that was refused. Those before it stay.
func ExampleWriter_Load() {
	const file = `
0 100 eth0
100 200 eth1
150 250 eth2
300 400 eth3`
	read := func(yield func(rangelock.Range[int], string) bool) {
		for line := range strings.Lines(strings.TrimSpace(file)) {
			var lo, hi int
			var via string
			if _, err := fmt.Sscan(line, &lo, &hi, &via); err != nil {
				return // a real program keeps the error
			}
			if !yield(rangelock.Span(lo, hi), via) {
				return
			}
		}
	}
	routes := rangelock.New[int, string](nil)
	w := routes.Lock()
	n, err := w.Load(read)
	w.Unlock()
	fmt.Println(n, err)

	fmt.Println(errors.Is(err, rangelock.ErrOverlap), routes.Len())
	// Output:
	// 2 rangelock: range overlaps an attached range: Load [150, 250) would overlap [100, 200) (range 2 of Load)
	// true 2
}
