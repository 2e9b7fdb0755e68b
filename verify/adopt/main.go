// Command adopt puts package rangelock into a program of others, in a temporary folder, and
// runs that program's own tests on it. See README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	var (
		short   = flag.Bool("short", false, "a chosen set of tests, and few measurements")
		full    = flag.Bool("full", false, "all tests, with both kinds of free list, also under the race detector, and many measurements")
		keep    = flag.Bool("keep", false, "leave the temporary folder behind, and print its name")
		version = flag.String("version", bboltVersion, "which bbolt; only the default one is held to a checksum in the source")
	)
	flag.Parse()
	if flag.NArg() > 0 || *short && *full {
		flag.Usage()
		os.Exit(2)
	}
	size := usual
	switch {
	case *short:
		size = small
	case *full:
		size = large
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	dir, err := os.MkdirTemp("", "adopt")
	if err != nil {
		fail(err)
	}
	began := time.Now()
	err = run(ctx, dir, *version, size, os.Stdout)
	if *keep {
		fmt.Println("left behind:", dir)
	} else {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	if err != nil {
		fail(err)
	}
	fmt.Printf("\n%.0f s\n", time.Since(began).Seconds())
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "adopt:", err)
	os.Exit(1)
}
