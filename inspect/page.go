package inspect

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page's parts
	"encoding/base64"
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"
)

var (
	//go:embed page.html
	pageText string
	//go:embed style.css
	styleText string
	//go:embed script.js
	scriptText string

	pages = template.Must(template.New("").Parse(pageText))

	// policy lets the page run its own script and style, which it names by their
	// hashes, and ask its own host; anything else a browser is told to refuse, also if
	// a key were to get past the escaping.
	policy = "default-src 'none'; script-src " + hashSource(scriptText) + "; style-src " + hashSource(styleText) +
		"; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

func hashSource(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// What the template is given. Its own escaping is all that stands between a key and the
// page, so nothing here but style and script is of a type that it trusts.
type (
	page struct {
		Title  string
		Style  template.CSS
		Script template.JS
		Tabs   []tab
		Map    *mapView
	}
	tab struct {
		Href, Name string
		Current    bool
	}
	mapView struct {
		Name, Query                             string
		Tiles                                   [][]tile // two rows
		Legend                                  []legend
		In, Out, Left, Right, All               string
		Strip, Gone                             []part
		Drawn                                   []drawn
		Zoomed                                  bool
		ViewX, ViewW, ViewEnd, ViewRest         string
		From, Mid, To, ScaleNote                string
		ListTitle, ListNote, TextHref, JSONHref string
		Rows                                    []listed
		HasValues                               bool
		Took                                    time.Duration
	}
	tile struct {
		Label, Value, Unit, Note, Line string
		Alarm                          bool
	}
	legend struct{ Class, Name, Count string }
	// A part is a rectangle on a line 1000 wide.
	part struct{ Class, X, Y, W, H, Opacity, Title string }
	// A drawn is what one can click on: a range, or a cell.
	drawn struct {
		Href, Title, X, W string
		Cell              bool
		Parts             []part
	}
	listed struct {
		Href, Bounds, Class, State, Note, Value string
		Guards                                  int
	}
)

func (h *handler) writePage(w *bytes.Buffer, pictures []*picture) error {
	p := h.page(pictures)
	p.Title, p.Style, p.Script = "spanlock", template.CSS(styleText), template.JS(scriptText)
	if p.Map != nil {
		p.Title = p.Map.Name + " · spanlock"
	}
	return pages.ExecuteTemplate(w, "page", p)
}

// writeMain writes what the script puts in the place of the last one.
func (h *handler) writeMain(w *bytes.Buffer, pictures []*picture) error {
	return pages.ExecuteTemplate(w, "main", h.page(pictures))
}

func (h *handler) page(pictures []*picture) *page {
	p := &page{}
	if len(pictures) == 0 {
		return p
	}
	for _, s := range h.shown {
		p.Tabs = append(p.Tabs, tab{"?map=" + strconv.Itoa(s.index), s.name, s.index == pictures[0].index})
	}
	p.Map = pictures[0].viewed()
	return p
}

// query returns the link to a part of the map.
func (p *picture) query(w window) string {
	q := url.Values{}
	if p.index > 0 {
		q.Set("map", strconv.Itoa(p.index))
	}
	if w != p.whole {
		q.Set("from", p.scale.text(w.lo))
		q.Set("to", p.scale.text(w.hi))
	}
	return q.Encode()
}

func (p *picture) link(w window) string { return "?" + p.query(w) }

// around returns the link to a range with a little of what is beside it.
func (p *picture) around(a, b uint64) string {
	w := newWindow(max(a, p.whole.lo), min(b, p.whole.hi))
	return p.link(w.cut(-0.1, 1.1, p.whole))
}

// viewed is the picture as the template wants it.
func (p *picture) viewed() *mapView {
	v := &mapView{
		Name: p.name, Query: p.query(p.view), Zoomed: p.zoomed,
		In: p.link(p.view.cut(0.25, 0.75, p.whole)), Out: p.link(p.view.cut(-0.5, 1.5, p.whole)),
		Left: p.link(p.view.cut(-0.5, 0.5, p.whole)), Right: p.link(p.view.cut(0.5, 1.5, p.whole)), All: p.link(p.whole),
		From: p.scale.label(p.view.lo), To: p.scale.label(p.view.hi), Took: short(p.took),
		TextHref: "?format=text&" + p.query(p.view), JSONHref: "?format=json&" + p.query(p.view),
		Tiles: p.tiles(), Gone: p.goneParts(),
	}
	if mid := p.view.edge(1, 2); mid > p.view.lo && p.scale.kind != byBytes {
		v.Mid = p.scale.label(mid)
	}
	for st := free; st < numStates; st++ {
		name := st.String()
		if st == left {
			name = "retired but held"
		}
		v.Legend = append(v.Legend, legend{st.String(), name, count(p.counts[st])})
	}
	for i := range p.strip {
		v.Strip = append(v.Strip, p.strip[i].parts(i, mapCells, 16)...)
	}
	x, end := 1000*p.whole.share(p.view.lo), 1000*p.whole.share(p.view.hi)
	v.ViewX, v.ViewW, v.ViewEnd, v.ViewRest = coord(x), coord(max(end-x, 2)), coord(end), coord(1000-end)
	switch p.scale.kind {
	case byBytes:
		v.ScaleNote = "Drawn by the first eight bytes of the keys."
	case byOrder:
		v.ScaleNote = "Drawn by order, each range as wide as the next: these keys have no distance."
	}
	p.list(v)
	return v
}

// list fills in what is drawn in the view, and listed.
func (p *picture) list(v *mapView) {
	rows := p.rows
	v.ListTitle = "Ranges in view: " + count(p.inView)
	if p.aggregated() {
		rows = p.busy
		v.ListTitle = "In view, not free: " + count(len(p.busy))
		v.ListNote = count(p.inView) + " ranges are in view, too many to list: zoom in to see each."
		if len(p.busy) >= maxRows {
			v.ListTitle = "In view, not free: the first " + count(maxRows)
		}
		for i := range p.cells {
			if d, ok := p.drawCell(i); ok {
				v.Drawn = append(v.Drawn, d)
			}
		}
	}
	for _, x := range append(p.visibleGone(), rows...) {
		l := listed{
			Bounds: x.bounds(), Class: x.state.String(), State: x.state.String(), Note: x.note(), Value: x.value, Guards: x.guards,
		}
		if x.visible {
			l.Href = p.around(x.a, x.b)
		}
		v.HasValues = v.HasValues || x.value != ""
		v.Rows = append(v.Rows, l)
		if !p.aggregated() && x.state != left {
			v.Drawn = append(v.Drawn, p.drawRow(&x, l.Href))
		}
	}
	if len(v.Rows) == 0 && !p.aggregated() {
		v.ListNote = "Nothing is here."
	}
}

// visibleGone returns the first of the ranges that have left, for the list.
func (p *picture) visibleGone() []row { return p.gone[:min(len(p.gone), 100):min(len(p.gone), 100)] }

// drawRow draws a range to scale, but never so small that it is not seen.
func (p *picture) drawRow(x *row, href string) drawn {
	a, b := 1000*p.view.share(x.a), 1000*p.view.share(x.b)
	w := max(b-a, 1)
	if w > 4 {
		w-- // a gap to the next one
	}
	title := x.bounds() + "\n" + x.state.String()
	if x.guards > 0 {
		title += ", " + plural(x.guards, "guard")
	}
	if n := x.note(); n != "" {
		title += ", " + n
	}
	if x.value != "" {
		title += "\n" + x.value
	}
	return drawn{Href: href, Title: title, Parts: []part{{x.state.String(), coord(a), "0", coord(w), "120", "1", ""}}}
}

// drawCell draws a part of the view with more ranges in it than could be seen.
func (p *picture) drawCell(i int) (drawn, bool) {
	c := &p.cells[i]
	parts := c.parts(i, viewCells, 120)
	if parts == nil {
		return drawn{}, false
	}
	a, b := p.view.edge(i, viewCells), p.view.edge(i+1, viewCells)
	title := fmt.Sprintf("%s to %s\n%s ranges begin here, %s guards", p.scale.label(a), p.scale.label(b), count(c.ranges), count(c.guards))
	for st := held; st < left; st++ {
		if c.touch[st] > 0 {
			title += fmt.Sprintf(", %s %s", count(c.touch[st]), st)
		}
	}
	return drawn{Href: p.around(a, b), Title: title, X: parts[0].X, W: parts[0].W, Cell: true, Parts: parts}, true
}

// parts draws cell i of n as a column: the states that are not free stand on top of
// each other, each by its share, but large enough to be seen; how strong the rest is
// says how much of the cell is covered.
func (c *cell) parts(i, n int, height float64) []part {
	total := 0
	for _, t := range c.touch {
		total += t
	}
	if total == 0 {
		return nil
	}
	x, w := coord(1000*float64(i)/float64(n)), coord(1000/float64(n)-0.4)
	all := []part{{"free", x, "0", w, coord(height), strconv.FormatFloat(0.3+0.7*c.covered, 'f', 2, 64), ""}}
	y := height
	for st := left - 1; st > free; st-- {
		if c.touch[st] > 0 {
			h := min(y, max(height/8, height*float64(c.touch[st])/float64(total)))
			y -= h
			all = append(all, part{st.String(), x, coord(y), w, coord(h), "1", ""})
		}
	}
	return all
}

// goneParts draws what has left the map and is still held.
func (p *picture) goneParts() []part {
	var all []part
	for i := range p.gone {
		x := &p.gone[i]
		if !x.visible {
			continue
		}
		a, b := 1000*p.view.share(x.a), 1000*p.view.share(x.b)
		all = append(all, part{"left", coord(a), "3", coord(max(b-a, 3)), "18", "1",
			fmt.Sprintf("%s\n%s, left %s", x.bounds(), plural(x.guards, "guard"), x.note())})
	}
	return all
}

func coord(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) }

// count writes a number in groups of three.
func count[N int | int64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// points is a line through the values, on a field of 100 by 20.
func points(values []float64) string {
	if len(values) < 2 {
		return ""
	}
	top := 1e-9
	for _, v := range values {
		top = max(top, v)
	}
	var b strings.Builder
	for i, v := range values {
		fmt.Fprintf(&b, "%.1f,%.1f ", 100*float64(i)/float64(len(values)-1), 19-18*v/top)
	}
	return strings.TrimSpace(b.String())
}
