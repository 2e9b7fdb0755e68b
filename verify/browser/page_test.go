package browser

import (
	"bufio"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spanlock/spanlock/inspect"
	"github.com/spanlock/spanlock/rangelock"
)

// mmapstore starts the example with -http and returns the address that it prints.
func mmapstore(t *testing.T) (url string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "mmapstore")
	build := exec.Command("go", "build", "-o", program, "./examples/mmapstore")
	build.Dir = "../.."
	build.Env = append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(program, "-duration", "10m", "-http", "127.0.0.1:0")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for in := bufio.NewScanner(stderr); in.Scan(); {
			if u, ok := strings.CutPrefix(in.Text(), "watch "); ok {
				said <- u
			}
		}
		close(said)
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		<-done
		if err := cmd.Wait(); err != nil {
			t.Errorf("mmapstore: %v", err)
		}
	})
	url, ok := <-said
	if !ok {
		t.Fatal("mmapstore has ended without printing an address")
	}
	return url
}

// origin returns the scheme and host of a URL.
func origin(url string) string {
	parts := strings.SplitAfterN(url, "/", 4)
	return strings.Join(parts[:min(3, len(parts))], "")
}

const figures = `[...document.querySelectorAll("dd")].map(d => d.textContent).join("|")`

// TestPage watches the running example: the page loads, changes by itself, can be zoomed in
// every way, fits a phone, and is dark if the scheme is dark. The console stays empty, and
// there is no request to another host.
func TestPage(t *testing.T) {
	b := newTab(t)
	url := mmapstore(t)
	b.size(1200, 1000, "light")
	b.open(url)
	b.until(`document.querySelectorAll("#view a").length > 100`)
	b.until(`document.documentElement.dataset.shown >= 2`)

	before := b.eval(figures)
	b.until(fmt.Sprintf(`%s !== %q`, figures, before))
	b.until(`document.querySelectorAll("polyline").length > 0`)
	b.shot("store-light")

	// Keys.
	b.key("+")
	b.until(`new URLSearchParams(location.search).get("from") !== null`)
	b.key("0")
	b.until(`!location.search.includes("from=")`)
	// Dragging.
	b.until(`document.querySelectorAll("#view a").length > 100`)
	box := b.eval(`(() => { const r = document.getElementById("view").getBoundingClientRect(); return [r.left, r.top, r.width] })()`).([]any)
	x, y, w := box[0].(float64), box[1].(float64)+20, box[2].(float64)
	b.mouse("mousePressed", x+0.500*w, y)
	b.mouse("mouseMoved", x+0.505*w, y)
	b.mouse("mouseMoved", x+0.515*w, y)
	b.mouse("mouseReleased", x+0.515*w, y)
	b.until(`location.search.includes("from=") && document.querySelector(".lens") !== null`)
	for b.eval(`document.querySelector("h3").textContent.startsWith("Ranges in view")`) != true {
		before := b.eval("location.search")
		b.key("+")
		b.until(fmt.Sprintf("location.search !== %q", before))
	}
	b.until(`document.querySelectorAll("#view a").length > 0`)
	dragged := b.eval("location.search")
	b.shot("store-zoomed")
	// A click on a range, and back.
	b.eval(`document.querySelector("td.key a").click()`)
	b.until(fmt.Sprintf("location.search !== %q", dragged))
	b.eval("history.back()")
	b.until(fmt.Sprintf("location.search === %q", dragged))
	b.key("0")

	for _, scheme := range []string{"dark", "light"} {
		b.size(390, 844, scheme)
		b.until(`document.documentElement.dataset.shown >= 2`)
		if w := b.eval(`document.documentElement.scrollWidth`); w != 390. {
			t.Errorf("at a phone's width the page is %v wide", w)
		}
		b.shot("store-phone-" + scheme)
		dark := b.eval(`getComputedStyle(document.body).backgroundColor.match(/\d+/g).every(c => c < 60)`)
		if dark != (scheme == "dark") {
			t.Errorf("%s: the background is %v", scheme, b.eval(`getComputedStyle(document.body).backgroundColor`))
		}
	}
	b.clean(origin(url))
}

// TestPageWithoutScript checks that the page is complete and its links work if no script
// runs.
func TestPageWithoutScript(t *testing.T) {
	b := newTab(t)
	url := mmapstore(t)
	b.command("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	b.open(url)
	at := b.eval(`document.getElementById("z-in").href`).(string)
	if n := b.eval(`document.querySelectorAll("#view a").length`).(float64); n < 100 {
		t.Errorf("%v things are drawn", n)
	}
	b.open(at)
	if b.eval(`document.querySelector(".lens") !== null`) != true {
		t.Error("the link to zoom in does not")
	}
	b.clean(origin(url))
}

// scene is a map that has everything that the page can show. Its keys and values are an
// attack on the viewer.
func scene(t *testing.T) inspect.Map {
	ctx := context.Background()
	m := rangelock.New(&rangelock.Options[string, string]{OnRetire: func(rangelock.Range[string], string) {}})
	evil := `<script>window.pwned=1</script><img src=x onerror=window.pwned=1>"'` + "`${window.pwned=1}\x00\xff\u202e"
	for i := range 60 {
		lo := fmt.Sprintf("%c%c%s", 'A'+i/3, '0'+3*(i%3), evil)
		hi := fmt.Sprintf("%c%c%s", 'A'+i/3, '0'+3*(i%3)+2, evil)
		if i%7 == 3 {
			continue
		}
		if err := m.Insert(ctx, rangelock.Span(lo, hi), strings.Repeat(evil, 30)); err != nil {
			t.Fatal(err)
		}
	}
	var held []rangelock.Guard[string, string]
	for i := range 60 {
		for range i % 4 * (i % 3) {
			if g, err := m.TryAcquire(fmt.Sprintf("%c%c", 'A'+i/3, '1'+3*(i%3))); err == nil {
				held = append(held, g)
			}
		}
	}
	t.Cleanup(func() {
		for i := range held {
			held[i].Release()
		}
		if err := m.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	w := m.Lock()
	for g := range 3 {
		for r := range w.Overlapping(rangelock.Span(string(rune('D'+5*g)), string(rune('E'+5*g)))) {
			if err := w.Swap(r, "new"); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.Unlock()
	w = m.Lock()
	w.TryExclude(rangelock.Span("G6", "G7"))
	w.TryExclude(rangelock.Span("R0", "R7"))
	t.Cleanup(w.Unlock)
	go m.View("G6zz", func(rangelock.Range[string], string) {})
	waiting, cancel := context.WithCancel(ctx)
	t.Cleanup(cancel)
	go func() {
		// The cancellation can come too late: then this goroutine has got the lock.
		if w, err := m.LockContext(waiting); err == nil {
			w.Unlock()
		}
	}()
	return inspect.Named("hostile "+evil, m, &inspect.Options[string, string]{
		Value: func(_ rangelock.Range[string], v string) string { return v },
	})
}

// TestHostile shows a map whose keys and values are an attack, in all widths.
func TestHostile(t *testing.T) {
	b := newTab(t)
	server := httptest.NewServer(inspect.Handler(scene(t), inspect.Named("", rangelock.New[int, int](nil), nil)))
	defer server.Close()
	for _, shape := range []struct {
		name   string
		width  int
		height int
		scheme string
	}{{"light", 1200, 1100, "light"}, {"dark", 1200, 1100, "dark"}, {"phone", 390, 1400, "light"}, {"phone-dark", 390, 1400, "dark"}} {
		b.size(shape.width, shape.height, shape.scheme)
		b.open(server.URL + "/?map=0")
		b.until(`document.documentElement.dataset.shown >= 2`)
		b.shot("scene-" + shape.name)
		if w := b.eval(`document.documentElement.scrollWidth`); w != float64(shape.width) {
			t.Errorf("%s: the page is %v wide, want %d", shape.name, w, shape.width)
		}
		if b.eval(`window.pwned === undefined && document.images.length === 0 && document.scripts.length === 1`) != true {
			t.Errorf("%s: a key or a value has become part of the page", shape.name)
		}
		for _, state := range []string{"held", "excluded", "left"} {
			if b.eval(fmt.Sprintf(`document.querySelectorAll("section rect.s-%s").length > 1`, state)) != true {
				t.Errorf("%s: nothing is %s", shape.name, state)
			}
		}
	}
	b.clean(server.URL)
}

// TestSmall looks at maps of few keys. Covered parts are drawn without gaps from end to end,
// a map without an end has none on the axis, and the page says when a map is empty.
func TestSmall(t *testing.T) {
	ctx := context.Background()
	insert := func(m *rangelock.Map[uint64, int], rs ...rangelock.Range[uint64]) *rangelock.Map[uint64, int] {
		for _, r := range rs {
			if err := m.Insert(ctx, r, 0); err != nil {
				t.Fatal(err)
			}
		}
		return m
	}
	all := rangelock.New[uint64, int](nil)
	seven := rangelock.New[uint64, int](nil)
	gap := rangelock.New[uint64, int](nil)
	last := rangelock.New[uint64, int](nil)
	server := httptest.NewServer(inspect.Handler(
		inspect.Named("all keys", insert(all, rangelock.From[uint64](0)), nil),
		inspect.Named("seven places", insert(seven, rangelock.Span[uint64](0, 3), rangelock.Span[uint64](3, 4), rangelock.Span[uint64](4, 7)), nil),
		inspect.Named("a gap", insert(gap, rangelock.Span[uint64](0, 3), rangelock.Span[uint64](4, 7)), nil),
		inspect.Named("the last key", insert(last, rangelock.Span[uint64](0, 1<<63), rangelock.From[uint64](1<<64-1)), nil),
		inspect.Named("nothing", rangelock.New[uint64, int](nil), nil),
	))
	defer server.Close()
	b := newTab(t)
	b.size(1200, 900, "light")
	// The last label of the axis, and how many pixels of 1000 of each line are covered.
	const seen = `(() => {
		const covered = id => {
			const line = document.getElementById(id), box = line.getBoundingClientRect();
			let end = box.left, sum = 0;
			for (const r of [...line.querySelectorAll("rect.s-free")].map(r => r.getBoundingClientRect()).sort((a, b) => a.left - b.left)) {
				sum += Math.max(0, r.right - Math.max(end, r.left));
				end = Math.max(end, r.right);
			}
			return Math.round(1000 * sum / box.width);
		};
		const axis = [...document.querySelectorAll(".axis span")];
		return [axis.length ? axis.at(-1).textContent : "", covered("whole"), covered("view"), document.body.innerText.includes("Nothing is in this map.")].join(" ");
	})()`
	for i, want := range []string{"∞ 1000 1000 false", "7 1000 1000 false", "7 857 857 false", "∞ 508 501 false", " 0 0 true"} {
		b.open(fmt.Sprintf("%s/?map=%d", server.URL, i))
		b.until(`document.documentElement.dataset.shown >= 2`)
		b.shot(fmt.Sprintf("small-%d", i))
		if got := b.eval(seen); got != want {
			t.Errorf("map %d: %q, want %q", i, got, want)
		}
	}
	b.clean(server.URL)
}
