package main

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// watcher is a standard error that requests the address in the line "watch …", once.
type watcher struct {
	once sync.Once
	t    *testing.T
	text string
}

func (w *watcher) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(b)) {
		url, ok := strings.CutPrefix(strings.TrimSpace(line), "watch ")
		if !ok {
			continue
		}
		w.once.Do(func() {
			resp, err := http.Get(url + "?format=text")
			if err != nil {
				w.t.Error(err)
				return
			}
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			if err != nil {
				w.t.Error(err)
			}
			w.text = string(text)
		})
	}
	return len(b), nil
}

// TestViewer checks that -http prints an address at which the map is shown with the
// files' paths, and that a bad address is an error.
func TestViewer(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	w := &watcher{t: t}
	if err := run(t.Context(), []string{"-dir", makeFiles(t, 5), "-duration", "60ms", "-http", "127.0.0.1:0"}, io.Discard, w); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(w.text, "# spanlock store: 5 ranges") || !strings.Contains(w.text, "f003\n") {
		t.Errorf("the viewer says:\n%s", w.text)
	}
	err := run(t.Context(), []string{"-dir", t.TempDir(), "-http", "nowhere:-1"}, io.Discard, io.Discard)
	if err == nil || !strings.HasPrefix(err.Error(), "cannot show the map: ") {
		t.Errorf("a bad address: %v", err)
	}
}

// TestVisitors: with visitors each state appears soon, and when they have ended nothing is held.
func TestVisitors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newSpanStore()
		s := newTestSide(t, st)
		leave := receive(t.Context(), st, s.corpus.files)
		missing := map[string]bool{"held": true, "exclusive": true, "excluded": true, "waiting": true}
		for deadline := time.Now().Add(30 * time.Second); len(missing) > 0 && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			for _, x := range st.m.Survey() {
				for what, is := range map[string]bool{"held": x.Guards > 0, "exclusive": x.Exclusive, "excluded": x.Excluded, "waiting": !x.Since.IsZero()} {
					if is {
						delete(missing, what)
					}
				}
			}
		}
		if len(missing) > 0 {
			t.Errorf("never seen: %v", missing)
		}
		leave()
		for r, x := range st.m.Survey() {
			if x.Guards > 0 || x.Excluded {
				t.Errorf("%v is left behind: %+v", r, x)
			}
		}
		if err := st.close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
