package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// consumer is row 16: what three kinds of map add to the build of a program. Three programs
// are built in turns: one without a map, the same with a log of log/slog, which rangelock
// imports, and one with maps. Their imports have been compiled before. The row needs the go
// command, and is left out if there is none.
func consumer(b *bench) {
	root, err := moduleRoot()
	if err != nil {
		fmt.Fprintf(b.progress, "%d left out: %v\n", b.row, err)
		return
	}
	dir, err := os.MkdirTemp("", "consumer")
	must(err == nil)
	defer os.RemoveAll(dir)
	s := b.about("a program with three kinds of map", "keys", "uint64, string and bytes")
	series := newSeries()
	for round := range b.scale.builds {
		for _, name := range []string{"without", "logging", "with"} {
			d, bytes, err := build(filepath.Join(dir, name), root, programs[name])
			if err != nil {
				panic(fmt.Sprintf("benchmarks: a consumer cannot be built: %v", err))
			}
			if round > 0 || b.scale.builds == 1 { // the first round also compiles the imports
				series.add(name+" s", d.Seconds())
				series.add(name+" MB", float64(bytes)/1e6)
			}
		}
	}
	o := &bout{times: series}
	for i, unit := range []string{"s", "MB"} {
		target := []*bound{atMost(1.5), atMost(0.7)}[i]
		s.add("with - without", unit, o.minus("with "+unit, "without "+unit), target)
		s.add("with - logging", unit, o.minus("with "+unit, "logging "+unit), nil)
		s.add("with", unit, series["with "+unit], nil)
		s.add("without", unit, series["without "+unit], nil)
	}
}

// programs are the texts of the three programs. Each has a place for a number.
var programs = map[string]string{
	"without": withoutMaps,
	"logging": strings.NewReplacer("\"fmt\"", "\"fmt\"\n\t\"log/slog\"", "fmt.Println", "slog.Info(\"\")\n\tfmt.Println").Replace(withoutMaps),
	"with":    withMaps,
}

// moduleRoot returns where the module of spanlock is, as the go command sees it.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/spanlock/spanlock").Output()
	if err != nil {
		return "", err
	}
	root := strings.TrimSpace(string(out))
	if root == "" {
		return "", errors.New("the module has no directory")
	}
	return root, nil
}

// build writes a program into dir and builds it. Its text contains the time, so it is new to
// the go command, which has to compile and link it.
func build(dir, root, text string) (time.Duration, int64, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return 0, 0, err
	}
	mod := fmt.Sprintf("module consumer\n\ngo 1.25.0\n\nrequire %s v0.0.0\n\nreplace %[1]s => %s\n", "github.com/spanlock/spanlock", root)
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		return 0, 0, err
	}
	for file, text := range map[string]string{
		"go.mod":  mod,
		"go.sum":  string(sum),
		"main.go": fmt.Sprintf(text, time.Now().UnixNano()),
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o666); err != nil {
			return 0, 0, err
		}
	}
	program := filepath.Join(dir, "consumer.exe")
	cmd := exec.Command("go", "build", "-mod=mod", "-trimpath", "-buildvcs=false", "-o", program, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "GOPROXY=off")
	start := time.Now()
	out, err := cmd.CombinedOutput()
	d := time.Since(start)
	if err != nil {
		return 0, 0, fmt.Errorf("%w\n%s", err, out)
	}
	info, err := os.Stat(program)
	if err != nil {
		return 0, 0, err
	}
	return d, info.Size(), nil
}

// withoutMaps is a program that imports what any server imports, and has no map.
const withoutMaps = `package main

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var mu sync.RWMutex
	mu.RLock()
	fmt.Println(int64(%d), ctx.Err(), bytes.Compare(nil, nil))
	mu.RUnlock()
}
`

// withMaps is the same with three kinds of map.
const withMaps = `package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

func use[K any, V any](m *rangelock.Map[K, V], a, b K, v V) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	fmt.Println(m.Insert(ctx, rangelock.Range[K]{Lo: a, Hi: b}, v))
	if g, ok := m.Acquire(a); ok {
		fmt.Println(g.Value(), g.Range())
		g.Release()
	}
	w := m.Lock()
	fmt.Println(w.Swap(rangelock.Range[K]{Lo: a, Hi: b}, v))
	w.Unlock()
	for r := range m.All() {
		fmt.Println(r)
	}
	fmt.Println(m.Remove(ctx, rangelock.Range[K]{Lo: a, Hi: b}))
	fmt.Println(m.Close(ctx))
}

func main() {
	var mu sync.RWMutex
	mu.RLock()
	fmt.Println(int64(%d), cmp.Compare(1, 2))
	mu.RUnlock()
	use(rangelock.New[uint64, *int](nil), 1, 2, nil)
	use(rangelock.New[string, int](nil), "a", "b", 1)
	use(rangelock.NewFunc[[]byte, []byte](bytes.Compare, nil), []byte("a"), []byte("b"), nil)
}
`
