// Command picture runs a small program under load, collects its metrics every second as
// Prometheus would, evaluates the queries of dashboard.json over them, and draws the panels as an
// SVG. It needs neither Prometheus nor Grafana, and its picture is not a screenshot of Grafana,
// which draws the same data differently.
//
//	go run ./picture -duration 1m -o dashboard.svg
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	spanlockprom "github.com/spanlock/spanlock/contrib/prometheus"
)

// panel has the parts of a panel of the dashboard that are drawn.
type panel struct {
	Type, Title string
	GridPos     struct{ H, W, X, Y int }
	FieldConfig struct{ Defaults struct{ Unit string } }
	Targets     []struct{ Expr, LegendFormat string }
}

func main() {
	duration := flag.Duration("duration", time.Minute, "how long the program runs")
	every := flag.Duration("every", time.Second, "how often the metrics are collected")
	in := flag.String("dashboard", "dashboard.json", "the dashboard's `file`")
	out := flag.String("o", "dashboard.svg", "the picture's `file`")
	flag.Parse()
	if err := run(*duration, *every, *in, *out); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

func run(duration, every time.Duration, in, out string) error {
	panels, err := readPanels(in)
	if err != nil {
		return err
	}
	var c spanlockprom.Collector
	registry := prometheus.NewRegistry()
	if err := registry.Register(&c); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), duration)
	defer cancel()
	p := start(ctx, &c, duration)
	h, err := watch(ctx, registry, every)
	if err := p.end(); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	if err := draw(f, panels, h); err != nil {
		return err
	}
	return f.Close()
}

func readPanels(file string) ([]panel, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var d struct{ Panels []panel }
	if err := json.Unmarshal(b, &d); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return d.Panels, nil
}

// watch collects until ctx ends.
func watch(ctx context.Context, from prometheus.Gatherer, every time.Duration) (*history, error) {
	h := &history{every: every}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		families, err := from.Gather()
		if err != nil {
			return nil, err
		}
		h.add(families)
		select {
		case <-ctx.Done():
			return h, nil
		case <-tick.C:
		}
	}
}
