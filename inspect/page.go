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

	// policy lets the page run its own script and style, named by their hashes, and make requests
	// to its own host. The browser refuses everything else, even if a key should get past the
	// escaping.
	policy = "default-src 'none'; script-src " + hashSource(scriptText) + "; style-src " + hashSource(styleText) +
		"; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

func hashSource(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// The data of the template. Only the template's escaping protects the page from keys, so nothing
// here but style and script has a type that the template trusts.
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
		Alarms                                  []warning
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
		Label, Value, Unit, Note, Line, Area string
		Alarm                                bool
	}
	warning struct{ Text, Href string }
	legend  struct{ Name, Meaning, Count string }
	// A part is a rectangle on a line 1000 wide.
	part struct{ Class, X, Y, W, H, Opacity, Title string }
	// A drawn is a range or a cell, which can be clicked on.
	drawn struct {
		Href, Title, X, W string
		Cell              bool
		Parts             []part
	}
	listed struct {
		Href, Bounds, State, Note, Value string
		Guards                           int
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

// writeMain writes the part of the page that the script replaces.
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
		q.Set("from", p.from(w))
		q.Set("to", p.to(w))
	}
	return q.Encode()
}

func (p *picture) link(w window) string { return "?" + p.query(w) }

// viewed returns the data of the picture for the template.
func (p *picture) viewed() *mapView {
	v := &mapView{
		Name: p.name, Query: p.query(p.view), Zoomed: p.zoomed,
		In: p.link(p.view.cut(0.25, 0.75, p.whole)), Out: p.link(p.view.cut(-0.5, 1.5, p.whole)),
		Left: p.link(p.view.cut(-0.5, 0.5, p.whole)), Right: p.link(p.view.cut(0.5, 1.5, p.whole)), All: p.link(p.whole),
		Took:     short(p.took),
		TextHref: "?format=text&" + p.query(p.view), JSONHref: "?format=json&" + p.query(p.view),
		Tiles: p.tiles(), Gone: p.goneParts(),
	}
	if !p.empty() {
		v.From, v.To = p.fromLabel(p.view), p.toLabel(p.view)
		// The middle of an odd number of places has no label.
		if n := p.view.last - p.view.lo; p.scale.kind != byBytes && (n&1 == 1 || n > 1000) {
			v.Mid = p.scale.label(p.view.edge(1, 2))
		}
	}
	for _, a := range p.alarms {
		x := warning{Text: a.text}
		if a.at != nil && p.scale.kind != byOrder {
			x.Href = p.link(p.around(a.at.a, a.at.z))
		}
		v.Alarms = append(v.Alarms, x)
	}
	for st := free; st < numStates; st++ {
		v.Legend = append(v.Legend, legend{st.String(), stateMeanings[st], count(p.counts[st])})
	}
	for i := range p.strip {
		v.Strip = append(v.Strip, p.strip[i].parts(i, len(p.strip), 16)...)
	}
	x, end := line(p.whole, p.view.lo, p.view.last, 2)
	v.ViewX, v.ViewW, v.ViewEnd, v.ViewRest = coord(x), coord(end-x), coord(end), coord(1000-end)
	switch p.scale.kind {
	case byBytes:
		v.ScaleNote = "Drawn by the first eight bytes of the keys."
	case byOrder:
		if p.scale.why != "" { // the map is not empty
			v.ScaleNote = "Drawn by order, each range as wide as the next: " + p.scale.why + "."
		}
	}
	p.list(v)
	return v
}

// list fills in the ranges or cells of the view, and the list of ranges.
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
	all := append(p.visibleGone(), rows...)
	for i := range all {
		x := &all[i]
		l := listed{
			Bounds: x.bounds(), State: x.state.String(), Note: x.note(), Value: x.value, Guards: x.guards,
		}
		if x.visible {
			l.Href = p.link(p.around(x.a, x.z))
		}
		v.HasValues = v.HasValues || x.value != ""
		v.Rows = append(v.Rows, l)
		if !p.aggregated() && x.state != left {
			joined := i+1 < len(all) && all[i+1].a <= x.z+1
			v.Drawn = append(v.Drawn, p.drawRow(x, l.Href, joined))
		}
	}
	switch {
	case p.empty():
		v.ListNote = "Nothing is in this map."
	case len(all) == 0 && !p.aggregated():
		v.ListNote = "Nothing is in view."
	}
	if n := len(p.gone); n > 0 {
		v.ListTitle += fmt.Sprintf(", and %s left", count(n))
		if n > maxGone {
			v.ListNote = join(v.ListNote, fmt.Sprintf("The first %d of the ranges that have left are listed.", maxGone))
		}
	}
	if n := p.outside; n > 0 {
		v.ListNote = join(v.ListNote, outsideText(n)+" outside the view.")
	}
}

// maxGone is the number of ranges that have left that the page lists.
const maxGone = 100

// visibleGone returns the first of the ranges that have left, for the list.
func (p *picture) visibleGone() []row {
	n := min(len(p.gone), maxGone)
	return p.gone[:n:n]
}

// join appends a sentence to another.
func join(a, b string) string { return strings.TrimSpace(a + " " + b) }
