package rangelock_test

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/spanlock/spanlock/rangelock"
)

// body is a part of a mapped file that is read and closed as the body of an HTTP response is. It owns a
// guard, so the bytes stay mapped until Close.
type body struct {
	*bytes.Reader
	guard rangelock.Guard[int, []byte]
}

func (b *body) Close() error {
	b.guard.Release() // a second Close panics, and does not take the hold of another reader away
	return nil
}

// open returns what is at off. The guard moves into the body: this function does not release it.
func open(m *rangelock.Map[int, []byte], off int) (io.ReadCloser, error) {
	g, ok := m.Acquire(off)
	if !ok {
		return nil, fmt.Errorf("nothing is mapped at %d", off)
	}
	return &body{bytes.NewReader(g.Value()[off-g.Range().Lo:]), g}, nil
}

func ExampleGuard() {
	ctx := context.Background()
	m := rangelock.New(&rangelock.Options[int, []byte]{
		OnRetire: func(r rangelock.Range[int], b []byte) { fmt.Println("unmap", r); clear(b) },
	})
	if err := m.Insert(ctx, rangelock.Span(100, 111), []byte("some record")); err != nil {
		fmt.Println(err)
	}
	b, err := open(m, 105)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := m.Retire(ctx, rangelock.Span(100, 111)); err != nil {
		fmt.Println(err)
	}
	text, err := io.ReadAll(b)
	fmt.Printf("%s %v\n", text, err)
	b.Close()
	if err := m.Drain(ctx); err != nil {
		fmt.Println(err)
	}
	_, err = open(m, 105)
	fmt.Println(err)
	// Output:
	// record <nil>
	// unmap [100, 111)
	// nothing is mapped at 105
}
