package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"
)

// clock gives the times of a history. One shared counter orders every beginning and end.
// A real clock could give the same time twice.
type clock struct{ n atomic.Int64 }

func (c *clock) now() int64 { return c.n.Add(1) }

// A history is what was done to one object that is judged by itself. While it is recorded,
// each goroutine has its own part. Their order does not matter when they are put together.
type history []porcupine.Operation

// add records one operation; what holds both its arguments and its result.
func (h *history) add(client int, call, ret int64, what any) {
	*h = append(*h, porcupine.Operation{ClientId: client, Input: what, Call: call, Return: ret})
}

// A tally counts what was judged. One goroutine at a time uses it.
type tally struct {
	histories, operations int
	longest               int
	judging               time.Duration
	kinds                 map[kind]int
}

// A kind is an operation with a kind of result.
type kind struct{ name, answer string }

func (k kind) String() string { return strings.TrimSuffix(k.name+":"+k.answer, ":") }

func (t *tally) count(name, answer string) {
	if t.kinds == nil {
		t.kinds = map[kind]int{}
	}
	t.kinds[kind{name, answer}]++
}

// print writes the totals, and how often each operation gave each kind of result.
func (t *tally) print(w io.Writer, name string, took time.Duration) {
	if t.histories == 0 {
		return
	}
	fmt.Fprintf(w, "%s: %d histories with %d operations (longest %d), %.2f million a minute; judged in %v\n",
		name, t.histories, t.operations, t.longest,
		float64(t.operations)/took.Minutes()/1e6, t.judging.Round(time.Millisecond))
	kinds := slices.SortedFunc(maps.Keys(t.kinds), func(a, b kind) int { return cmp.Compare(a.String(), b.String()) })
	line := "   "
	for _, kind := range kinds {
		word := fmt.Sprintf("  %v %d", kind, t.kinds[kind])
		if len(line)+len(word) > 110 {
			fmt.Fprintln(w, line)
			line = "   "
		}
		line += word
	}
	fmt.Fprintln(w, line)
}

// judge has porcupine judge the history. The error shows the history.
func (t *tally) judge(model porcupine.Model, h history, html string) error {
	start := time.Now()
	verdict := porcupine.CheckOperationsTimeout(model, h, patience/2)
	t.judging += time.Since(start)
	t.histories++
	t.operations += len(h)
	t.longest = max(t.longest, len(h))
	if verdict == porcupine.Ok {
		return nil
	}
	slices.SortFunc(h, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	var b strings.Builder
	fmt.Fprintf(&b, "history refuted (%s); from %s\n", verdict, model.DescribeState(model.Init()))
	for _, op := range h {
		fmt.Fprintf(&b, "  %5d %5d  goroutine %d: %s\n", op.Call, op.Return, op.ClientId, model.DescribeOperation(op.Input, nil))
	}
	if html != "" {
		_, info := porcupine.CheckOperationsVerbose(model, h, patience/2)
		if err := porcupine.VisualizePath(model, info, html); err != nil {
			fmt.Fprintf(&b, "no picture: %v\n", err)
		}
	}
	return fmt.Errorf("%s", strings.TrimRight(b.String(), "\n"))
}
