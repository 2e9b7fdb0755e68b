package spanlockotel_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	spanlockotel "github.com/spanlock/spanlock/contrib/otel"
	"github.com/spanlock/spanlock/rangelock"
	"github.com/spanlock/spanlock/rwsem"
)

// fixed is a map whose Stats never change.
type fixed struct{ s rangelock.Stats }

func (f fixed) Stats() rangelock.Stats { return f.s }

// collect returns a line for each number, sorted.
func collect(t *testing.T, r *metric.ManualReader) string {
	t.Helper()
	var got metricdata.ResourceMetrics
	if err := r.Collect(context.Background(), &got); err != nil {
		t.Fatal(err)
	}
	var lines []string
	add := func(m metricdata.Metrics, kind string, points []metricdata.DataPoint[float64]) {
		for _, p := range points {
			line := kind + " " + m.Name
			for _, a := range p.Attributes.ToSlice() {
				line += fmt.Sprintf(" %s=%s", a.Key, a.Value.AsString())
			}
			lines = append(lines, fmt.Sprintf("%s %g %s\n", line, p.Value, m.Unit))
		}
	}
	for _, scope := range got.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Gauge[float64]:
				add(m, "gauge", d.DataPoints)
			case metricdata.Sum[float64]:
				if !d.IsMonotonic {
					t.Errorf("%s is not a counter", m.Name)
				}
				add(m, "counter", d.DataPoints)
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// TestObserve: each number is in the instrument of its name, until Remove or Close.
//
// It kills 259_observed_after_close.
func TestObserve(t *testing.T) {
	r := metric.NewManualReader()
	o, err := spanlockotel.New(metric.NewMeterProvider(metric.WithReader(r)).Meter("test"))
	if err != nil {
		t.Fatal(err)
	}
	o.Add("a", fixed{rangelock.Stats{
		Ranges: 1, Bytes: 2, FellBackBusy: 3, FellBackMiss: 4, FellBackGone: 5,
		LockWaits: 6, ExcludeWaits: 7, TurnWaits: 8, LockWaited: 1500 * time.Millisecond, ExcludeWaited: 2 * time.Second, TurnWaited: 3 * time.Second,
		Waiting: 9, Retired: 10, Pending: 11, PendingCost: 12, Transactions: 15, MaxPending: 16, Sem: rwsem.Stats{Writer: true, WaitingReaders: 13, WaitingWriters: 14},
	}})
	want := `counter spanlock.fallbacks map=a reason=busy 3 {attempt}
counter spanlock.fallbacks map=a reason=gone 5 {attempt}
counter spanlock.fallbacks map=a reason=miss 4 {attempt}
counter spanlock.retired map=a 10 {range}
counter spanlock.transactions map=a 15 {transaction}
counter spanlock.wait.time for=exclude map=a 2 s
counter spanlock.wait.time for=lock map=a 1.5 s
counter spanlock.wait.time for=turn map=a 3 s
counter spanlock.waits for=exclude map=a 7 {wait}
counter spanlock.waits for=lock map=a 6 {wait}
counter spanlock.waits for=turn map=a 8 {wait}
gauge spanlock.lock.waiting map=a mode=read 13 {goroutine}
gauge spanlock.lock.waiting map=a mode=write 14 {goroutine}
gauge spanlock.lock.writer map=a 1 1
gauge spanlock.memory map=a 2 By
gauge spanlock.pending map=a 11 {range}
gauge spanlock.pending.cost map=a 12 1
gauge spanlock.pending.cost.limit map=a 16 1
gauge spanlock.ranges map=a 1 {range}
gauge spanlock.waiting map=a 9 {wait}
`
	if got := collect(t, r); got != want {
		t.Errorf("observed are\n%swant\n%s", got, want)
	}
	o.Remove("a")
	if got := collect(t, r); got != "" {
		t.Errorf("observed after Remove are\n%s", got)
	}
	o.Add("a", fixed{})
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if got := collect(t, r); got != "" {
		t.Errorf("observed after Close are\n%s", got)
	}
}

// TestAdd: a name can be taken only once, and a map must have been made by New.
func TestAdd(t *testing.T) {
	o, err := spanlockotel.New(metric.NewMeterProvider().Meter("test"))
	if err != nil {
		t.Fatal(err)
	}
	o.Add("a", fixed{})
	for what, add := range map[string]func(){
		"taken": func() { o.Add("a", fixed{}) },
		"empty": func() { o.Add("", fixed{}) },
		"New":   func() { o.Add("b", new(rangelock.Map[int, int])) },
	} {
		func() {
			defer func() {
				if p := fmt.Sprint(recover()); !strings.Contains(p, what) {
					t.Errorf("panic %q, want one with %q", p, what)
				}
			}()
			add()
		}()
	}
}

func Example() {
	reader := metric.NewManualReader() // a program has an exporter here
	o, err := spanlockotel.New(metric.NewMeterProvider(metric.WithReader(reader)).Meter("segments"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer o.Close()
	m := rangelock.New[int, string](nil)
	if err := m.Insert(context.Background(), rangelock.Span(0, 10), "segment"); err != nil {
		fmt.Println(err)
	}
	o.Add("segments", m)

	var got metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &got); err != nil {
		fmt.Println(err)
	}
	for _, x := range got.ScopeMetrics[0].Metrics {
		if d, ok := x.Data.(metricdata.Gauge[float64]); ok && x.Name == "spanlock.ranges" {
			fmt.Println(x.Name, d.DataPoints[0].Value)
		}
	}
	// Output: spanlock.ranges 1
}
