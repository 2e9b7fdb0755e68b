//go:build unix && !linux && !darwin && !dragonfly && !freebsd && !netbsd

package mapfile

import (
	"errors"
	"fmt"
)

// Package syscall can map and unmap on these systems, and nothing else: OpenBSD takes
// system calls from its C library only, and on Solaris and AIX there is no raw call.

func systemSync([]byte) error {
	return fmt.Errorf("package syscall has no msync here: %w", errors.ErrUnsupported)
}

func systemAdvise([]byte, Advice) error { return nil }
