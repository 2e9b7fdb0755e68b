package spanlockprom

import "github.com/prometheus/client_golang/prometheus"

// metric is one number of a Stats.
type metric[S any] struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	label string // the value of the second label, if the metric has one
	read  func(S) float64
}

// source is a thing with a Stats.
type source[S any] struct {
	stats func() S
	list  []metric[S]
}

func (s source[S]) collect(name string, to chan<- prometheus.Metric) {
	now := s.stats() // once, so that the numbers are consistent as far as Stats makes them so
	for _, m := range s.list {
		labels := [...]string{name, m.label}
		n := len(labels)
		if m.label == "" {
			n--
		}
		to <- prometheus.MustNewConstMetric(m.desc, m.kind, m.read(now), labels[:n]...)
	}
}

// describe sends the descriptions of the metrics in list.
func describe[S any](list []metric[S], to chan<- *prometheus.Desc) {
	for _, m := range list {
		to <- m.desc
	}
}

// kindOf makes metrics of things that have the label thing.
type kindOf[S any] struct{ thing string }

func (k kindOf[S]) gauge(name, help string, read func(S) float64) metric[S] {
	return metric[S]{prometheus.NewDesc(name, help, []string{k.thing}, nil), prometheus.GaugeValue, "", read}
}

func (k kindOf[S]) counter(name, help string, read func(S) float64) metric[S] {
	return metric[S]{prometheus.NewDesc(name, help, []string{k.thing}, nil), prometheus.CounterValue, "", read}
}

// by gives m a second label, which is value here.
func by[S any](k kindOf[S], kind prometheus.ValueType, name, help, label, value string, read func(S) float64) metric[S] {
	return metric[S]{prometheus.NewDesc(name, help, []string{k.thing, label}, nil), kind, value, read}
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
