//go:build spanlockdebug && (linux || darwin || dragonfly || freebsd || netbsd)

package mapfile

import (
	"syscall"

	"github.com/spanlock/spanlock/internal/raw"
)

// systemProtect makes every use of b a fault.
func systemProtect(b []byte) error {
	if _, _, e := syscall.Syscall(syscall.SYS_MPROTECT, raw.Base(b), uintptr(len(b)), syscall.PROT_NONE); e != 0 {
		return e
	}
	return nil
}
