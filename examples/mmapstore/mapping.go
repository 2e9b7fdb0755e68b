package main

import (
	"fmt"
	"hash/crc32"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// A mapping is one file's bytes in memory. Many readers may use it at once, but not after it is
// unmapped; the store ensures that.
type mapping struct {
	file   *file
	ledger *ledger
	bytes  []byte       // not cleared by unmap, so that a late reader gets a fault
	free   func() error // unmaps bytes

	retiredAt atomic.Int64 // on the clock of now; 0 while it is current, or after the store was closed
	unmapped  atomic.Bool
}

// A ledger counts the mappings of one store. At the end all three counts must be equal, or a
// mapping was lost.
type ledger struct {
	made     atomic.Int64
	retired  atomic.Int64 // taken out of the store for good
	unmapped atomic.Int64

	mu    sync.Mutex
	delay histogram // from retired to unmapped; under mu
}

// open maps f.
func (l *ledger) open(f *file) (*mapping, error) {
	h, err := os.Open(f.path)
	if err != nil {
		if changed := f.changed(); changed != nil {
			return nil, changed
		}
		return nil, err
	}
	defer h.Close() // a mapping outlives the descriptor
	info, err := h.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() < f.size() {
		return nil, f.changed()
	}
	b, free, err := mapBytes(h, int(f.size()))
	if err != nil {
		return nil, fmt.Errorf("cannot map %s, the %d mappings before it could: %w", f.path, l.made.Load(), err)
	}
	l.made.Add(1)
	return &mapping{file: f, ledger: l, bytes: b, free: free}, nil
}

// retiring records that the mapping is about to leave the store. It is called before the step,
// because the mapping may be unmapped at once after it.
func (m *mapping) retiring() { m.retiredAt.Store(int64(now())) }

// staying undoes retiring.
func (m *mapping) staying() { m.retiredAt.Store(0) }

// retired counts a mapping that has left the store, or will leave it when the store is closed.
// The delay of a mapping at closing is not recorded.
func (m *mapping) retired() { m.ledger.retired.Add(1) }

// unmap unmaps the memory. The mapping must have no readers. It must be called only once, because
// the addresses can belong to another file afterwards.
func (m *mapping) unmap() {
	if m.unmapped.Swap(true) {
		panic(fmt.Sprintf("mmapstore: %s was unmapped twice", m.file.path))
	}
	if err := m.free(); err != nil {
		panic(fmt.Sprintf("mmapstore: cannot unmap %s: %v", m.file.path, err))
	}
	if at := m.retiredAt.Load(); at != 0 {
		m.ledger.mu.Lock()
		m.ledger.delay.record(now() - time.Duration(at))
		m.ledger.mu.Unlock()
	}
	m.ledger.unmapped.Add(1)
}

// wrong reads the block at offset off in the mapping, without a copy, and returns the number of
// wrong bytes: none, or all of the block if its checksum is not that of the start or the mapping
// is not the one for off.
func (m *mapping) wrong(off uint64) int {
	if off < m.file.lo || off >= m.file.hi {
		return blockSize
	}
	i := (off - m.file.lo) / blockSize
	b := m.bytes[i*blockSize:]
	b = b[:min(blockSize, len(b))]
	if crc32.Checksum(b, castagnoli) != m.file.sums[i] {
		return len(b)
	}
	return 0
}

// holds reports whether the address lies in the mapping.
func (m *mapping) holds(addr uintptr) bool {
	first := uintptr(unsafe.Pointer(unsafe.SliceData(m.bytes)))
	return addr-first < uintptr(len(m.bytes))
}
