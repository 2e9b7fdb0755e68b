//go:build unix && !linux && !darwin && !dragonfly && !freebsd && !netbsd

package mapfile

import (
	"errors"
	"fmt"
)

// Package syscall can only map and unmap on these systems: OpenBSD accepts system calls from its
// C library only, and Solaris and AIX have no raw call.

func systemSync([]byte) error {
	return fmt.Errorf("package syscall has no msync here: %w", errors.ErrUnsupported)
}

func systemAdvise([]byte, Advice) error { return nil }
