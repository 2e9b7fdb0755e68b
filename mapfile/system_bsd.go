//go:build darwin || dragonfly || freebsd || netbsd

package mapfile

import (
	"syscall"

	"github.com/spanlock/spanlock/internal/raw"
)

var advices = [...]uintptr{syscall.MADV_NORMAL, syscall.MADV_RANDOM, syscall.MADV_SEQUENTIAL, syscall.MADV_WILLNEED, syscall.MADV_DONTNEED}

// systemSync writes the pages of b to the disk, and waits for that. b begins with a page.
func systemSync(b []byte) error { return call(sysMsync, b, syscall.MS_SYNC) }

// systemAdvise gives the advice for the pages of b. b begins with a page.
func systemAdvise(b []byte, a Advice) error { return call(syscall.SYS_MADVISE, b, advices[a]) }

// call makes a system call on memory for which package syscall does not have a function on all of
// these systems.
func call(trap uintptr, b []byte, arg uintptr) error {
	if _, _, e := syscall.Syscall(trap, raw.Base(b), uintptr(len(b)), arg); e != 0 {
		return e
	}
	return nil
}
