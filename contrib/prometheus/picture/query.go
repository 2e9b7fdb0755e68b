package main

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// history is all that was collected, one sample after the other.
type history struct {
	every  time.Duration
	n      int
	series map[string][]*line // by metric
}

// line is one series: a value for each sample, NaN where there was none.
type line struct {
	labels map[string]string
	values []float64
}

func (h *history) add(families []*dto.MetricFamily) {
	if h.series == nil {
		h.series = map[string][]*line{}
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, p := range m.GetLabel() {
				labels[p.GetName()] = p.GetValue()
			}
			i := slices.IndexFunc(h.series[f.GetName()], func(l *line) bool { return maps.Equal(l.labels, labels) })
			if i < 0 {
				i = len(h.series[f.GetName()])
				h.series[f.GetName()] = append(h.series[f.GetName()], &line{labels: labels})
			}
			l := h.series[f.GetName()][i]
			for len(l.values) < h.n {
				l.values = append(l.values, math.NaN())
			}
			l.values = append(l.values, m.GetGauge().GetValue()+m.GetCounter().GetValue())
		}
	}
	h.n++
}

// rateOver is how many samples a rate looks back: four steps, like Grafana's $__rate_interval.
const rateOver = 4

var (
	plain = regexp.MustCompile(`^(\w+)\{\w+=~"\$\w+"\}$`)
	rate  = regexp.MustCompile(`^rate\((\w+\{.*\})\[\$__rate_interval\]\)$`)
	ratio = regexp.MustCompile(`^(rate\(.*\)) / \((rate\(.*\)) > 0\)$`)
)

// eval is the part of Prometheus's language that the dashboard uses: a metric, its rate, and a rate
// divided by another. All variables match everything.
func (h *history) eval(expr string) ([]*line, error) {
	if m := ratio.FindStringSubmatch(expr); m != nil {
		over, err := h.eval(m[1])
		if err != nil {
			return nil, err
		}
		under, err := h.eval(m[2])
		if err != nil {
			return nil, err
		}
		var found []*line
		for _, a := range over {
			for _, b := range under {
				if maps.Equal(a.labels, b.labels) {
					found = append(found, combine(a, b))
				}
			}
		}
		return found, nil
	}
	if m := rate.FindStringSubmatch(expr); m != nil {
		lines, err := h.eval(m[1])
		for i, l := range lines {
			lines[i] = h.rate(l)
		}
		return lines, err
	}
	if m := plain.FindStringSubmatch(expr); m != nil {
		return slices.Clone(h.series[m[1]]), nil
	}
	return nil, fmt.Errorf("this program does not know the query %s", expr)
}

func combine(a, b *line) *line {
	l := &line{labels: a.labels}
	for i, x := range a.values {
		if b.values[i] > 0 {
			l.values = append(l.values, x/b.values[i])
		} else {
			l.values = append(l.values, math.NaN())
		}
	}
	return l
}

func (h *history) rate(of *line) *line {
	l := &line{labels: of.labels}
	for i, x := range of.values {
		back := max(i-rateOver, 0)
		if i == 0 {
			l.values = append(l.values, math.NaN())
		} else {
			l.values = append(l.values, (x-of.values[back])/(float64(i-back)*h.every.Seconds()))
		}
	}
	return l
}

// legend puts the labels into the format.
func (l *line) legend(format string) string {
	for name, value := range l.labels {
		format = strings.ReplaceAll(format, "{{"+name+"}}", value)
	}
	return format
}
