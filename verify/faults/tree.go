package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// moduleRoot returns the directory of the module: dir, or, if that is empty, the
// nearest one from here upwards that has a go.mod and a verify/faults.
func moduleRoot(dir string) (string, error) {
	if dir != "" {
		return filepath.Abs(dir)
	}
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for d := here; ; d = filepath.Dir(d) {
		_, errMod := os.Stat(filepath.Join(d, "go.mod"))
		_, errDir := os.Stat(filepath.Join(d, "verify", "faults"))
		if errMod == nil && errDir == nil {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("no directory from %s upwards has go.mod and verify/faults", here)
		}
	}
}

// copyTree copies the directory from to the directory to, which must not exist.
// Version control stays behind. Only directories and plain files are copied.
func copyTree(to, from string) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case e.Name() == ".git":
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil // a work tree's .git is a file
		case e.IsDir():
			return os.Mkdir(filepath.Join(to, rel), 0o777)
		case e.Type().IsRegular():
			return copyFile(filepath.Join(to, rel), path)
		}
		return nil
	})
}

func copyFile(to, from string) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	_, err = io.Copy(dst, src)
	return err
}

// apply applies the patch to the tree. It fails as a whole or succeeds as a whole.
func (p *patch) apply(tree string) error {
	cmd := exec.Command("git", "apply", "--whitespace=nowarn", p.path)
	cmd.Dir = tree
	// The temporary directory may lie within a repository. Git would apply the patch to
	// that one, find none of its names in this directory, skip them and report success.
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(tree))
	out, err := cmd.CombinedOutput()
	if err != nil {
		if text := strings.TrimSpace(string(out)); text != "" {
			return errors.New(text)
		}
		return err
	}
	return nil
}
