// Command adopt puts package rangelock into a copy of an existing program, in a temporary folder,
// and runs that program's own tests on it. See README.md.
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
		keep    = flag.Bool("keep", false, "keep the temporary folder, and print its name")
		name    = flag.String("program", ports[0].name, "bbolt, or chunks: the mapper of head chunks in Prometheus")
		version = flag.String("version", "", "another version of it, for which the source has no checksum to compare")
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
	p, err := portOf(*name)
	if err != nil {
		fail(err)
	}
	if *version != "" {
		p.version, p.sum = *version, ""
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	dir, err := os.MkdirTemp("", "adopt")
	if err != nil {
		fail(err)
	}
	began := time.Now()
	err = run(ctx, dir, p, size, os.Stdout)
	if *keep {
		fmt.Println("kept:", dir)
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
