package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spanlock/spanlock/inspect"
	"github.com/spanlock/spanlock/rangelock"
)

// viewerPath is the path of the map's page, beside that of pprof.
const viewerPath = "/debug/spanlock"

// A viewer shows the map of a store to browsers. The nil viewer shows nothing.
type viewer struct {
	listener net.Listener
	server   *http.Server
}

// newViewer listens at the address, so that an invalid one is reported before the files are read.
// Without an address it returns nil.
func newViewer(addr string) (*viewer, error) {
	if addr == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot show the map: %w", err)
	}
	return &viewer{listener: l}, nil
}

// show serves the store's map from now on, prints the address, and starts visitors. The returned
// function stops the visitors; call it before the store is closed.
func (v *viewer) show(ctx context.Context, s *spanStore, files []*file, p *progress) (leave func()) {
	if v == nil {
		return func() {}
	}
	mux := http.NewServeMux()
	mux.Handle(viewerPath, inspect.Handler(inspect.Named("spanlock store", s.m, &inspect.Options[uint64, *mapping]{
		// The guard under which this is called keeps the mapping from being unmapped.
		Value: func(_ rangelock.Range[uint64], m *mapping) string { return m.file.path },
		// Short, so that there is an alarm from time to time.
		Alarms: inspect.Alarms{Wait: 400 * time.Millisecond},
	})))
	v.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go v.server.Serve(v.listener) // returns when the viewer is closed
	p.say("watch http://%s%s", v.listener.Addr(), viewerPath)
	return receive(ctx, s, files)
}

// close stops the viewer.
func (v *viewer) close() {
	switch {
	case v == nil:
	case v.server == nil:
		v.listener.Close()
	default:
		v.server.Close()
	}
}
