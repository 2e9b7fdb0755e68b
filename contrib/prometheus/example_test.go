package spanlockprom_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	spanlockprom "github.com/spanlock/spanlock/contrib/prometheus"
	"github.com/spanlock/spanlock/rangelock"
)

func Example() {
	ctx := context.Background()
	m := rangelock.New[int, string](nil)
	for i := range 3 {
		if err := m.Insert(ctx, rangelock.Span(10*i, 10*i+10), "segment"); err != nil {
			fmt.Println(err)
		}
	}

	var c spanlockprom.Collector
	c.Add("segments", m)
	registry := prometheus.NewRegistry()
	registry.MustRegister(&c)

	// A program calls http.Handle("/metrics", h) and serves; this example makes one scrape.
	h := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(answer.Body.String()) {
		if strings.HasPrefix(line, "spanlock_ranges{") || strings.HasPrefix(line, "spanlock_lock_w") {
			fmt.Print(line)
		}
	}
	// Output:
	// spanlock_lock_waiting{map="segments",mode="read"} 0
	// spanlock_lock_waiting{map="segments",mode="write"} 0
	// spanlock_lock_writer_held{map="segments"} 0
	// spanlock_ranges{map="segments"} 3
}
