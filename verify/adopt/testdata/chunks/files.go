package chunks

import (
	"context"
	"io"
	"sync/atomic"

	"github.com/spanlock/spanlock/rangelock"
)

// A chunkFile is a mapped file, and what unmaps it.
type chunkFile struct {
	*mmappedChunkFile
	closer io.Closer
}

// chunkFiles has the mapped files, each over the references of the chunks in it. Readers take
// a guard on the file that they read. The maps of ChunkDiskMapper, which writers use among
// themselves, still say which files there are.
type chunkFiles struct {
	*rangelock.Map[uint64, chunkFile]

	// What readers looked up under the lock: cut and Close store it, under that lock.
	current atomic.Int64
	closed  atomic.Bool

	failed atomic.Pointer[error] // of the first file that could not be closed
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

// references are those of all chunks in a file: the number of the file is in the upper half.
func references(seq int) rangelock.Range[uint64] {
	return rangelock.Span(uint64(seq)<<32, uint64(seq+1)<<32)
}

// add puts a file in. It waits for nobody.
func (s *chunkFiles) add(seq int, f *mmappedChunkFile, closer io.Closer) error {
	return s.Swap(context.Background(), references(seq), chunkFile{f, closer})
}

// retire takes a file out, which is closed when its last reader is through. It waits for nobody.
func (s *chunkFiles) retire(seq int) error {
	_, err := s.Retire(context.Background(), references(seq))
	return err
}

// close takes all files out, waits for their readers, and returns the error of the first file
// that could not be closed, whenever that was.
func (s *chunkFiles) close() error {
	if err := s.Map.Close(context.Background()); err != nil {
		return err
	}
	if err := s.failed.Load(); err != nil {
		return *err
	}
	return nil
}
