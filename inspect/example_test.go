package inspect_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/spanlock/spanlock/inspect"
	"github.com/spanlock/spanlock/rangelock"
)

// A map of files is shown beside pprof. Options describes what each range stands for.
func Example() {
	ctx := context.Background()
	m := rangelock.New[int, string](nil)
	for i, file := range []string{"a.log", "b.log", "c.log"} {
		lo := i * 4096
		if err := m.Insert(ctx, rangelock.Span(lo, lo+4096), file); err != nil {
			fmt.Println(err)
		}
	}
	g, _ := m.Acquire(5000)
	defer g.Release()

	mux := http.NewServeMux()
	mux.Handle("/debug/spanlock", inspect.Handler(inspect.Named("files", m, &inspect.Options[int, string]{
		Value: func(_ rangelock.Range[int], file string) string { return file },
	})))
	server := httptest.NewServer(mux)
	defer server.Close()

	resp, err := http.Get(server.URL + "/debug/spanlock?format=text")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			fmt.Print(strings.ReplaceAll(line, "\t", "  "))
		}
	}
	// Output:
	// 0-4096  free  0  a.log
	// 4096-8192  held  1  b.log
	// 8192-12288  free  0  c.log
}
