package chunks

import (
	"context"
	"io"
	"sync/atomic"

	"github.com/spanlock/spanlock/rangelock"
)

// A chunkFile is a mapped file, with the closer that unmaps it.
type chunkFile struct {
	*mmappedChunkFile
	closer io.Closer
}

// chunkFiles maps the references of the chunks to the mapped files that hold them. Readers take
// a guard on the file that they read. The maps of ChunkDiskMapper, which only writers use, still
// say which files there are.
type chunkFiles struct {
	*rangelock.Map[uint64, chunkFile]

	// In stock, readers read this under the lock. Here cut and Close store it, under that lock.
	current atomic.Int64
	closed  atomic.Bool

	failed atomic.Pointer[error] // the error of the first file that could not be closed
}

func (s *chunkFiles) open() {
	s.Map = rangelock.New(&rangelock.Options[uint64, chunkFile]{
		OnRetire: func(_ rangelock.Range[uint64], f chunkFile) {
			if err := f.closer.Close(); err != nil {
				s.failed.CompareAndSwap(nil, &err)
			}
		},
	})
}

// references returns the range of the references of all chunks in a file: the number of the file
// is in the upper half of a reference.
func references(seq int) rangelock.Range[uint64] {
	return rangelock.Span(uint64(seq)<<32, uint64(seq+1)<<32)
}

// add inserts a file. It waits for no reader.
func (s *chunkFiles) add(seq int, f *mmappedChunkFile, closer io.Closer) error {
	return s.Swap(context.Background(), references(seq), chunkFile{f, closer})
}

// retire removes a file, which is closed when its last reader has finished. It does not wait
// for that.
func (s *chunkFiles) retire(seq int) error {
	_, err := s.Retire(context.Background(), references(seq))
	return err
}

// close removes all files, waits for their readers, and returns the error of the first file that
// could not be closed, now or earlier.
func (s *chunkFiles) close() error {
	if err := s.Map.Close(context.Background()); err != nil {
		return err
	}
	if err := s.failed.Load(); err != nil {
		return *err
	}
	return nil
}
