// Package sourcetree finds real input for the examples: the files under a directory, by default
// the source tree of the installed Go.
package sourcetree

import (
	"context"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Dir returns the source tree of the installed Go.
func Dir() (string, error) {
	//lint:ignore SA1019 the go command is asked when this is empty, as in a build with -trimpath
	root := runtime.GOROOT()
	if root == "" {
		out, err := exec.Command("go", "env", "GOROOT").Output()
		if err != nil {
			return "", fmt.Errorf("cannot find the source tree of Go (go env GOROOT: %w): give a directory with -dir", err)
		}
		root = strings.TrimSpace(string(out))
	}
	return filepath.Join(root, "src"), nil
}

// Files lists the regular files under dir, in lexical order, and counts the files and directories
// that it cannot read. If dir is a link, Files follows it.
func Files(ctx context.Context, dir string) (paths []string, unreadable int, err error) {
	root, err := filepath.EvalSymlinks(dir) // WalkDir would not enter a link
	if err != nil {
		return nil, 0, fmt.Errorf("cannot read the directory: %w", err)
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			unreadable++
		case d.Type().IsRegular():
			paths = append(paths, path)
		}
		return nil
	})
	return paths, unreadable, err
}
