//go:build darwin || dragonfly || freebsd

package mapfile

import "syscall"

const sysMsync = syscall.SYS_MSYNC
