package mapfile_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"path/filepath"

	"github.com/spanlock/spanlock/mapfile"
)

// Bytes that outlive the function which has looked for them need a guard. One guard has bytes of one segment
// only: what crosses into the next is read in two steps, or with ReadAt, which copies.
func ExampleFile_Acquire() {
	dir, remove := tempDir()
	defer remove()
	segment := mapfile.Granularity()
	f, err := mapfile.Create(filepath.Join(dir, "file"), 2*segment, &mapfile.Options{SegmentSize: segment})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("begin and end"), segment-6); err != nil {
		log.Fatal(err)
	}

	_, err = f.Acquire(segment-6, 13)
	fmt.Println("crosses:", errors.Is(err, mapfile.ErrCrosses))
	g, err := f.Acquire(segment-6, 5)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", g.Bytes())
	g.Release() // before Close, which waits for it

	b := make([]byte, 13)
	n, err := f.ReadAt(b, segment-6)
	fmt.Printf("%s %v\n", b[:n], err)
	if err := f.Close(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// crosses: true
	// begin
	// begin and end <nil>
}
