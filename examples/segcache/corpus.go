package main

import (
	"context"
	"fmt"
	"hash/crc32"
	"os"
	"sort"

	"github.com/spanlock/spanlock/examples/internal/sourcetree"
	"github.com/spanlock/spanlock/rangelock"
)

// castagnoli is the polynomial for which processors have an instruction.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A file has the keys [lo, hi): its offsets, after the keys of the file before it, from the next
// whole segment on, so that no segment is in two files.
type file struct {
	path   string
	lo, hi uint64
}

// A corpus is files laid end to end in one space of keys, as they were when the program began. It
// is immutable.
type corpus struct {
	dir     string
	segment uint64 // bytes of a whole segment, a multiple of mapfile.Granularity
	files   []file
	bytes   uint64   // of all files
	sums    []uint32 // by segment: what os.ReadFile returned
}

// readCorpus reads files under dir until it has limit bytes, and stores the checksum of each
// segment.
func readCorpus(ctx context.Context, dir string, segment, limit uint64) (*corpus, error) {
	paths, _, err := sourcetree.Files(ctx, dir)
	if err != nil {
		return nil, err
	}
	c := &corpus{dir: dir, segment: segment}
	for _, path := range paths {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		b, err := os.ReadFile(path)
		if err != nil || len(b) == 0 {
			continue // skip a file that cannot be read
		}
		if c.bytes += uint64(len(b)); c.bytes > limit {
			c.bytes -= uint64(len(b))
			break
		}
		lo := uint64(len(c.sums)) * segment
		c.files = append(c.files, file{path, lo, lo + uint64(len(b))})
		for ; len(b) > 0; b = b[min(segment, uint64(len(b))):] {
			c.sums = append(c.sums, crc32.Checksum(b[:min(segment, uint64(len(b)))], castagnoli))
		}
	}
	if len(c.files) == 0 {
		return nil, fmt.Errorf("no readable file of at most %d bytes comes first in %s", limit, dir)
	}
	return c, nil
}

// at returns the file that has the segment of key, which must be below the end.
func (c *corpus) at(key uint64) *file {
	key = key / c.segment * c.segment
	return &c.files[sort.Search(len(c.files), func(i int) bool { return c.files[i].hi > key })]
}

// span returns the range of key's segment. The last segment of a file is shorter.
func (c *corpus) span(key uint64) rangelock.Range[uint64] {
	lo := key / c.segment * c.segment
	return rangelock.Span(lo, min(lo+c.segment, c.at(key).hi))
}
