package inspect_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/inspect"
	"github.com/spanlock/spanlock/rangelock"
)

// surveyed is a map with a Survey that the test provides.
type surveyed struct {
	*rangelock.Map[int, int]
	survey iter.Seq2[rangelock.Range[int], rangelock.RangeState]
}

func (s surveyed) Survey() iter.Seq2[rangelock.Range[int], rangelock.RangeState] { return s.survey }

// ask serves one request with a context.
func ask(ctx context.Context, h http.Handler, query string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/?"+query, nil))
	return w
}

// TestClientGone checks that a walk stops when its client disconnects, in each format, and that
// the next client is served.
func TestClientGone(t *testing.T) {
	m := rangelock.New[int, int](nil)
	w := m.Lock()
	if _, err := w.Load(func(yield func(rangelock.Range[int], int) bool) {
		for i := 0; i < 20_000 && yield(rangelock.Span(i, i+1), 0); i++ {
		}
	}); err != nil {
		t.Fatal(err)
	}
	w.Unlock()
	for _, query := range []string{"", "format=fragment", "format=text", "format=json", "map=0&cut=0.1,0.2"} {
		ctx, cancel := context.WithCancel(bg)
		walked := 0
		h := inspect.Handler(show(surveyed{m, func(yield func(rangelock.Range[int], rangelock.RangeState) bool) {
			for r, s := range m.Survey() {
				if walked++; walked == 5000 {
					cancel()
				}
				if !yield(r, s) {
					return
				}
			}
		}}))
		answer := ask(ctx, h, query)
		if walked > 5000+1024 {
			t.Errorf("%q: the client went after 5000 ranges, the walk ended after %d", query, walked)
		}
		if answer.Code != http.StatusServiceUnavailable || !strings.HasPrefix(answer.Body.String(), "inspect: ") {
			t.Errorf("%q: %d %s", query, answer.Code, answer.Body)
		}
		if walked = 0; ask(bg, h, query).Code != http.StatusOK {
			t.Errorf("%q: the next client is not served", query)
		}
	}
	// A client disconnects while values are formatted.
	ctx, cancel := context.WithCancel(bg)
	formatted := 0
	h := inspect.Handler(inspect.Named("n", m, &inspect.Options[int, int]{
		Value: func(rangelock.Range[int], int) string {
			if formatted++; formatted == 3 {
				cancel()
			}
			return "v"
		},
	}))
	if answer := ask(ctx, h, "from=0&to=100"); formatted != 3 || answer.Code != http.StatusServiceUnavailable {
		t.Errorf("the client went at the value 3, the answer %d has taken %d", answer.Code, formatted)
	}
	// No walk begins for a client that has disconnected already.
	gone, leave := context.WithCancelCause(bg)
	leave(fmt.Errorf("bored"))
	walked := 0
	h = inspect.Handler(show(surveyed{m, func(yield func(rangelock.Range[int], rangelock.RangeState) bool) {
		for r, s := range m.Survey() {
			if walked++; !yield(r, s) {
				return
			}
		}
	}}))
	if answer := ask(gone, h, ""); walked > 0 || !strings.Contains(answer.Body.String(), "bored") {
		t.Errorf("%d ranges walked for a client that had gone; %d %s", walked, answer.Code, answer.Body)
	}
}

// TestClientGoneInLine checks that a request stops waiting for another's walk when its client
// disconnects.
func TestClientGoneInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := rangelock.New[int, int](nil)
		insert(t, m, rangelock.Span(0, 1), 0)
		goOn := make(chan struct{})
		h := inspect.Handler(show(surveyed{m, func(yield func(rangelock.Range[int], rangelock.RangeState) bool) {
			<-goOn
			m.Survey()(yield)
		}}))
		first := make(chan int, 1)
		go func() { first <- ask(bg, h, "").Code }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		began := time.Now()
		second := make(chan int, 1)
		go func() { second <- ask(ctx, h, "format=text").Code }()
		time.Sleep(2 * time.Second)
		select {
		case code := <-second:
			if code != http.StatusServiceUnavailable {
				t.Errorf("the answer to the second is %d", code)
			}
		default:
			t.Errorf("the second still waits %v after it came", time.Since(began))
		}
		close(goOn)
		if code := <-first; code != http.StatusOK {
			t.Errorf("the answer to the first is %d", code)
		}
	})
}

// TestMisusedMap checks that a map's panic about misuse during a walk becomes an error answer, in
// printable characters, and that other panics pass through.
func TestMisusedMap(t *testing.T) {
	m := rangelock.New[int, int](nil)
	insert(t, m, rangelock.Span(0, 1), 0)
	var with any
	h := inspect.Handler(show(surveyed{m, func(yield func(rangelock.Range[int], rangelock.RangeState) bool) {
		for r, s := range m.Survey() {
			if with != nil {
				panic(with)
			}
			if !yield(r, s) {
				return
			}
		}
	}}))
	for _, with = range []any{"rangelock: a key was changed\x00<b>", fmt.Errorf("rangelock: a key was changed\x00<b>"), "rangealloc: a key was changed\x00<b>"} {
		for _, query := range []string{"", "format=json", "format=text", "format=fragment"} {
			answer := ask(bg, h, query)
			if answer.Code != http.StatusInternalServerError || !strings.Contains(answer.Body.String(), ": a key was changed\uFFFD<b>") ||
				!strings.HasPrefix(answer.Header().Get("Content-Type"), "text/plain") {
				t.Errorf("%q: %d %v %q", query, answer.Code, answer.Header(), answer.Body)
			}
		}
	}
	with = "compare: two keys of different files"
	func() {
		defer func() {
			if x := recover(); x != with {
				t.Errorf("a panic that is not the map's has become %v", x)
			}
		}()
		ask(bg, h, "")
	}()
	if with = nil; ask(bg, h, "").Code != http.StatusOK {
		t.Error("the walk after a panic")
	}
}

// TestKeyChanged checks that the page of a map is served although the owner of a key has changed
// its bytes, so that the keys are out of order.
func TestKeyChanged(t *testing.T) {
	for changed := range byte(100) {
		m := rangelock.NewFunc[[]byte, int](bytes.Compare, nil)
		for i := range byte(100) {
			hi := []byte{i, 1}
			insert(t, m, rangelock.Span([]byte{i}, hi), 0)
			if i == changed {
				hi[0] = i / 2 // the caller reuses its buffer
			}
		}
		ctx, cancel := context.WithTimeout(bg, 10*time.Second)
		answer := ask(ctx, inspect.Handler(show(m)), "")
		cancel()
		if answer.Code != http.StatusOK && (answer.Code != http.StatusInternalServerError || !strings.Contains(answer.Body.String(), "rangelock: ")) {
			t.Fatalf("key %d changed: %d %s", changed, answer.Code, answer.Body)
		}
	}
}
