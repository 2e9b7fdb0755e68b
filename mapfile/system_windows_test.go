package mapfile

import "syscall"

var noRoomError error = syscall.Errno(8)
