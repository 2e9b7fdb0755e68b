package main

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestPicture draws all panels of the dashboard from a short run.
func TestPicture(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.svg")
	if err := run(time.Second, 100*time.Millisecond, "../dashboard.json", out); err != nil {
		t.Fatal(err)
	}
	wellFormed(t, out)
}

// TestKeptPicture: the committed picture is an SVG.
func TestKeptPicture(t *testing.T) { wellFormed(t, "../dashboard.svg") }

func wellFormed(t *testing.T, file string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	paths := 0
	for d := xml.NewDecoder(f); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "path" {
			paths++
		}
	}
	if paths < 30 {
		t.Errorf("%s has %d lines", file, paths)
	}
}

// TestEval: the queries give what Prometheus would give for samples without gaps.
func TestEval(t *testing.T) {
	labels := map[string]string{"map": "a"}
	h := &history{every: 2 * time.Second, n: 6, series: map[string][]*line{
		"sum": {{labels, []float64{0, 1, 2, 3, 4, 24}}},
		"n":   {{labels, []float64{0, 0, 0, 0, 0, 10}}},
	}}
	for expr, want := range map[string]float64{
		`sum{map=~"$map"}`:                         24,
		`rate(sum{map=~"$map"}[$__rate_interval])`: 23. / 8,
		`rate(sum{map=~"$map"}[$__rate_interval]) / (rate(n{map=~"$map"}[$__rate_interval]) > 0)`: 2.3,
	} {
		lines, err := h.eval(expr)
		if err != nil || len(lines) != 1 || math.Abs(lines[0].values[5]-want) > 1e-9 {
			t.Errorf("%s = %v, %v, want %v", expr, lines, err, want)
		}
	}
	if _, err := h.eval(`sum by (map) (n)`); err == nil {
		t.Error("there is no error for a query that the program does not know")
	}
}
