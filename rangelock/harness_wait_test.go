package rangelock_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"
)

// This file has what tests of several subjects use to wait: calls that may wait in a bubble, loads
// that wait for their test, and bounds for waits outside of bubbles.

// call is a call that may wait, in a bubble.
type call struct {
	name string
	done chan struct{}
}

func start(name string, f func()) *call {
	c := &call{name, make(chan struct{})}
	go func() {
		defer close(c.done)
		f()
	}()
	return c
}

func (c *call) returned() bool {
	synctest.Wait()
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// waits checks that the call is waiting.
func (c *call) waits(t *testing.T) {
	t.Helper()
	if c.returned() {
		t.Fatalf("%s did not wait", c.name)
	}
}

// returns checks that the call comes back without anybody's doing anything more.
func (c *call) returns(t *testing.T) {
	t.Helper()
	if !c.returned() {
		t.Fatalf("%s waits", c.name)
	}
}

// returnsIn is returns for a call that needs up to d on the bubble's clock.
func (c *call) returnsIn(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-c.done:
	case <-time.After(d):
		t.Fatalf("%s waits", c.name)
	}
}

// exclusively starts an AcquireExclusive of the range at key. It returns the call, and a variable
// that has the guard when the call has returned.
func exclusively(t *testing.T, m *intMap, key int) (*call, *intGuard) {
	g := new(intGuard)
	return start("AcquireExclusive", func() {
		var ok bool
		if *g, ok = m.AcquireExclusive(key); !ok {
			t.Errorf("AcquireExclusive(%d) finds no range", key)
		}
	}), g
}

// shared is exclusively for Acquire.
func shared(t *testing.T, m *intMap, key int) (*call, *intGuard) {
	g := new(intGuard)
	return start("Acquire", func() {
		var ok bool
		if *g, ok = m.Acquire(key); !ok {
			t.Errorf("Acquire(%d) finds no range", key)
		}
	}), g
}

type intLoad = func(ctx context.Context, key int) (intRange, string, error)

// gatedLoad is a load that waits for its test: each call is counted, and then returns what the test
// sends.
type gatedLoad struct {
	calls atomic.Int32
	ctx   atomic.Pointer[context.Context] // of the last call
	send  chan func() (intRange, string, error)
}

func newGatedLoad() *gatedLoad { return &gatedLoad{send: make(chan func() (intRange, string, error))} }

func (h *gatedLoad) load(ctx context.Context, key int) (intRange, string, error) {
	h.calls.Add(1)
	h.ctx.Store(&ctx)
	return (<-h.send)()
}

// context returns the context of the load under way.
func (h *gatedLoad) context(t *testing.T) context.Context {
	t.Helper()
	synctest.Wait()
	p := h.ctx.Load()
	if p == nil {
		t.Fatal("no load under way")
	}
	return *p
}

// loaded is what load returns: [lo, hi) with v.
func loaded(lo, hi int, v string) func() (intRange, string, error) {
	return func() (intRange, string, error) { return rg(lo, hi), v, nil }
}

// asker is a call of AcquireOrLoad under way.
type asker struct {
	*call
	g        intGuard
	err      error
	panicked any
}

func ask(ctx context.Context, m *intMap, key int, load intLoad) *asker {
	a := &asker{}
	a.call = start(fmt.Sprintf("AcquireOrLoad(%d)", key), func() {
		defer func() { a.panicked = recover() }()
		a.g, a.err = m.AcquireOrLoad(ctx, key, load)
	})
	return a
}

// gets checks that the call returns a guard with the value, and releases it.
func (a *asker) gets(t *testing.T, v string) {
	t.Helper()
	a.returns(t)
	if a.err != nil || a.panicked != nil || a.g.Value() != v {
		t.Fatalf("%s = %v, %v, want %q", a.name, a.err, a.panicked, v)
	}
	a.g.Release()
}

// fails checks that the call returns an error that is want, and nothing else.
func (a *asker) fails(t *testing.T, want error, words ...string) {
	t.Helper()
	a.returns(t)
	if !errors.Is(a.err, want) || a.g != (intGuard{}) || a.panicked != nil {
		t.Fatalf("%s = %v, %v, want %v and no guard", a.name, a.err, a.panicked, want)
	}
	for _, word := range words {
		if !strings.Contains(a.err.Error(), word) {
			t.Errorf("%s: %v does not say %q", a.name, a.err, word)
		}
	}
}

// noLoad is the load of a call that must not load.
func noLoad(t *testing.T) intLoad {
	return func(_ context.Context, key int) (intRange, string, error) {
		t.Errorf("load(%d) is called", key)
		return intRange{}, "", errors.New("load called")
	}
}

// lastResort bounds waits that end at once unless a test fails.
const lastResort = 20 * time.Second

// inTime fails the test, with all stacks, if f does not return within lastResort.
func inTime(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	timer := time.NewTimer(lastResort)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		buf := make([]byte, 1<<20)
		t.Fatalf("%s: not done after %v\n%s", what, lastResort, buf[:runtime.Stack(buf, true)])
	}
}

// comesTrue lets other goroutines run until ok is true. It reports false if that takes longer
// than lastResort.
func comesTrue(ok func() bool) bool {
	for end := time.Now().Add(lastResort); !ok(); {
		if time.Now().After(end) {
			return false
		}
		time.Sleep(100 * time.Microsecond)
	}
	return true
}

// wantNoGoroutines fails the test if a goroutine in a function of the packages does not end.
func wantNoGoroutines(t *testing.T) {
	t.Helper()
	var stacks []byte
	gone := comesTrue(func() bool {
		buf := make([]byte, 1<<20)
		stacks = buf[:runtime.Stack(buf, true)]
		return !bytes.Contains(stacks, []byte("spanlock/epoch.")) &&
			!bytes.Contains(stacks, []byte("spanlock/rangelock.")) &&
			!bytes.Contains(stacks, []byte("spanlock/rwsem."))
	})
	if !gone {
		t.Fatalf("a goroutine does not end:\n%s", stacks)
	}
}

// block is a value or a key that is worth collecting.
type block struct {
	n    int
	room [120]byte
}

// collected lets the collector run until none of the pointers leads anywhere any
// more, and reports false if it does not come to that.
func collected[T any](ps []weak.Pointer[T]) bool {
	end := time.Now().Add(lastResort)
	for _, p := range ps {
		for p.Value() != nil {
			if time.Now().After(end) {
				return false
			}
			runtime.GC()
			time.Sleep(time.Millisecond)
		}
	}
	return true
}
