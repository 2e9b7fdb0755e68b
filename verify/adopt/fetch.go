package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const ownPath = "github.com/spanlock/spanlock"

// added is put into the copies: ours gets all of it, stock only what measures.
//
//go:embed testdata/measure testdata/bbolt testdata/chunks
var added embed.FS

// errUnreachable says that the module proxy cannot be reached, so that nothing was tried.
var errUnreachable = errors.New("the module proxy cannot be reached")

// copies are the two programs, in folders of their own.
type copies struct {
	port
	dir, stock, ours string
}

// prepare fetches the program, copies it twice, and rewrites one copy.
func prepare(ctx context.Context, dir string, p port) (*copies, error) {
	from, err := download(ctx, dir, p)
	if err != nil {
		return nil, err
	}
	own, err := ownRoot(ctx)
	if err != nil {
		return nil, err
	}
	c := &copies{port: p, dir: dir, stock: filepath.Join(dir, "stock"), ours: filepath.Join(dir, "ours")}
	for _, to := range []string{c.stock, c.ours} {
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			return nil, err
		}
		for _, measure := range []string{"testdata/measure", "testdata/" + p.name + "/measure"} {
			files, err := fs.Sub(added, measure)
			if err != nil {
				return nil, err
			}
			if err := os.CopyFS(filepath.Join(to, "measure"), files); err != nil {
				return nil, err
			}
		}
		// The same version for both copies, because the language and the runtime depend on it.
		if _, err := tool(ctx, to, "mod", "edit", "-toolchain=none", "-go=1.25.0"); err != nil {
			return nil, err
		}
	}
	if err := p.rewrite(filepath.Join(c.ours, p.pkg)); err != nil {
		return nil, fmt.Errorf("%s %s is not what the rewriting was written for: %w", p.path, p.version, err)
	}
	for _, name := range p.added {
		text, err := added.ReadFile("testdata/" + p.name + "/" + name)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(c.ours, p.pkg, name), text, 0o644); err != nil {
			return nil, err
		}
	}
	if _, err := tool(ctx, c.ours, "mod", "edit", "-require="+ownPath+"@v0.0.0", "-replace="+ownPath+"="+own); err != nil {
		return nil, err
	}
	// Adds what go.mod and go.sum lack for these packages, and only for these.
	for _, to := range []string{c.stock, c.ours} {
		args := append([]string{"list", "-mod=mod", "-test", "-deps", "./measure"}, p.packages...)
		if _, err := tool(ctx, to, args...); err != nil {
			return nil, unreachable(err)
		}
	}
	return c, nil
}

// download returns the folder of the program's module in the cache.
func download(ctx context.Context, dir string, p port) (string, error) {
	at := p.path + "@" + p.version
	out, err := tool(ctx, dir, "mod", "download", "-json", at)
	var m struct{ Dir, Sum, Error string }
	if json.Unmarshal(out, &m) == nil && m.Error != "" {
		return "", unreachable(errors.New(m.Error))
	}
	if err != nil {
		return "", unreachable(err)
	}
	if p.sum != "" && m.Sum != p.sum {
		return "", fmt.Errorf("%s has the checksum %s, want %s", at, m.Sum, p.sum)
	}
	return m.Dir, nil
}

// unreachable turns an error of the go command into errUnreachable if the network failed or
// its use is forbidden.
func unreachable(err error) error {
	for _, sign := range []string{"dial tcp", "no such host", "connection refused", "i/o timeout", "TLS handshake timeout",
		"network is unreachable", "proxyconnect", "GOPROXY=off", "GOPROXY list is not the empty string"} {
		if strings.Contains(err.Error(), sign) {
			return fmt.Errorf("%w: %w", errUnreachable, err)
		}
	}
	return err
}

// ownRoot returns the folder of the main module, two levels above that of this one.
func ownRoot(ctx context.Context) (string, error) {
	out, err := tool(ctx, "", "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return "", err
	}
	root := filepath.Join(strings.TrimSpace(string(out)), "..", "..")
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(string(mod), "module "+ownPath+"\n") {
		return "", fmt.Errorf("%s is not the folder of %s: run this within its repository", root, ownPath)
	}
	return root, nil
}

// tool runs the go command in dir and returns its output. The error contains what the command
// printed.
func tool(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("go %s: %w\n%s%s", strings.Join(args, " "), err, out, said.String())
	}
	return out, nil
}
