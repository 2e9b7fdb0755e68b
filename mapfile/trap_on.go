//go:build spanlockdebug

package mapfile

import (
	"runtime/debug"
	"sync"
	"time"

	"github.com/spanlock/spanlock/internal/raw"
)

// trapped is the mappings that their readers have left and that keep their addresses, but have no
// access. A use of their bytes is a fault; without trapped the same addresses could belong to
// another file by now. The oldest are unmapped when there are too many.
var trapped struct {
	sync.Mutex
	list  []corpse
	bytes int64
}

type corpse struct {
	m    *Mapping
	left time.Time
}

const (
	maxTrapped      = 256     // mappings; a process may have some ten thousands
	maxTrappedBytes = 1 << 28 // of address space; a larger mapping is kept alone
)

// trap turns faults of the calling goroutine into panics from now on, so that a late use can be
// explained.
func trap() { debug.SetPanicOnFault(true) }

// stale returns the error for a fault at an address of a trapped mapping, or nil.
func stale(addr uintptr) *StaleError {
	trapped.Lock()
	defer trapped.Unlock()
	for _, c := range trapped.list {
		if m := c.m; m.covers(addr) {
			return &StaleError{Path: m.path, At: m.off + int64(addr-raw.Base(m.bytes)), Off: m.off, N: int64(len(m.bytes)), Ago: time.Since(c.left)}
		}
	}
	return nil
}

// discard takes all access to the mapping away, and unmaps it later. If the system cannot do
// that, or cannot cut off a mapped file, discard unmaps at once.
func discard(m *Mapping) error {
	if systemExact || systemProtect(m.bytes) != nil {
		return unmap(m)
	}
	trapped.Lock()
	trapped.list = append(trapped.list, corpse{m, time.Now()})
	trapped.bytes += int64(len(m.bytes))
	var out []corpse
	for n := len(trapped.list); n > 1 && (n > maxTrapped || trapped.bytes > maxTrappedBytes); n-- {
		c := trapped.list[0]
		trapped.list = trapped.list[1:]
		trapped.bytes -= int64(len(c.m.bytes))
		out = append(out, c)
	}
	trapped.Unlock()
	var err error
	for _, c := range out {
		if e := unmap(c.m); e != nil {
			err = also(e, err)
		}
	}
	return err
}
