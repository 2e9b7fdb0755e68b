package main

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"runtime"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spanlock/spanlock/examples/internal/sourcetree"
)

// blockSize is the number of bytes that one read verifies. Each file is cut into blocks of this
// size; the last block is shorter.
const blockSize = 4096

// castagnoli is the polynomial for which processors have an instruction. So the check of a block
// costs less than the page fault that reads it.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A file is one file of the corpus, as it was when the program began. It is immutable.
type file struct {
	path     string
	index    int    // its index in corpus.files
	lo, hi   uint64 // its offsets in the corpus: [lo, hi)
	modified time.Time
	sums     []uint32 // checksums of its blocks, from os.File.Read
}

func (f *file) size() int64 { return int64(f.hi - f.lo) }

// changed returns an error that says how the file differs from what it was at the start, or nil.
func (f *file) changed() error {
	info, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s was removed while it was mapped", f.path)
	case err != nil:
		return fmt.Errorf("%s became unreadable while it was mapped: %w", f.path, err)
	case info.Size() < f.size():
		return fmt.Errorf("%s shrank from %d to %d bytes while it was mapped", f.path, f.size(), info.Size())
	case info.Size() > f.size():
		return fmt.Errorf("%s grew from %d to %d bytes while it was mapped", f.path, f.size(), info.Size())
	case !info.ModTime().Equal(f.modified):
		return fmt.Errorf("%s was written to at %s while it was mapped", f.path, info.ModTime().Format(time.RFC3339))
	}
	return nil
}

// A limit bounds the files of a directory that are used. Each mapping is an entry of the
// process's memory map, whose number the kernel limits, and a 32-bit process has little address
// space.
type limit struct {
	files int
	bytes uint64
}

func defaultLimit() limit {
	// Linux allows 65,530 mappings in a process (vm.max_map_count). Two stores
	// map every file once, and the retired mappings come on top.
	l := limit{files: 20_000, bytes: 8 << 30}
	if strconv.IntSize == 32 {
		l.bytes = 512 << 20 // both stores map it, in at most 4 GiB
	}
	return l
}

// A corpus is the files under a directory, laid end to end in one space of 64-bit offsets: the
// first file begins at 0, and each other file where the one before it ends.
type corpus struct {
	dir        string
	files      []*file
	size       uint64
	blocks     int
	empty      int // files skipped because they are empty
	unreadable int // files and directories skipped because they cannot be read
	beyond     int // files skipped because of the limit
	took       time.Duration
}

// at returns the file that has offset off, which must be below c.size.
func (c *corpus) at(off uint64) *file {
	return c.files[sort.Search(len(c.files), func(i int) bool { return c.files[i].hi > off })]
}

// readCorpus reads every regular file under dir and stores the checksums of its blocks. It reads
// with os.File.Read and maps nothing, so that the checksums do not come from the code that they
// check. It calls done with the number of files read, and of all files.
func readCorpus(ctx context.Context, dir string, l limit, done func(n, of int)) (*corpus, error) {
	start := time.Now()
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot read the directory: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a directory", dir)
	}
	c := &corpus{dir: dir}
	found, err := c.walk(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.sum(ctx, found, done); err != nil {
		return nil, err
	}
	c.layOut(found, l)
	if len(c.files) == 0 {
		return nil, fmt.Errorf("no readable file in %s (%d empty, %d unreadable, %d beyond the limit of %s)",
			dir, c.empty, c.unreadable, c.beyond, formatBytes(l.bytes))
	}
	c.took = time.Since(start)
	return c, nil
}

// walk lists the regular files, in lexical order.
func (c *corpus) walk(ctx context.Context) ([]*file, error) {
	paths, unreadable, err := sourcetree.Files(ctx, c.dir)
	c.unreadable += unreadable
	found := make([]*file, len(paths))
	for i, path := range paths {
		found[i] = &file{path: path}
	}
	return found, err
}

// sum reads the files, several at a time. A file that cannot be read gets no checksums.
func (c *corpus) sum(ctx context.Context, found []*file, done func(n, of int)) error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	buffers := sync.Pool{New: func() any { return new([16 * blockSize]byte) }}
	var n, unreadable atomic.Int64
	for _, f := range found {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			buf := buffers.Get().(*[16 * blockSize]byte)
			defer buffers.Put(buf)
			if err := f.read(buf[:]); err != nil {
				unreadable.Add(1)
			}
			done(int(n.Add(1)), len(found))
			return nil
		})
	}
	group.Wait() // there is no error: a file that cannot be read is only counted
	c.unreadable += int(unreadable.Load())
	return ctx.Err()
}

// read sets the file's size and sums. buf is a multiple of blockSize long.
func (f *file) read(buf []byte) error {
	h, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer h.Close()
	info, err := h.Stat()
	if err != nil {
		return err
	}
	var size int64
	var sums []uint32
	for {
		n, err := io.ReadFull(h, buf)
		size += int64(n)
		for b := buf[:n]; len(b) > 0; b = b[min(blockSize, len(b)):] {
			sums = append(sums, crc32.Checksum(b[:min(blockSize, len(b))], castagnoli))
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if size != info.Size() { // a file of /sys, or one that is being written
		return fmt.Errorf("%s holds %d bytes, not %d", f.path, size, info.Size())
	}
	f.hi, f.sums, f.modified = uint64(size), sums, info.ModTime()
	return nil
}

// layOut assigns offsets to the files that were read.
func (c *corpus) layOut(found []*file, l limit) {
	for _, f := range found {
		size := f.hi
		switch {
		case f.modified.IsZero(): // not read
		case size == 0:
			c.empty++
		case len(c.files) == l.files, size > l.bytes-c.size:
			c.beyond++
		default:
			f.index, f.lo, f.hi = len(c.files), c.size, c.size+size
			c.size = f.hi
			c.blocks += len(f.sums)
			c.files = append(c.files, f)
		}
	}
}
