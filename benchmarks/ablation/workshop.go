package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// workshop makes probes, each in its own copy of the module.
type workshop struct {
	root   string            // the module
	dir    string            // where the copies go
	probes map[string]string // the program for each set of patches
}

// probe returns the program that measures the map without what the patches leave out.
func (w *workshop) probe(ctx context.Context, patches ...*patch) (program string, err error) {
	name := "whole"
	for _, p := range patches {
		name += "-" + p.name
	}
	if program := w.probes[name]; program != "" {
		return program, nil
	}
	tree := filepath.Join(w.dir, name)
	if err := w.tree(ctx, tree, patches...); err != nil {
		return "", err
	}
	program = filepath.Join(w.dir, name+".probe")
	// -trimpath keeps the directory out of the result, so that the build cache can be used.
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", program, "./probe")
	cmd.Dir = tree
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	w.probes[name] = program
	return program, nil
}

// tree makes a copy of the module with the patches applied, and with the probe as one of
// its packages, so that the probe does not need the rivals' modules.
func (w *workshop) tree(ctx context.Context, tree string, patches ...*patch) error {
	if err := copyModule(tree, w.root); err != nil {
		return err
	}
	if err := copyModule(filepath.Join(tree, "probe"), filepath.Join(w.root, "benchmarks", "ablation", "probe")); err != nil {
		return err
	}
	for _, p := range patches {
		if err := p.apply(ctx, tree); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// moduleRoot returns the directory of the module: dir, or, if that is empty, the
// nearest one from here upwards that has a go.mod and a benchmarks/ablation.
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
		_, errDir := os.Stat(filepath.Join(d, "benchmarks", "ablation"))
		if errMod == nil && errDir == nil {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("no directory from %s upwards has go.mod and benchmarks/ablation", here)
		}
	}
}

// copyModule copies what a build needs, the Go files, go.mod and go.sum, from the directory
// from to the directory to, which must not exist. It leaves out tests, nested modules and
// version control.
func copyModule(to, from string) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if e.IsDir() {
			if path != from && (strings.HasPrefix(e.Name(), ".") || nested(path)) {
				return fs.SkipDir
			}
			return os.Mkdir(filepath.Join(to, rel), 0o777)
		}
		source := strings.HasSuffix(e.Name(), ".go") && !strings.HasSuffix(e.Name(), "_test.go")
		if e.Type().IsRegular() && (source || e.Name() == "go.mod" || e.Name() == "go.sum") {
			return copyFile(filepath.Join(to, rel), path)
		}
		return nil
	})
}

// nested reports whether the directory begins another module.
func nested(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
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
func (p *patch) apply(ctx context.Context, tree string) error {
	cmd := exec.CommandContext(ctx, "git", "apply", "--whitespace=nowarn", p.path)
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
