//go:build spanlockdebug && !(linux || darwin || dragonfly || freebsd || netbsd)

package mapfile

import "errors"

// systemProtect fails: package syscall has no mprotect here.
func systemProtect([]byte) error { return errors.ErrUnsupported }
