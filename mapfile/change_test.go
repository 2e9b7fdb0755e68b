package mapfile_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/mapfile"
	"github.com/spanlock/spanlock/rangelock"
)

// bubble runs the test with each kind, in a synctest bubble, which detects blocking.
func bubble(t *testing.T, test func(t *testing.T, k kind)) {
	eachKind(t, func(t *testing.T, k kind) {
		synctest.Test(t, func(t *testing.T) { test(t, k) })
	})
}

// background runs f on a goroutine. The returned function waits until every other goroutine of
// the bubble is blocked, and then reports whether f still runs, and the error that f has
// returned.
func background(f func() error) (state func() (running bool, err error)) {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return func() (bool, error) {
		synctest.Wait()
		select {
		case err := <-done:
			done <- err
			return false, err
		default:
			return true, nil
		}
	}
}

// acquire takes a guard. The test or its cleanup releases it, so that a failed test does not
// hang.
func acquire(t *testing.T, f *mapfile.File, off int64, n int) *mapfile.Guard {
	t.Helper()
	g, err := f.Acquire(off, n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer func() { recover() }() // the test has released it
		g.Release()
	})
	return &g
}

// TestGrowWaitsForNoReader grows a file by one byte, by pages and by much more under a guard,
// whose bytes stay.
func TestGrowWaitsForNoReader(t *testing.T) {
	bubble(t, func(t *testing.T, k kind) {
		page := mapfile.Granularity()
		want := pattern(1, int(page)/2)
		f := k.create(t, want)
		g := acquire(t, f, 0, len(want))
		for _, size := range []int64{int64(len(want)) + 1, page, page + 1, 7 * page, 5 * page, 100*page + 1} {
			if running, err := background(func() error { return f.Grow(t.Context(), size) })(); running || err != nil {
				t.Fatalf("Grow to %d: waits: %v, error: %v", size, running, err)
			}
			if want := max(size, f.Size()); f.Size() != want || length(t, f.Name()) != want {
				t.Fatalf("Grow to %d: Size is %d, the file has %d", size, f.Size(), length(t, f.Name()))
			}
			if err := f.View(f.Size()-1, 1, func(b []byte) error { b[0]++; return nil }); err != nil {
				t.Fatalf("grown to %d: %v", size, err)
			}
		}
		if !bytes.Equal(g.Bytes(), want) {
			t.Error("the bytes under the guard have changed")
		}
		g.Release()
	})
}

// TestTruncateWaits: Truncate waits for the reader of the bytes that it cuts off, while other
// readers come and go.
func TestTruncateWaits(t *testing.T) {
	bubble(t, func(t *testing.T, k kind) {
		page := mapfile.Granularity()
		want := pattern(1, int(4*page))
		f := k.create(t, want)
		f2 := f.Name()
		g := acquire(t, f, 3*page, 10)
		state := background(func() error { return f.Truncate(t.Context(), page+5) })
		if running, err := state(); !running {
			t.Fatalf("Truncate does not wait: %v", err)
		}
		if length(t, f2) != 4*page || !bytes.Equal(g.Bytes(), want[3*page:3*page+10]) {
			t.Errorf("the file was cut off under a reader")
		}
		if !k.exact {
			if f.Size() != page+5 {
				t.Errorf("Size is %d", f.Size())
			}
			if err := f.View(page, 5, func(b []byte) error { return nil }); err != nil {
				t.Errorf("View of what stays: %v", err)
			}
			if err := f.View(page, 6, nil); !errors.Is(err, mapfile.ErrBeyond) {
				t.Errorf("View of what goes: %v", err)
			}
		} else {
			view := background(func() error { return f.View(0, 5, func([]byte) error { return nil }) })
			if running, err := view(); !running {
				t.Errorf("View does not wait for a file that is being unmapped: %v", err)
			}
			size := background(func() error { f.Size(); return nil })
			defer func() {
				for _, state := range []func() (bool, error){view, size} {
					if running, err := state(); running || err != nil {
						t.Errorf("afterwards: runs %v, %v", running, err)
					}
				}
			}()
		}
		g.Release()
		if running, err := state(); running || err != nil {
			t.Fatalf("after the release: runs %v, %v", running, err)
		}
		if f.Size() != page+5 || length(t, f2) != page+5 {
			t.Errorf("Size is %d, the file has %d", f.Size(), length(t, f2))
		}
	})
}

// TestTruncateWaitsForRetired: Truncate waits for a reader of a mapping that Grow has replaced.
func TestTruncateWaitsForRetired(t *testing.T) {
	bubble(t, func(t *testing.T, k kind) {
		page := mapfile.Granularity()
		want := pattern(1, int(page)+100)
		f := k.create(t, want)
		g := acquire(t, f, page, 100)
		for i := range int64(3) { // also past what is mapped in advance
			if err := f.Grow(t.Context(), 40*page*(i+1)); err != nil {
				t.Fatal(err)
			}
		}
		state := background(func() error { return f.Truncate(t.Context(), page+50) })
		if running, err := state(); !running {
			t.Fatalf("Truncate does not wait for the reader of a retired mapping: %v", err)
		}
		if !bytes.Equal(g.Bytes(), want[page:]) {
			t.Error("the bytes under the guard have changed")
		}
		g.Release()
		if running, err := state(); running || err != nil {
			t.Errorf("after the release: runs %v, %v", running, err)
		}
	})
}

// TestTruncateSpares: Truncate does not wait for readers of segments that stay, nor for readers
// of a retired part that ends before the new end.
func TestTruncateSpares(t *testing.T) {
	bubble(t, func(t *testing.T, k kind) {
		if k.segment == 0 || k.exact {
			t.Skip("there are no segments, or they are all unmapped")
		}
		page := k.segment
		f := k.create(t, pattern(1, int(page)+100))
		first, last := acquire(t, f, 0, 10), acquire(t, f, page, 100)
		if err := f.Grow(t.Context(), 5*page); err != nil {
			t.Fatal(err)
		}
		if running, err := background(func() error { return f.Truncate(t.Context(), page+100) })(); running || err != nil {
			t.Errorf("waits: %v, error: %v", running, err)
		}
		first.Release()
		last.Release()
	})
}

// TestTruncateGivesUp: after a Truncate that gives up, the file is as it was, for old and new
// readers.
func TestTruncateGivesUp(t *testing.T) {
	bubble(t, func(t *testing.T, k kind) {
		page := mapfile.Granularity()
		want := pattern(1, int(5*page)+9)
		f := k.create(t, want)
		g := acquire(t, f, 5*page, 9)
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("enough"))
		defer cancel()
		err := f.Truncate(ctx, 3)
		var w *mapfile.WaitError
		if !errors.As(err, &w) || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, context.Cause(ctx)) {
			t.Fatalf("Truncate: %v", err)
		}
		from := int64(0)
		if k.segment > 0 {
			from = 5 * page / k.segment * k.segment
		}
		if r := rangelock.Span(from, 5*page+9); w.Op != "Truncate" || w.Path != f.Name() || w.Waited != time.Second || !slices.Equal(w.Held, []rangelock.Range[int64]{r}) ||
			!strings.Contains(err.Error(), "readers are still in "+r.String()) {
			t.Errorf("Truncate: %v", err)
		}
		check := func() {
			t.Helper()
			if f.Size() != int64(len(want)) || length(t, f.Name()) != f.Size() {
				t.Errorf("Size is %d, the file has %d", f.Size(), length(t, f.Name()))
			}
			b := make([]byte, len(want))
			if _, err := f.ReadAt(b, 0); err != nil || !bytes.Equal(b, want) || !bytes.Equal(g.Bytes(), want[5*page:]) {
				t.Errorf("other bytes, or %v", err)
			}
		}
		check()

		// The context has ended at the call.
		for name, err := range map[string]error{"Truncate": f.Truncate(ended(), 3), "Grow": f.Grow(ended(), 100*page), "Swap": f.Swap(ended(), f.Name()), "Close": f.Close(ended())} {
			if !errors.As(err, &w) || w.Op != name || !errors.Is(err, context.Canceled) {
				t.Errorf("%s with an ended context: %v", name, err)
			}
		}
		check()
		g.Release()
		if err := f.Truncate(t.Context(), 3); err != nil || f.Size() != 3 {
			t.Errorf("Truncate after the release: %v, Size is %d", err, f.Size())
		}
	})
}

// TestTurn: the error of a call that waits behind a Truncate and gives up names the Truncate.
func TestTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := kind{}.create(t, pattern(1, 100))
		g := acquire(t, f, 0, 100)
		state := background(func() error { return f.Truncate(t.Context(), 10) })
		state()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := f.Grow(ctx, 1000)
		var w *mapfile.WaitError
		if !errors.As(err, &w) || w.Behind != "Truncate" || !strings.Contains(err.Error(), "gave up waiting for a Truncate to end after 1s") {
			t.Errorf("Grow: %v", err)
		}
		g.Release()
		if running, err := state(); running || err != nil {
			t.Error(running, err)
		}
	})
}

// TestSwap replaces the file under a reader, which keeps the old file.
func TestSwap(t *testing.T) {
	bubble(t, func(t *testing.T, k kind) {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // a fault is this test's, not the program's
		old, fresh := pattern(1, 1000), pattern(7, int(3*mapfile.Granularity()))
		f := k.create(t, old)
		was, path := f.Name(), filepath.Join(t.TempDir(), "fresh")
		if err := os.WriteFile(path, fresh, 0o666); err != nil {
			t.Fatal(err)
		}
		g := acquire(t, f, 0, 1000)
		if running, err := background(func() error { return f.Swap(t.Context(), path) })(); running || err != nil {
			t.Fatalf("waits: %v, error: %v", running, err)
		}
		if f.Name() != path || f.Size() != int64(len(fresh)) {
			t.Errorf("now %s, %d bytes", f.Name(), f.Size())
		}
		b := make([]byte, len(fresh))
		if _, err := f.ReadAt(b, 0); err != nil || !bytes.Equal(b, fresh) || !bytes.Equal(g.Bytes(), old) {
			t.Errorf("other bytes, or %v", err)
		}
		// Truncate cuts off bytes of the new file.
		if running, err := background(func() error { return f.Truncate(t.Context(), 10) })(); running || err != nil {
			t.Errorf("Truncate waits for a reader of the old file: %v, %v", running, err)
		}
		if s := f.Stats(); s.Pending == 0 || s.Ranges < 2 {
			t.Errorf("Stats: %v", s)
		}
		if mapfile.Living(was) != 1 {
			t.Errorf("%d mappings of the old file under a guard", mapfile.Living(was))
		}
		g.Release()
		synctest.Wait()
		if mapfile.Living(was) != 0 {
			t.Error("the old file is mapped without a reader")
		}
	})
}

// TestCloseAfterSwap: the error of a Close that gives up names the file that the readers have, which
// is the old one. That of a Truncate names no readers of the old file, for which it does not wait.
//
// It kills 284_new_path_of_old_readers.
func TestCloseAfterSwap(t *testing.T) {
	bubble(t, func(t *testing.T, k kind) {
		f := k.create(t, pattern(1, 100))
		was, path := f.Name(), filepath.Join(t.TempDir(), "fresh")
		if err := os.WriteFile(path, pattern(2, 200), 0o666); err != nil {
			t.Fatal(err)
		}
		old := acquire(t, f, 0, 100)
		if err := f.Swap(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		fresh := acquire(t, f, 0, 200)
		giveUp := func(f func(context.Context) error) (w *mapfile.WaitError) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := f(ctx); !errors.As(err, &w) {
				t.Fatalf("%v", err)
			}
			return w
		}
		span := rangelock.Span[int64]
		w := giveUp(func(ctx context.Context) error { return f.Truncate(ctx, 10) })
		if !slices.Equal(w.Held, []rangelock.Range[int64]{span(0, 200)}) || !slices.Equal(w.Files, []string{path}) {
			t.Errorf("Truncate: %v, files %v", w, w.Files)
		}
		fresh.Release()
		w = giveUp(f.Close)
		if !slices.Equal(w.Held, []rangelock.Range[int64]{span(0, 100)}) || !slices.Equal(w.Files, []string{was}) ||
			!strings.Contains(w.Error(), "Close of "+path+" gave up waiting") || !strings.Contains(w.Error(), "readers are still in [0, 100) of "+was+":") {
			t.Errorf("Close: %v, files %v", w, w.Files)
		}
		old.Release()
		if err := f.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestCloseWaits: the error of a Close that gives up has the ranges of the readers.
func TestCloseWaits(t *testing.T) {
	bubble(t, func(t *testing.T, k kind) {
		f := k.create(t, pattern(1, 100))
		g := acquire(t, f, 0, 100)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := f.Close(ctx)
		var w *mapfile.WaitError
		if !errors.As(err, &w) || w.Op != "Close" || !slices.Equal(w.Held, []rangelock.Range[int64]{rangelock.Span[int64](0, 100)}) {
			t.Errorf("Close: %v", err)
		}
		if err := f.View(0, 1, nil); !errors.Is(err, mapfile.ErrClosed) {
			t.Errorf("View: %v", err)
		}
		if !bytes.Equal(g.Bytes(), pattern(1, 100)) {
			t.Error("other bytes")
		}
		state := background(func() error { return f.Close(t.Context()) })
		if running, err := state(); !running {
			t.Errorf("the second Close does not wait: %v", err)
		}
		g.Release()
		if running, err := state(); running || err != nil {
			t.Errorf("after the release: runs %v, %v", running, err)
		}
	})
}

// TestAppended: other programs may append to the file, and Grow takes over what they wrote. If the
// file was truncated from outside, Grow does not bring its bytes back as zeros, and Truncate does
// not claim that the file has them. A Truncate to the length that the file has makes the File agree
// with it again.
//
// It kills 285_truncate_of_shrunk.
func TestAppended(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		f := k.create(t, pattern(1, 100))
		if err := os.Truncate(f.Name(), 300); err != nil {
			t.Fatal(err)
		}
		if f.Size() != 100 {
			t.Errorf("Size is %d", f.Size())
		}
		if err := f.Grow(t.Context(), 200); err != nil || f.Size() != 200 || length(t, f.Name()) != 300 {
			t.Errorf("Grow: %v, Size is %d, the file has %d", err, f.Size(), length(t, f.Name()))
		}
		if err := os.Truncate(f.Name(), 50); err != nil {
			t.Fatal(err)
		}
		if err := f.Grow(t.Context(), 500); !errors.Is(err, mapfile.ErrShrunk) || !strings.Contains(err.Error(), "which has 50 bytes now") {
			t.Errorf("Grow: %v", err)
		}
		var op *mapfile.OpError
		if err := f.Truncate(t.Context(), 60); !errors.Is(err, mapfile.ErrShrunk) || !errors.As(err, &op) || op.N != 60 || op.Size != 50 {
			t.Fatalf("Truncate to more than the file has: %v", err)
		}
		if f.Size() != 200 || length(t, f.Name()) != 50 {
			t.Errorf("Truncate has failed: Size is %d, the file has %d", f.Size(), length(t, f.Name()))
		}
		if err := f.Truncate(t.Context(), op.Size); err != nil || f.Size() != 50 || length(t, f.Name()) != 50 {
			t.Errorf("Truncate to what the file has: %v, Size is %d, the file has %d", err, f.Size(), length(t, f.Name()))
		}
		if err := f.Grow(t.Context(), 80); err != nil || f.Size() != 80 || length(t, f.Name()) != 80 {
			t.Errorf("Grow after that: %v, Size is %d, the file has %d", err, f.Size(), length(t, f.Name()))
		}
	})
}
