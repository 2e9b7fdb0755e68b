package inspect

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spanlock/spanlock/internal/seam"
)

// Handler returns a handler that shows the maps. The package documentation describes what it
// serves, and where to mount it. Handler panics if one of the maps is the zero Map.
//
// Keys that are numbers, strings or bytes are shown, quoted and shortened. Other keys, and all
// values, are shown only if [Named] was given [Options] for them.
//
// The handler reads a map only while it serves a request: one map at a time, one leaf of the tree
// at a time, without a lock that readers or writers wait for. A request takes time in proportion
// to the number of ranges, and its answer has a bounded size. It stops when its context ends, as
// it does when the client disconnects.
func Handler(maps ...Map) http.Handler {
	h := &handler{walking: seam.NewWeighted(1)}
	for i, m := range maps {
		if m.source == nil {
			panic(fmt.Sprintf("inspect: Handler with the zero Map as argument %d: Named makes one", i+1))
		}
		name := cmp.Or(m.name(), fmt.Sprintf("map %d", i+1))
		h.shown = append(h.shown, &shown{source: m.source, index: i, name: name})
	}
	return h
}

// handler is what Handler returns.
type handler struct {
	// walking is held while a map is surveyed, so that many viewers cause no more load than one.
	// It is a semaphore and not a mutex, so that a context can end the wait for it.
	walking *seam.Weighted
	shown   []*shown // set by Handler
}

// shown is one of the handler's maps.
type shown struct {
	source
	index   int
	name    string
	history history
}

// look surveys one map, unless ctx ends first.
func (h *handler) look(ctx context.Context, s *shown, z zoom) (p *picture, err error) {
	if h.walking.Acquire(ctx, 1) != nil {
		return nil, ended(ctx)
	}
	defer h.walking.Release(1)
	defer func() {
		if x := recover(); x != nil {
			if err = misuse(x); err == nil {
				panic(x)
			}
		}
	}()
	p, err = survey(ctx, s.index, s.name, s.source, z)
	if err != nil {
		return nil, err
	}
	p.rates = s.history.add(p.at, &p.stats)
	p.raise()
	return p, nil
}

// A failure is an error with an HTTP status. Other errors have the status 400.
type failure struct {
	code int
	text string
}

func (f *failure) Error() string { return f.text }

// ended returns the failure of a request whose context has ended.
func ended(ctx context.Context) error {
	return &failure{http.StatusServiceUnavailable, printable(fmt.Sprintf("the request has ended: %v", context.Cause(ctx)), maxSentence)}
}

// misuse returns a failure if x is the value of a panic of a map that has detected misuse, for
// example a key whose bytes were changed. It returns nil for any other panic.
func misuse(x any) error {
	text, _ := x.(string)
	if err, ok := x.(error); ok {
		text = err.Error()
	}
	if strings.HasPrefix(text, "rangelock: ") || strings.HasPrefix(text, "rangealloc: ") {
		return &failure{http.StatusInternalServerError, printable(text, maxSentence)}
	}
	return nil
}

// ServeHTTP serves the page, or another format that the query asks for.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Cache-Control", "no-store")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Content-Security-Policy", policy)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		head.Set("Allow", "GET, HEAD")
		http.Error(w, "inspect: only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	body, kind, err := h.answer(r.Context(), r.URL.Query())
	if err != nil {
		code := http.StatusBadRequest
		if f, ok := err.(*failure); ok {
			code = f.code
		}
		http.Error(w, "inspect: "+err.Error(), code)
		return
	}
	head.Set("Content-Type", kind)
	head.Set("Content-Length", strconv.Itoa(body.Len()))
	if r.Method == http.MethodGet {
		w.Write(body.Bytes()) // an error means that the client has disconnected
	}
}

// answer makes the whole answer before any of it is sent, so that a slow client holds only
// memory.
func (h *handler) answer(ctx context.Context, q url.Values) (body *bytes.Buffer, kind string, err error) {
	format := q.Get("format")
	z := zoom{q.Get("from"), q.Get("to"), q.Get("cut")}
	chosen := h.shown
	if s := q.Get("map"); s != "" {
		i, err := strconv.Atoi(s)
		if err != nil || i < 0 || i >= len(h.shown) {
			return nil, "", fmt.Errorf("map=%q: there are the maps 0 to %d", s, len(h.shown)-1)
		}
		chosen = h.shown[i : i+1]
	} else if len(chosen) > 1 && format != "text" && format != "json" {
		chosen = chosen[:1]
	}
	if len(chosen) > 1 && z != (zoom{}) {
		return nil, "", fmt.Errorf("from, to and cut need a map=")
	}
	var pictures []*picture
	for _, s := range chosen {
		p, err := h.look(ctx, s, z)
		if err != nil {
			return nil, "", err
		}
		pictures = append(pictures, p)
	}
	body = new(bytes.Buffer)
	switch format {
	case "", "html":
		return body, "text/html; charset=utf-8", h.writePage(body, pictures)
	case "fragment":
		return body, "text/html; charset=utf-8", h.writeMain(body, pictures)
	case "text":
		writeText(body, pictures)
		return body, "text/plain; charset=utf-8", nil
	case "json":
		return body, "application/json", writeJSON(body, pictures)
	}
	return nil, "", fmt.Errorf("format=%q: there are html, text and json", format)
}
