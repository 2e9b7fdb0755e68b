//go:build spanlockdebug && !(linux || darwin || dragonfly || freebsd || netbsd)

package mapfile

import "errors"

// systemProtect is what package syscall does not have here.
func systemProtect([]byte) error { return errors.ErrUnsupported }
