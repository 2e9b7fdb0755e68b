//go:build !unix && !windows

package mapfile

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

const (
	systemGranularity = 1
	systemExact       = false
)

// errNoMappings is the error of every call that would map.
var errNoMappings = fmt.Errorf("files cannot be mapped on %s: %w", runtime.GOOS, errors.ErrUnsupported)

func systemMap(*os.File, int64, int, bool) ([]byte, error) { return nil, errNoMappings }
func systemUnmap([]byte) error                             { return errNoMappings }
func noRoom(error) bool                                    { return false }
func systemSync([]byte) error                              { return errNoMappings }
func systemAdvise([]byte, Advice) error                    { return errNoMappings }
