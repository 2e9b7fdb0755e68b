package inspect_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"math"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spanlock/spanlock/inspect"
	"github.com/spanlock/spanlock/rangelock"
)

// parsed returns the JSON of the first map of an answer.
func parsed(t *testing.T, m inspect.Map, query string) jsonMap {
	t.Helper()
	var d document
	if err := json.Unmarshal([]byte(get(t, inspect.Handler(m), "format=json&"+query)), &d); err != nil {
		t.Fatal(err)
	}
	return d.Maps[0]
}

// A box is a rectangle of the page, in thousandths of the line.
type box struct {
	class string
	x, w  float64
}

var boxes = regexp.MustCompile(`<rect class="s-(\w+)" x="([^"]+)" y="[^"]*" width="([^"]+)"`)

// drawn returns the rectangles of the line with that id.
func drawn(t *testing.T, page, id string) (all []box) {
	t.Helper()
	_, line, ok := strings.Cut(page, `<svg id="`+id+`"`)
	if !ok {
		return nil
	}
	line, _, _ = strings.Cut(line, "</svg>")
	for _, f := range boxes.FindAllStringSubmatch(line, -1) {
		x, err1 := strconv.ParseFloat(f[2], 64)
		w, err2 := strconv.ParseFloat(f[3], 64)
		if err1 != nil || err2 != nil || x < 0 || x+w > 1000.001 {
			t.Errorf("%s: a rectangle from %s, %s wide, on a line of 1000", id, f[2], f[3])
		}
		if f[1] != "border" { // between two ranges that touch
			all = append(all, box{f[1], x, w})
		}
	}
	return all
}

// axis returns the labels below the picture.
func axis(page string) (labels []string) {
	_, line, _ := strings.Cut(page, `<p class="axis">`)
	line, _, _ = strings.Cut(line, "</p>")
	for _, f := range regexp.MustCompile(`<span>(.*?)</span>`).FindAllStringSubmatch(line, -1) {
		labels = append(labels, html.UnescapeString(f[1]))
	}
	return labels
}

// TestLastPlace checks that a range at the last place of a scale is in the text, in JSON and in
// the picture, both of the whole map and of the part that the range's own link shows.
func TestLastPlace(t *testing.T) {
	const ff = "\xff\xff\xff\xff\xff\xff\xff\xff"
	lastPlace(t, rangelock.Span[uint64](0, 1), rangelock.From[uint64](math.MaxUint64))
	lastPlace(t, rangelock.From[uint64](math.MaxUint64))
	lastPlace(t, rangelock.Span[uint64](math.MaxUint64-1, math.MaxUint64), rangelock.From[uint64](math.MaxUint64))
	lastPlace(t, rangelock.Span[uint64](math.MaxUint64-1, math.MaxUint64))
	lastPlace(t, rangelock.Span[int64](math.MinInt64, math.MinInt64+1), rangelock.From[int64](math.MaxInt64))
	lastPlace(t, rangelock.Span[int8](0, 1), rangelock.From[int8](math.MaxInt8))
	lastPlace(t, rangelock.Span("a", "b"), rangelock.From(ff))
	lastPlace(t, rangelock.Span("a", "b"), rangelock.Span("c", "d"), rangelock.Span(ff, ff+"\x01"))
	lastPlace(t, rangelock.Span("", "b"), rangelock.Span("c", "d"), rangelock.Span(ff, ff+"\x01"), rangelock.From(ff+"\x02"))
	lastPlace(t, rangelock.Span("a", "b"), rangelock.Span("c", "d"), rangelock.Span("zzzzzzzz1", "zzzzzzzz2"))
	lastPlace(t, rangelock.Span(0., 1), rangelock.Span(1e308, 1.5e308))
	lastPlace(t, rangelock.Span(math.Inf(-1), -1.7e308), rangelock.Span(1.6e308, 1.7e308), rangelock.Span(1.7e308, math.Inf(1)))
	lastPlace(t, rangelock.Span(-1., 1), rangelock.Span(math.MaxFloat64, math.Inf(1)))
	lastPlace(t, rangelock.Span(math.MaxFloat64, math.Inf(1)))
	lastPlace(t, rangelock.Span(1e17, 1e17+32), rangelock.Span(1e17+32, 1e17+48), rangelock.From(1e17+64))
	lastPlace(t, rangelock.From(0.))
	lastPlace(t, rangelock.From(math.Inf(1)))
	lastPlace(t, rangelock.Span(float32(0), 1), rangelock.From(float32(math.MaxFloat32)))
}

func lastPlace[K interface {
	int8 | int64 | uint64 | string | float32 | float64
}](t *testing.T, rs ...rangelock.Range[K]) {
	t.Helper()
	m := rangelock.New[K, int](nil)
	for i, r := range rs {
		insert(t, m, r, i)
	}
	h := inspect.Handler(show(m))
	page := get(t, h, "")
	d := parsed(t, show(m), "")
	if n := strings.Count(lines(t, h, ""), "\n"); n != len(rs) || len(d.Ranges) != len(rs) || d.InView != len(rs) {
		t.Errorf("%v: %d lines of text, %d ranges in JSON, inView %d; want %d", rs, n, len(d.Ranges), d.InView, len(rs))
	}
	if n := len(drawn(t, page, "view")); n != len(rs) {
		t.Errorf("%v: %d rectangles in view, want %d", rs, n, len(rs))
	}
	strip := drawn(t, page, "whole")
	if len(strip) == 0 || strip[0].x != 0 || math.Abs(strip[len(strip)-1].x+strip[len(strip)-1].w-1000) > 0.02 {
		t.Errorf("%v: the strip does not go from end to end: %v", rs, strip)
	}
	// Request the view by the bounds of the answer, and each range by its link.
	if again := parsed(t, show(m), "from="+url.QueryEscape(d.Whole.From)+"&to="+url.QueryEscape(d.Whole.To)); again.View != d.Whole || again.InView != len(rs) {
		t.Errorf("%v: the whole map %+v asked for is %+v, inView %d", rs, d.Whole, again.View, again.InView)
	}
	links := regexp.MustCompile(`<td class="key"><a href="\?([^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(links) != len(rs) {
		t.Errorf("%v: %d links", rs, len(links))
	}
	for i, link := range links {
		query := html.UnescapeString(link[1])
		zoomed := parsed(t, show(m), query)
		if !slices.ContainsFunc(zoomed.Ranges, func(r jsonRange) bool { return r.Index == i }) {
			t.Errorf("%v: range %d is not in %s, which shows %+v", rs, i, query, zoomed.Ranges)
		}
		a := html.UnescapeString(regexp.MustCompile(`id="z-out" href="\?([^"]*)"`).FindStringSubmatch(get(t, h, query))[1])
		if out := parsed(t, show(m), a); out.InView < zoomed.InView {
			t.Errorf("%v: %s shows %d, further out %s shows %d", rs, query, zoomed.InView, a, out.InView)
		}
	}
	end := parsed(t, show(m), "cut=0.9999999999,1")
	if !slices.ContainsFunc(end.Ranges, func(r jsonRange) bool { return r.Index == len(rs)-1 }) {
		t.Errorf("%v: at the end %+v there is %+v", rs, end.View, end.Ranges)
	}
}

// TestPictureIsTrue draws small random maps: exactly the covered places are drawn, in the strip
// and in the view, however few places there are.
func TestPictureIsTrue(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		width := 1 + random.IntN([]int{8, 60, 120, 400}[random.IntN(4)])
		base := []int{0, -200, math.MinInt, math.MaxInt - width}[random.IntN(4)]
		m := rangelock.New[int, int](nil)
		covered := make([]bool, width)
		at, n := 0, 0
		for at < width {
			end := at + 1 + random.IntN(min(width-at, 1+width/3))
			gap := at > 0 && end < width && random.IntN(3) == 0 // the outermost places are covered
			if !gap {
				insert(t, m, rangelock.Span(base+at, base+end), 0)
				n++
			}
			for i := at; i < end; i++ {
				covered[i] = !gap
			}
			at = end
		}
		page := get(t, inspect.Handler(show(m)), "")
		for id, cells := range map[string]int{"whole": min(120, width), "view": width} {
			all := drawn(t, page, id)
			for i := range 3000 { // check the middle of each part
				x := (float64(i) + 0.5) / 3
				c := x * float64(cells) / 1000
				if math.Abs(c-math.Round(c))*1000/float64(cells) < 0.02 {
					continue // coordinates are rounded to two digits
				}
				// A cell is drawn if any place that it overlaps is covered.
				from := int(math.Floor(c)) * width / cells
				to := (int(math.Floor(c)+1)*width + cells - 1) / cells
				want := slices.Contains(covered[from:to], true)
				if got := slices.ContainsFunc(all, func(b box) bool { return b.x <= x && x < b.x+b.w }); got != want {
					t.Fatalf("seed %d: %s of %d places: at %.2f drawn %t, covered %t\n%v\n%v", seed, id, width, x, got, want, covered, all)
				}
			}
		}
		if d := parsed(t, show(m), ""); d.InView != n {
			t.Errorf("seed %d: %d in view, want %d", seed, d.InView, n)
		}
	}
}

// TestCellsAreTrue checks the parts of a view with too many ranges to list: the ranges that JSON
// counts in a part begin in it.
func TestCellsAreTrue(t *testing.T) {
	m := rangelock.New[int, int](nil)
	for i := range 257 {
		insert(t, m, rangelock.Span(i, i+1), 0)
	}
	d := parsed(t, show(m), "")
	if len(d.Cells) != 240 {
		t.Fatalf("%d cells", len(d.Cells))
	}
	for i, c := range d.Cells {
		from, err1 := strconv.Atoi(c.From)
		to, err2 := strconv.Atoi(c.To)
		if err1 != nil || err2 != nil || to-from != c.Ranges || i > 0 && c.From != d.Cells[i-1].To {
			t.Errorf("%d ranges begin from %s to %s", c.Ranges, c.From, c.To)
		}
	}
	// 300 strings at one place make one part.
	s := rangelock.New[string, int](nil)
	for i := range 301 {
		insert(t, s, rangelock.Span(fmt.Sprintf("same place%03d", i), fmt.Sprintf("same place%03d ", i)), 0)
		insert(t, s, rangelock.Span(fmt.Sprintf("t%03d", i), fmt.Sprintf("t%03d ", i)), 0)
		insert(t, s, rangelock.Span(fmt.Sprintf("u%03d", i), fmt.Sprintf("u%03d ", i)), 0)
	}
	query := fmt.Sprintf("from=%016x&to=%016x", "same pla", "same plb")
	d = parsed(t, show(s), query)
	if d.InView != 301 || len(d.Cells) != 1 || d.Cells[0].Ranges != 301 || d.Cells[0].From != d.View.From || d.Cells[0].To != d.View.To {
		t.Errorf("%d in view, cells %+v of %+v", d.InView, d.Cells, d.View)
	}
	if all := drawn(t, get(t, inspect.Handler(show(s)), query), "view"); len(all) != 1 || all[0].w != 1000 {
		t.Errorf("drawn: %v", all)
	}
}

// TestNoEnd checks that an unbounded map has no end on the axis, in the text and in JSON, and
// that its last range is drawn to the edge.
func TestNoEnd(t *testing.T) {
	u := rangelock.New[uint64, int](nil)
	insert(t, u, rangelock.From[uint64](0), 0)
	two := rangelock.New[int, int](nil)
	insert(t, two, rangelock.Span(0, 100), 0)
	insert(t, two, rangelock.From(100), 0)
	s := rangelock.New[string, int](nil)
	insert(t, s, rangelock.Span("a", "b"), 0)
	insert(t, s, rangelock.From("x"), 0)
	f := rangelock.New[float64, int](nil)
	insert(t, f, rangelock.Span(1., 2), 0)
	insert(t, f, rangelock.From(5.), 0)
	inf := rangelock.New[float64, int](nil)
	insert(t, inf, rangelock.Span(math.Inf(-1), 2), 0)
	insert(t, inf, rangelock.Span(3, math.Inf(1)), 0)
	ended := rangelock.New[int, int](nil)
	insert(t, ended, rangelock.Span(0, 10), 0)
	for _, tt := range []struct {
		m           inspect.Map
		from, to    string // in JSON
		left, right string // on the axis
	}{
		{m: show(u), from: "0", to: "∞", left: "0", right: "∞"},
		{m: show(two), from: "0", to: "∞", left: "0", right: "∞"},
		{m: show(s), from: "6100000000000000", to: "∞", left: `"a"…`, right: "∞"},
		{m: show(f), from: "1", to: "∞", left: "1", right: "∞"},
		{m: show(inf), from: "-Inf", to: "+Inf", left: "-Inf", right: "+Inf"},
		{m: show(ended), from: "0", to: "10", left: "0", right: "10"},
	} {
		d := parsed(t, tt.m, "")
		page := get(t, inspect.Handler(tt.m), "")
		labels := axis(page)
		if d.Whole.From != tt.from || d.Whole.To != tt.to || d.View != d.Whole || labels[0] != tt.left || labels[len(labels)-1] != tt.right {
			t.Errorf("%+v, axis %q; want %+v", d.Whole, labels, tt)
		}
		for _, id := range []string{"whole", "view"} {
			if all := drawn(t, page, id); len(all) == 0 || math.Abs(all[len(all)-1].x+all[len(all)-1].w-1000) > 0.02 {
				t.Errorf("%s to %s: %s is not drawn to the edge: %v", tt.from, tt.to, id, all)
			}
		}
	}
	// It is not drawn beyond the last possible key: the other range has half of the keys.
	i8 := rangelock.New[int8, int](nil)
	insert(t, i8, rangelock.Span[int8](0, 64), 0)
	insert(t, i8, rangelock.From[int8](127), 0)
	u16 := rangelock.New[uint16, int](nil)
	insert(t, u16, rangelock.Span[uint16](0, 1<<15), 0)
	insert(t, u16, rangelock.From[uint16](1<<16-1), 0)
	b := rangelock.NewFunc[[2]byte, int](func(x, y [2]byte) int { return bytes.Compare(x[:], y[:]) }, nil)
	insert(t, b, rangelock.Span([2]byte{}, [2]byte{0x80}), 0)
	insert(t, b, rangelock.From([2]byte{0xff, 0xff}), 0)
	for _, m := range []inspect.Map{show(i8), show(u16), show(b)} {
		if all := drawn(t, get(t, inspect.Handler(m), ""), "view"); len(all) != 2 || math.Abs(all[0].w-500) > 0.02 {
			t.Errorf("half of all keys and the last of them: %v", all)
		}
	}
	h := inspect.Handler(show(two))
	for query, view := range map[string]string{
		"from=50":       "50 to ∞, 2 ranges",
		"from=50&to=∞":  "50 to ∞, 2 ranges",
		"from=50&to=60": "50 to 60, 1 range",
		"from=105":      "105 to ∞, 1 range",
		"to=50":         "0 to 50, 1 range",
		"cut=0.5,1":     "55 to ∞, 2 ranges",
		"from=1000000":  "110 to ∞, 1 range",
		"from=5&to=5":   "5 to 6, 1 range",
		"from=5&to=0":   "5 to 6, 1 range",
		"from=-9999999999999999999999&to=9999999999999999999999&cut=0,0.5": "0 to 56, 1 range",
	} {
		if text := get(t, h, "format=text&"+query); !strings.Contains(text, "# view: "+view+"\n") {
			t.Errorf("%s: %q is not in\n%s", query, view, text)
		}
	}
}

// TestNothing checks the texts for an empty map, and that they do not mention its keys.
func TestNothing(t *testing.T) {
	m := rangelock.New[int, int](nil)
	h := inspect.Handler(show(m))
	page := get(t, h, "")
	if !strings.Contains(page, "Nothing is in this map.") || strings.Contains(page, "distance") || strings.Contains(page, `class="axis"`) {
		t.Errorf("an empty map:\n%s", page[strings.Index(page, "</nav>")+1:])
	}
	if text := get(t, h, "format=text"); !strings.Contains(text, "# nothing is in this map\n") {
		t.Errorf("an empty map:\n%s", text)
	}
	insert(t, m, rangelock.Span(0, 1), 0)
	insert(t, m, rangelock.Span(100, 101), 0)
	if page := get(t, h, "from=50&to=60"); !strings.Contains(page, "Nothing is in view.") {
		t.Error("a gap in view: the page does not say that nothing is there")
	}
	// The reasons to draw keys by order.
	type pair struct{ a, b int }
	p := rangelock.NewFunc[pair, int](func(x, y pair) int { return x.a - y.a }, nil)
	insert(t, p, rangelock.Span(pair{1, 0}, pair{2, 0}), 0)
	back := rangelock.NewFunc[int, int](func(x, y int) int { return y - x }, nil)
	insert(t, back, rangelock.Span(5, 3), 0)
	insert(t, back, rangelock.Span(2, 1), 0)
	alike := rangelock.New[string, int](nil)
	insert(t, alike, rangelock.Span("/usr/share/a", "/usr/share/b"), 0)
	for want, m := range map[string]inspect.Map{"these keys have no distance": show(p), "the map does not order its keys by value": show(back), "most of these keys begin alike": show(alike)} {
		if page := get(t, inspect.Handler(m), ""); !strings.Contains(page, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
}

// TestLeft checks that ranges that have left are listed if and only if they are in view and
// counted there.
func TestLeft(t *testing.T) {
	m := rangelock.New[int, int](nil)
	for i := range 10 {
		insert(t, m, rangelock.Span(10*i, 10*i+10), 0)
	}
	for i := range 4 { // 0-10 to 30-40
		g, _ := m.Acquire(10 * i)
		defer g.Release()
		if _, err := m.Retire(bg, rangelock.Span(10*i, 10*i+10)); err != nil {
			t.Fatal(err)
		}
	}
	h := inspect.Handler(show(m))
	for _, tt := range []struct {
		query         string
		inView, left  int
		title, remark string
	}{
		{"", 6, 4, "Ranges in view: 6, and 4 left", ""},
		{"from=5&to=25", 0, 3, "Ranges in view: 0, and 3 left", "1 left is outside the view."},
		{"from=35&to=45", 1, 1, "Ranges in view: 1, and 1 left", "3 left are outside the view."},
		{"from=50&to=70", 2, 0, "Ranges in view: 2", "4 left are outside the view."},
	} {
		d := parsed(t, show(m), tt.query)
		if d.InView != tt.inView || len(d.Ranges) != tt.inView || len(d.Left) != tt.left || d.LeftOutside != 4-tt.left || d.Counts["left"] != 4 {
			t.Errorf("%s: inView %d, %d ranges, %d left and %d outside, of %v", tt.query, d.InView, len(d.Ranges), len(d.Left), d.LeftOutside, d.Counts)
		}
		text := lines(t, h, tt.query)
		if n := strings.Count(text, "\tleft\t"); n != tt.left || strings.Count(text, "\n") != tt.inView+tt.left {
			t.Errorf("%s: %d left in the text\n%s", tt.query, n, text)
		}
		page := get(t, h, tt.query)
		if n := len(drawn(t, page, "gone")); n != tt.left || strings.Count(page, `<tr><td class="key">`) != tt.inView+tt.left {
			t.Errorf("%s: %d left are drawn, %d rows", tt.query, n, strings.Count(page, `<tr><td class="key">`))
		}
		if !strings.Contains(page, "<h3>"+tt.title+"</h3>") || strings.Contains(page, "outside the view") != (tt.remark != "") || !strings.Contains(page, tt.remark) {
			t.Errorf("%s: neither %q nor %q is on the page:\n%s", tt.query, tt.title, tt.remark, regexp.MustCompile(`(?s)<h3>.*?</h3>`).FindString(page))
		}
	}
	if text := get(t, h, "format=text&from=50&to=70"); !strings.Contains(text, "# view: 50 to 70, 2 ranges; 4 left are outside it\n") {
		t.Error(text)
	}
	w := m.Lock()
	if _, err := w.Clear(); err != nil {
		t.Fatal(err)
	}
	w.Unlock()
	// In an empty map, ranges that have left still have their place.
	if d := parsed(t, show(m), ""); d.Scale != "numbers" || d.Whole.From != "0" || d.Whole.To != "40" || len(d.Left) != 4 {
		t.Errorf("all have left: %s %+v, %d left", d.Scale, d.Whole, len(d.Left))
	}
}

// TestOneWordForAState checks that the page uses the words of the table for the states, in the
// legend and elsewhere, and that the text does the same.
func TestOneWordForAState(t *testing.T) {
	m := rangelock.New[int, int](nil)
	insert(t, m, rangelock.Span(0, 10), 0)
	g, _ := m.Acquire(5)
	defer g.Release()
	if _, err := m.Retire(bg, rangelock.Span(0, 10)); err != nil {
		t.Fatal(err)
	}
	h := inspect.Handler(show(m))
	page := get(t, h, "")
	var names []string
	for _, f := range regexp.MustCompile(`<rect class="s-(\w+)"[^>]*/></svg>([a-z ]*\w) <b>`).FindAllStringSubmatch(page, -1) {
		if f[1] != f[2] {
			t.Errorf("the legend calls %s %q", f[1], f[2])
		}
		names = append(names, f[2])
	}
	if len(names) != 5 || !strings.Contains(page, "/></svg>left <small>") || !strings.Contains(page, ", 1 left</dd>") || strings.Contains(page, "retired but held<") {
		t.Errorf("the legend is %q", names)
	}
	if text := get(t, h, "format=text"); !strings.Contains(text, "0 free, 1 left\n") || !strings.Contains(text, "0-10\tleft\t1\t") {
		t.Error(text)
	}
}
