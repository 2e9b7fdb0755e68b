package mapfile

import (
	"syscall"

	"github.com/spanlock/spanlock/internal/raw"
)

var advices = [...]int{syscall.MADV_NORMAL, syscall.MADV_RANDOM, syscall.MADV_SEQUENTIAL, syscall.MADV_WILLNEED, syscall.MADV_DONTNEED}

// systemSync writes the pages of b to the disk, and waits for that. b begins with a page.
func systemSync(b []byte) error {
	if _, _, e := syscall.Syscall(syscall.SYS_MSYNC, raw.Base(b), uintptr(len(b)), syscall.MS_SYNC); e != 0 {
		return e
	}
	return nil
}

// systemAdvise gives the advice for the pages of b. b begins with a page.
func systemAdvise(b []byte, a Advice) error { return syscall.Madvise(b, advices[a]) }
