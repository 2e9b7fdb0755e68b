package mapfile

import (
	"errors"
	"os"
	"syscall"

	"github.com/spanlock/spanlock/internal/raw"
)

const (
	systemGranularity = 64 << 10 // of MapViewOfFile
	systemExact       = true     // a longer mapping makes the file longer; SetEndOfFile fails while a mapping exists
)

// systemMap maps n bytes of the file from off on. The view keeps its section alive.
func systemMap(f *os.File, off int64, n int, writable bool) (b []byte, err error) {
	prot, access := uint32(syscall.PAGE_READONLY), uint32(syscall.FILE_MAP_READ)
	if writable {
		prot, access = syscall.PAGE_READWRITE, syscall.FILE_MAP_WRITE
	}
	c, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	if e := c.Control(func(fd uintptr) {
		var section syscall.Handle
		end := uint64(off) + uint64(n)
		if section, err = syscall.CreateFileMapping(syscall.Handle(fd), nil, prot, uint32(end>>32), uint32(end), nil); err != nil {
			err = os.NewSyscallError("CreateFileMapping", err)
			return
		}
		defer syscall.CloseHandle(section)
		var addr uintptr
		if addr, err = syscall.MapViewOfFile(section, access, uint32(off>>32), uint32(off), uintptr(n)); err != nil {
			err = os.NewSyscallError("MapViewOfFile", err)
			return
		}
		b = raw.Bytes(addr, n)
	}); e != nil {
		return nil, e
	}
	return b, err
}

func systemUnmap(b []byte) error {
	return os.NewSyscallError("UnmapViewOfFile", syscall.UnmapViewOfFile(raw.Base(b)))
}

func noRoom(err error) bool {
	const notEnoughMemory, commitmentLimit = syscall.Errno(8), syscall.Errno(1455)
	return errors.Is(err, notEnoughMemory) || errors.Is(err, commitmentLimit)
}

// systemSync passes the pages to the system. FlushFileBuffers, which the caller calls next, waits
// for them.
func systemSync(b []byte) error { return syscall.FlushViewOfFile(raw.Base(b), uintptr(len(b))) }

func systemAdvise([]byte, Advice) error { return nil }
