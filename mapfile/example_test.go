package mapfile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/spanlock/spanlock/mapfile"
	"github.com/spanlock/spanlock/rangelock"
)

// tempDir makes a directory for an example that writes.
func tempDir() (dir string, remove func()) {
	dir, err := os.MkdirTemp("", "mapfile")
	if err != nil {
		log.Fatal(err)
	}
	return dir, func() { os.RemoveAll(dir) }
}

// A log grows while a reader has one of its records. Nothing is copied, and neither waits for the
// other.
func Example() {
	dir, remove := tempDir()
	defer remove()
	ctx := context.Background()

	f, err := mapfile.Create(filepath.Join(dir, "log"), 0, nil)
	if err != nil {
		log.Fatal(err)
	}
	add := func(record string) {
		end := f.Size()
		if err := f.Grow(ctx, end+int64(len(record))); err != nil {
			log.Fatal(err)
		}
		if _, err := f.WriteAt([]byte(record), end); err != nil {
			log.Fatal(err)
		}
	}

	add("first record\n")
	g, err := f.Acquire(0, 12) // a slow reader
	if err != nil {
		log.Fatal(err)
	}
	add("second record\n") // does not wait for it
	fmt.Printf("%s of %d bytes\n", g.Bytes(), f.Size())
	g.Release()

	err = f.View(13, 6, func(b []byte) error {
		fmt.Printf("%s\n", b)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := f.Close(ctx); err != nil { // waits for readers
		log.Fatal(err)
	}
	// Output:
	// first record of 27 bytes
	// second
}

// Truncate waits for the readers of the bytes that it cuts off. A context ends the wait, and the
// error has the readers' ranges.
func ExampleFile_Truncate() {
	dir, remove := tempDir()
	defer remove()
	f, err := mapfile.Create(filepath.Join(dir, "file"), 1000, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close(context.Background())

	g, err := f.Acquire(900, 100)
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	var w *mapfile.WaitError
	if err := f.Truncate(ctx, 500); errors.As(err, &w) {
		fmt.Println("readers in", w.Held, "and", f.Size(), "bytes still")
	}
	g.Release()
	err = f.Truncate(context.Background(), 500)
	fmt.Println(f.Size(), err)
	// Output:
	// readers in [[0, 1000)] and 1000 bytes still
	// 500 <nil>
}

// If a file is truncated from outside, a View returns an error. A program that maps files by
// itself crashes.
func ExampleFile_View() {
	dir, remove := tempDir()
	defer remove()
	path := filepath.Join(dir, "file")
	f, err := mapfile.Create(path, 1<<20, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close(context.Background())
	if err := os.Truncate(path, 10); err != nil {
		log.Fatal(err)
	}
	err = f.View(1<<19, 100, func(b []byte) error {
		fmt.Println(bytes.Count(b, []byte("\n")))
		return nil
	})
	var fault *mapfile.FaultError
	if errors.As(err, &fault) {
		fmt.Println("the file has", fault.Size, "bytes, and was read at", fault.Off)
	}
	// Output: the file has 10 bytes, and was read at 524288
}

// A compactor has written a segment anew, and the new file replaces the old one. The old file
// stays mapped for its readers.
func ExampleFile_Swap() {
	dir, remove := tempDir()
	defer remove()
	old, compacted := filepath.Join(dir, "segment"), filepath.Join(dir, "compacted")
	for path, text := range map[string]string{old: "k=1 k=2 k=3", compacted: "k=3"} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			log.Fatal(err)
		}
	}
	f, err := mapfile.Open(old, &mapfile.Options{ReadOnly: true})
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close(context.Background())

	g, err := f.Acquire(0, 11)
	if err != nil {
		log.Fatal(err)
	}
	if err := f.Swap(context.Background(), compacted); err != nil {
		log.Fatal(err)
	}
	fresh, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
	fmt.Printf("%s, %s, %v\n", g.Bytes(), fresh, err)
	g.Release()
	// Output: k=1 k=2 k=3, k=3, <nil>
}

// A program keeps its own map, of pieces of many files. OnRetire closes a piece when it has no
// readers any more.
func ExampleMap() {
	dir, remove := tempDir()
	defer remove()
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, []byte("some text"), 0o666); err != nil {
		log.Fatal(err)
	}

	m := rangelock.New(&rangelock.Options[int64, *mapfile.Mapping]{
		OnRetire: func(_ rangelock.Range[int64], piece *mapfile.Mapping) { piece.Close() },
	})
	file, err := os.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	piece, err := mapfile.Map(file, 0, 9, false)
	file.Close() // the mapping outlives it
	if err != nil {
		log.Fatal(err)
	}
	if err := m.Insert(context.Background(), rangelock.Span[int64](1000, 1009), piece); err != nil {
		log.Fatal(err)
	}
	m.View(1005, func(r rangelock.Range[int64], piece *mapfile.Mapping) {
		fmt.Printf("%s\n", piece.Bytes()[1005-r.Lo:])
	})
	if err := m.Close(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output: text
}
