// Package spanlockotel gives OpenTelemetry the statistics of maps of package rangelock: readers that
// fell back, waits and their duration, holders of the lock, ranges that are pending.
//
//	o, err := spanlockotel.New(otel.Meter("segments"))
//	…
//	o.Add("segments", m)
//
// It is a module of its own, so that a program without OpenTelemetry does not depend on it.
// Each collection calls Stats of each map once. The documentation of module contrib/prometheus
// says what that costs, and what the numbers do not show.
package spanlockotel

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/spanlock/spanlock/rangelock"
)

// Map is a [rangelock.Map], or a rangealloc.Map, of any types.
type Map interface{ Stats() rangelock.Stats }

// Observer observes maps, each under a name, with the attribute map=name. New makes an Observer. Its
// methods may be called by several goroutines at the same time. It keeps a map alive until Remove.
type Observer struct {
	mu   sync.Mutex
	maps map[string]Map // by name; under mu

	instruments map[string]metric.Float64Observable // by name; written by New
	registered  metric.Registration
}

// New makes the instruments with meter, and returns an Observer without maps. The error is the
// meter's.
func New(meter metric.Meter) (*Observer, error) {
	o := &Observer{maps: map[string]Map{}, instruments: map[string]metric.Float64Observable{}}
	var all []metric.Observable
	for _, n := range numbers {
		if o.instruments[n.name] != nil {
			continue // it has several attributes
		}
		var i metric.Float64Observable
		var err error
		if n.counts {
			i, err = meter.Float64ObservableCounter(n.name, metric.WithDescription(n.help), metric.WithUnit(n.unit))
		} else {
			i, err = meter.Float64ObservableGauge(n.name, metric.WithDescription(n.help), metric.WithUnit(n.unit))
		}
		if err != nil {
			return nil, err
		}
		o.instruments[n.name], all = i, append(all, i)
	}
	var err error
	o.registered, err = meter.RegisterCallback(o.observe, all...)
	return o, err
}

// Add begins the observation of the map. It panics if name is empty or taken, or if m.Stats
// panics.
func (o *Observer) Add(name string, m Map) {
	m.Stats() // a map that was not made by New panics here, and not in a collection
	o.mu.Lock()
	defer o.mu.Unlock()
	if name == "" || o.maps[name] != nil {
		panic(fmt.Sprintf("spanlockotel: the name %q is empty or taken", name))
	}
	o.maps[name] = m
}

// Remove ends the observation of the map of that name, if there is one. A collection that is
// running may still show the map, and use it.
func (o *Observer) Remove(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.maps, name)
}

// Close ends all observation. The error is the meter's.
func (o *Observer) Close() error { return o.registered.Unregister() }

// observe is called for each collection.
func (o *Observer) observe(_ context.Context, to metric.Observer) error {
	o.mu.Lock()
	now := maps.Clone(o.maps)
	o.mu.Unlock()
	for name, m := range now {
		s := m.Stats()
		for _, n := range numbers {
			labels := []attribute.KeyValue{attribute.String("map", name)}
			if n.key != "" {
				labels = append(labels, attribute.String(n.key, n.value))
			}
			to.ObserveFloat64(o.instruments[n.name], n.read(s), metric.WithAttributes(labels...))
		}
	}
	return nil
}
