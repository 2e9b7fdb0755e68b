package mapfile

import "os"

// Living returns how many mappings of the file the process has, without those that a debug build
// keeps inaccessible.
func Living(path string) int {
	living.Lock()
	defer living.Unlock()
	n := 0
	for m := range living.all {
		if m.path == path {
			n++
		}
	}
	return n
}

// OnMap makes each mapping call before first, and fail with its error. OnCut does the same for
// each change of a file's length.
func OnMap(before func(f *os.File, off int64, n int) error) (restore func()) {
	mapFile = func(f *os.File, off int64, n int, writable bool) ([]byte, error) {
		if err := before(f, off, n); err != nil {
			return nil, err
		}
		return systemMap(f, off, n, writable)
	}
	return func() { mapFile = systemMap }
}

func OnCut(before func(f *os.File, size int64) error) (restore func()) {
	cutFile = func(f *os.File, size int64) error {
		if err := before(f, size); err != nil {
			return err
		}
		return f.Truncate(size)
	}
	return func() { cutFile = (*os.File).Truncate }
}

// SetExact makes the Files that are opened from now on behave as on Windows.
func SetExact(yes bool) (restore func()) {
	was := exact
	exact = yes
	return func() { exact = was }
}

// NoRoom is the system's error if there are no addresses left.
var NoRoom = noRoomError
