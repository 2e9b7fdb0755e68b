package inspect_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/spanlock/spanlock/inspect"
	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/rangelock"
)

var bg = context.Background()

// get returns the answer to a query, and fails the test if it is an error.
func get(t *testing.T, h http.Handler, query string) string {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/debug/spanlock?"+query, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", query, w.Code, w.Body)
	}
	return w.Body.String()
}

// show returns any map with the default options.
func show[K, V any](m inspect.Source[K, V]) inspect.Map { return inspect.Named("", m, nil) }

// lines returns the lines of ranges of the text.
func lines(t *testing.T, h http.Handler, query string) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(get(t, h, "format=text&"+query)) {
		if !strings.HasPrefix(line, "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func insert[K, V any](t *testing.T, m *rangelock.Map[K, V], r rangelock.Range[K], v V) {
	t.Helper()
	if err := m.Insert(bg, r, v); err != nil {
		t.Fatal(err)
	}
}

// TestText checks the lines in a synctest bubble: states, notes, and that a writer that holds the
// lock, or waits for a guard, does not stop the handler.
func TestText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := rangelock.New(&rangelock.Options[int, string]{OnRetire: func(rangelock.Range[int], string) {}})
		for i := range 4 {
			insert(t, m, rangelock.Span(10*i-10, 10*i), "v")
		}
		insert(t, m, rangelock.From(100), "end")
		h := inspect.Handler(show(m))
		g, _ := m.Acquire(-5)
		g2, _ := m.Acquire(15)
		w := m.Lock()
		if err := w.Swap(rangelock.Span(-10, 0), "new"); err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() { done <- w.Exclude(rangelock.Span(10, 20)) }()
		go m.View(25, func(rangelock.Range[int], string) {})
		synctest.Wait()
		time.Sleep(3 * time.Second)
		want := "-10-0\tleft\t1\t3s ago\n-10-0\texcluded\t0\n0-10\tfree\t0\n10-20\texcluded\t1\ta writer waits, the first for 3s\n20-30\tfree\t0\n100-∞\tfree\t0\n"
		if got := lines(t, h, ""); got != want {
			t.Errorf("%s, want\n%s", got, want)
		}
		head := get(t, h, "format=text")
		for _, want := range []string{"map 1: 5 ranges, 2 guards, 3 free, 2 excluded, 1 left", "a writer has it", "pending 1", "per second, over 3s", "stalled 0s"} {
			if want == "per second, over 3s" {
				time.Sleep(3 * time.Second)
				head = get(t, h, "format=text")
			}
			if !strings.Contains(head, want) {
				t.Errorf("%q is not in:\n%s", want, head)
			}
		}
		if got := lines(t, h, "from=12&to=21"); !strings.HasSuffix(got, "10-20\texcluded\t1\ta writer waits, the first for 6s\n20-30\tfree\t0\n") || strings.Contains(got, "0-10") {
			t.Errorf("zoomed:\n%s", got)
		}
		g.Release()
		g2.Release()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		w.Unlock()
	})
}

// TestNothingIsHeld checks that a walk leaves no guard and no pin, and that a value is formatted
// under a guard that is released, also if the format panics.
func TestNothingIsHeld(t *testing.T) {
	m := rangelock.New[int, string](nil)
	for i := range 100 {
		insert(t, m, rangelock.Span(i, i+1), fmt.Sprint(i))
	}
	formatted := 0
	h := inspect.Handler(inspect.Named("n", m, &inspect.Options[int, string]{
		Key: func(k int) string { return fmt.Sprintf("key%d", k) },
		Value: func(r rangelock.Range[int], v string) string {
			if w, ok := m.TryLock(); ok {
				if w.TryExclude(r) {
					t.Errorf("the value of %v is formatted without a guard", r)
				}
				w.Unlock()
			}
			if formatted++; v == "7" {
				panic("seven <b>")
			}
			return "=" + v
		},
	}))
	text := lines(t, h, "")
	if !strings.Contains(text, "key3-key4\tfree\t0\t=3\n") || !strings.Contains(text, "key7-key8\tfree\t0\t(the format panicked: seven <b>)\n") {
		t.Error(text)
	}
	if formatted != 100 {
		t.Errorf("%d values formatted", formatted)
	}
	for r, s := range m.Survey() {
		if s.Guards != 0 {
			t.Errorf("%v has %d guards", r, s.Guards)
		}
	}
	if n := m.Stats().Domain.Pins; n != 0 {
		t.Errorf("%d pins", n)
	}
}

// TestHostile checks that keys and values stay text and are shortened, in each format.
func TestHostile(t *testing.T) {
	evil := []string{
		"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "'`${alert(1)}", "\x00\x1b[31m\r\n\t", "\xff\xfe\x80", "\u202egnp.exe\u2028",
		"</title></svg></style></script>", strings.Repeat("long", 1<<18), "#not a comment", "]]>--><!--",
	}
	m := rangelock.New[string, int](nil)
	for i, e := range evil {
		insert(t, m, rangelock.Span(fmt.Sprint(i)+e, fmt.Sprint(i)+e+"\xff"), i)
	}
	h := inspect.Handler(inspect.Named("<b>"+evil[0], m, &inspect.Options[string, int]{
		Value: func(_ rangelock.Range[string], v int) string { return evil[v] },
	}), show(m))
	for _, query := range []string{"", "format=fragment", "map=1"} {
		page := get(t, h, query)
		if len(page) > 60_000 || !utf8.ValidString(page) {
			t.Errorf("%q: %d bytes, valid %t", query, len(page), utf8.ValidString(page))
		}
		if query != "format=fragment" { // the page's own script and style
			page = regexp.MustCompile(`(?s)<style>.*?</style>|<script>.*?</script>`).ReplaceAllString(page, "")
		}
		if bad := regexp.MustCompile(`(?i)<script|<img|<b>alert|\son\w+=[^&]*>|[\x00-\x08\x0b-\x1f]|\x{202e}`).FindString(page); bad != "" {
			t.Errorf("%q: %q is in the page", query, bad)
		}
	}
	text := lines(t, h, "map=0")
	if n := strings.Count(text, "\n"); n != len(evil) || len(text) > 10_000 || strings.ContainsAny(text, "\x00\x1b\r\u202e\u2028") || !utf8.ValidString(text) {
		t.Errorf("%d lines, %d bytes:\n%q", n, len(text), text)
	}
	for _, query := range []string{"format=text&from=%3Cscript%3E&map=0", "format=%3Cscript%3E", "map=%3Cscript%3E", "map=0&cut=%3Cscript%3E"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/?"+query, nil))
		if w.Code != http.StatusBadRequest || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", query, w.Code, w.Header())
		}
	}
	var d document
	if err := json.Unmarshal([]byte(get(t, h, "format=json")), &d); err != nil || len(d.Maps) != 2 || len(d.Maps[0].Ranges) != len(evil) {
		t.Errorf("%v, %+v", err, d)
	}
}

// The JSON document, or a part of it.
type (
	document struct {
		Maps []jsonMap
	}
	jsonMap struct {
		Name, Scale string
		Whole, View jsonWindow
		Counts      map[string]int
		Guards      int
		InView      int
		Rates       map[string]float64
		Ranges      []jsonRange
		Cells       []struct {
			jsonWindow
			Ranges int
		}
		Left        []struct{ LeftFor float64 }
		LeftOutside int
	}
	jsonWindow struct{ From, To string }
	jsonRange  struct {
		Index     int
		Lo, Hi    any
		State     string
		Unbounded bool
		Guards    int
		Value     string
	}
)

// TestJSON checks keys of all kinds, and that large numbers are not rounded.
func TestJSON(t *testing.T) {
	u := rangelock.New[uint64, int](nil)
	insert(t, u, rangelock.Span[uint64](1, 1<<53), 0)
	insert(t, u, rangelock.Span[uint64](math.MaxUint64-1, math.MaxUint64), 0)
	f := rangelock.New[float64, int](nil)
	insert(t, f, rangelock.Span(math.Inf(-1), -0.5), 0)
	insert(t, f, rangelock.Span(1.5, math.Inf(1)), 0)
	type pair struct{ a, b int }
	p := rangelock.NewFunc[pair, int](func(x, y pair) int { return x.a - y.a }, nil)
	insert(t, p, rangelock.Span(pair{1, 0}, pair{2, 0}), 0)
	back := rangelock.NewFunc[int8, int](func(x, y int8) int { return int(y) - int(x) }, nil)
	insert(t, back, rangelock.Span[int8](5, 3), 0)
	insert(t, back, rangelock.Span[int8](2, -8), 0)
	same := rangelock.New[string, int](nil)
	insert(t, same, rangelock.Span("/usr/share/a", "/usr/share/b"), 0)
	one := rangelock.New[int, int](nil)
	insert(t, one, rangelock.From(5), 0)
	b := rangelock.NewFunc[[2]byte, int](func(x, y [2]byte) int { return int(x[0]) - int(y[0]) }, nil)
	insert(t, b, rangelock.Span([2]byte{'a'}, [2]byte{'b'}), 0)
	h := inspect.Handler(show(u), show(f), show(p), show(back), show(same), show(one), show(b), show(rangelock.New[int, int](nil)))
	var d document
	if err := json.Unmarshal([]byte(get(t, h, "format=json")), &d); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range d.Maps {
		s := m.Scale + " " + m.Whole.From + " " + m.Whole.To
		for _, r := range m.Ranges {
			s += fmt.Sprintf(" %v-%v", r.Lo, r.Hi)
		}
		got = append(got, s)
	}
	want := []string{
		"numbers 1 18446744073709551615 1-9.007199254740992e+15 18446744073709551614-18446744073709551615",
		"numbers -Inf +Inf -Inf--0.5 1.5-+Inf",
		"order 0 1 <nil>-<nil>",
		"order 0 2 5-3 2--8",
		"order 0 1 /usr/share/a-/usr/share/b",
		"numbers 5 ∞ 5-<nil>",
		"bytes 6100000000000000 6200000000000000 \"a\\x00\"-\"b\\x00\"",
		"order 0 1",
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("map %d: %s, want %s", i, got[i], want[i])
		}
	}
	for i := range d.Maps { // each page can be made, at both ends of its scale
		for _, cut := range []string{"", "0,0.0000001", "0.9999999,1", "-5,-4", "7,9", "0.5,1e5"} {
			get(t, h, fmt.Sprintf("map=%d&cut=%s", i, cut))
		}
	}
}

// TestMillion checks that the answer for a very large map is bounded, and its time.
func TestMillion(t *testing.T) {
	if testing.Short() || invariants.Enabled {
		t.Skip("a million ranges, which take a minute in a checking build")
	}
	const n = 1_000_000
	m := rangelock.New[uint64, int](nil)
	w := m.Lock()
	if k, err := w.Load(func(yield func(rangelock.Range[uint64], int) bool) {
		for i := uint64(0); i < n && yield(rangelock.Span(16*i, 16*i+8), 0); i++ {
		}
	}); k != n || err != nil {
		t.Fatal(k, err)
	}
	w.Unlock()
	g, _ := m.Acquire(16 * 700_000)
	defer g.Release()
	formatted := 0
	h := inspect.Handler(inspect.Named("large", m, &inspect.Options[uint64, int]{
		Value: func(rangelock.Range[uint64], int) string { formatted++; return "v" },
	}))
	for _, query := range []string{"", "format=text", "format=json", "cut=0.2,0.9"} {
		formatted = 0
		began := time.Now()
		s := get(t, h, query)
		if d := time.Since(began); d > 20*time.Second { // about a tenth of a second without the race detector
			t.Errorf("%q took %v", query, d)
		} else {
			t.Logf("%q: %d bytes in %v", query, len(s), d)
		}
		if len(s) > 250_000 || formatted > 300 {
			t.Errorf("%q: %d bytes, %d values formatted", query, len(s), formatted)
		}
	}
	var d document
	if err := json.Unmarshal([]byte(get(t, h, "format=json")), &d); err != nil {
		t.Fatal(err)
	}
	x, sum := d.Maps[0], 0
	for _, c := range x.Cells {
		sum += c.Ranges
	}
	if sum != n || x.InView != n || x.Counts["free"] != n-1 || x.Counts["held"] != 1 || len(x.Ranges) != 1 || x.Ranges[0].Lo != 16*700_000. {
		t.Errorf("cells add up to %d, %+v", sum, x.Counts)
	}
	if got := lines(t, h, "from=1600&to=1632"); got != "1600-1608\tfree\t0\tv\n1616-1624\tfree\t0\tv\n" {
		t.Errorf("zoomed:\n%s", got)
	}
}

// TestBeside sends requests while writers and readers are at work.
func TestBeside(t *testing.T) {
	m := rangelock.New(&rangelock.Options[int, *int]{OnRetire: func(_ rangelock.Range[int], v *int) { *v = -1 }})
	for i := range 300 {
		insert(t, m, rangelock.Span(10*i, 10*i+10), new(int))
	}
	h := inspect.Handler(inspect.Named("busy", m, &inspect.Options[int, *int]{
		Value: func(_ rangelock.Range[int], v *int) string { return fmt.Sprint(*v) },
	}))
	var stop atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; !stop.Load(); i = (i + 1) % 300 {
			r := rangelock.Span(10*i, 10*i+10)
			if err := m.Swap(bg, r, new(int)); err != nil {
				t.Error(err)
			}
			if i%3 == 0 {
				m.Remove(bg, r)
				m.Insert(bg, r, new(int))
			}
		}
	})
	wg.Go(func() {
		for i := 0; !stop.Load(); i = (i + 7) % 300 {
			if g, ok := m.Acquire(10 * i); ok {
				g.Release()
			}
		}
	})
	for i := range 40 {
		s := get(t, h, []string{"format=text&to=2000", "format=json", "", "format=fragment&cut=0.1,0.2"}[i%4])
		if i%4 == 0 && strings.Contains(s, "\t-1\n") {
			t.Error("a retired value was shown")
		}
	}
	stop.Store(true)
	wg.Wait()
}

// TestHTTP checks methods and headers.
func TestHTTP(t *testing.T) {
	h := inspect.Handler()
	for method, code := range map[string]int{"GET": 200, "HEAD": 200, "POST": 405, "DELETE": 405, "OPTIONS": 405} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/", nil))
		if w.Code != code || (method == "HEAD") != (w.Body.Len() == 0) {
			t.Errorf("%s: %d, %d bytes", method, w.Code, w.Body.Len())
		}
		policy := w.Header().Get("Content-Security-Policy")
		if w.Header().Get("Cache-Control") != "no-store" || !strings.HasPrefix(policy, "default-src 'none'; script-src 'sha256-") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %v", method, w.Header())
		}
	}
	page := get(t, h, "")
	if bad := regexp.MustCompile(`(src|href)="?(https?:)?//|@import|url\(`).FindString(page); bad != "" {
		t.Errorf("the page refers to another host: %s", bad)
	}
	defer func() {
		if s, _ := recover().(string); !strings.HasPrefix(s, "inspect: Handler with the zero Map") {
			t.Errorf("Handler of the zero Map panics with %q", s)
		}
	}()
	inspect.Handler(inspect.Map{})
}

// TestRates checks the averages in a synctest bubble, and when there are none.
func TestRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := rangelock.New[int, int](nil)
		h := inspect.Handler(show(m))
		rates := func() map[string]float64 {
			var d document
			if err := json.Unmarshal([]byte(get(t, h, "format=json")), &d); err != nil {
				t.Fatal(err)
			}
			return d.Maps[0].Rates
		}
		if r := rates(); r != nil {
			t.Errorf("at first: %v", r)
		}
		for i := range 300 {
			time.Sleep(time.Second)
			for range 5 {
				insert(t, m, rangelock.Span(0, 1), 0)
				if _, err := m.Retire(bg, rangelock.Span(0, 1)); err != nil {
					t.Fatal(err)
				}
			}
			if r := rates(); r["over"] != float64(min(i+1, 60)) || r["retired"] != 5 {
				t.Fatalf("after %d s: %v", i+1, r)
			}
		}
		time.Sleep(99 * time.Second)
		if r := rates(); r["over"] != 99 || r["retired"] != 0 {
			t.Errorf("99 s after the last request: %v", r)
		}
		time.Sleep(301 * time.Second)
		if r := rates(); r != nil {
			t.Errorf("more than five minutes after the last request: %v", r)
		}
	})
}
