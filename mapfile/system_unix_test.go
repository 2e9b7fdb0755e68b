//go:build unix

package mapfile

import "syscall"

var noRoomError error = syscall.ENOMEM
