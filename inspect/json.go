package inspect

import (
	"bytes"
	"encoding/json"

	"github.com/spanlock/spanlock/rangelock"
)

// The answer to ?format=json. The package documentation describes it.
type (
	document struct {
		Maps []jsonMap `json:"maps"`
	}
	jsonMap struct {
		Index     int             `json:"index"`
		Name      string          `json:"name"`
		Scale     string          `json:"scale"`
		Whole     jsonWindow      `json:"whole"`
		View      jsonWindow      `json:"view"`
		Counts    map[string]int  `json:"counts"`
		Guards    int             `json:"guards"`
		Announced int             `json:"announced"` // of the guards
		Waiting   int             `json:"waiting"`
		Stats     rangelock.Stats `json:"stats"`
		Rates     *jsonRates      `json:"rates"`
		Alarms    []jsonAlarm     `json:"alarms"`
		InView    int             `json:"inView"`
		Ranges    []jsonRange     `json:"ranges"`
		Cells     []jsonCell      `json:"cells"`
		Left      []jsonRange     `json:"left"`
		Outside   int             `json:"leftOutside"`
	}
	jsonWindow struct {
		From string `json:"from"`
		To   string `json:"to"`
	}
	jsonRange struct {
		Index       int     `json:"index"`
		Lo          any     `json:"lo"`
		Hi          any     `json:"hi"`
		Unbounded   bool    `json:"unbounded,omitempty"`
		State       string  `json:"state"`
		Guards      int     `json:"guards"`
		Announced   int     `json:"announced,omitempty"` // of the guards
		Waiting     int     `json:"waiting,omitempty"`
		WriterWaits bool    `json:"writerWaits,omitempty"`
		WaitedFor   float64 `json:"waitedFor,omitempty"`
		LeftFor     float64 `json:"leftFor,omitempty"`
		Value       string  `json:"value,omitempty"`
	}
	jsonCell struct {
		jsonWindow
		Ranges int            `json:"ranges"`
		Guards int            `json:"guards"`
		States map[string]int `json:"states"`
	}
	jsonRates struct {
		Over         float64 `json:"over"`
		Retired      float64 `json:"retired"`
		FellBack     float64 `json:"fellBack"`
		LockWaits    float64 `json:"lockWaits"`
		LockWaited   float64 `json:"lockWaited"`
		GuardWaits   float64 `json:"guardWaits"`
		GuardWaited  float64 `json:"guardWaited"`
		Transactions float64 `json:"transactions"`
		WriterHeld   float64 `json:"writerHeld"`
	}
	jsonAlarm struct {
		About string `json:"about"`
		Text  string `json:"text"`
	}
)

func writeJSON(w *bytes.Buffer, pictures []*picture) error {
	d := document{Maps: []jsonMap{}}
	for _, p := range pictures {
		d.Maps = append(d.Maps, p.json())
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(d)
}

func (p *picture) json() jsonMap {
	m := jsonMap{
		Index: p.index, Name: p.name, Scale: p.scale.kind.String(),
		Whole: p.jsonWindow(p.whole), View: p.jsonWindow(p.view),
		Counts: jsonStates(p.counts), Guards: p.guards, Announced: p.announced, Waiting: p.waiting, Stats: p.stats,
		Alarms: []jsonAlarm{}, InView: p.inView, Ranges: jsonRows(p.rows), Cells: []jsonCell{}, Left: jsonRows(p.gone), Outside: p.outside,
	}
	if r := &p.rates; r.over > 0 {
		c := &r.per
		m.Rates = &jsonRates{r.over.Seconds(), c[retired], c[fellBack], c[lockWaits], c[lockWaited], c[guardWaits], c[guardWaited], c[transactions], c[writerHeld]}
	}
	for _, a := range p.alarms {
		m.Alarms = append(m.Alarms, jsonAlarm{a.about, a.text})
	}
	if p.aggregated() {
		m.Ranges = jsonRows(p.busy)
		for i := range p.cells {
			c := &p.cells[i]
			m.Cells = append(m.Cells, jsonCell{
				p.jsonWindow(p.view.part(i, len(p.cells))),
				c.ranges, c.guards, jsonStates(c.touch),
			})
		}
	}
	return m
}

func (p *picture) jsonWindow(w window) jsonWindow {
	return jsonWindow{p.from(w), p.to(w)}
}

// jsonStates leaves out states without ranges.
func jsonStates(n [numStates]int) map[string]int {
	m := make(map[string]int)
	for st, n := range n {
		if n > 0 {
			m[state(st).String()] = n
		}
	}
	return m
}

func jsonRows(rows []row) []jsonRange {
	all := []jsonRange{}
	for _, x := range rows {
		all = append(all, jsonRange{
			Index: x.ordinal, Lo: x.rawLo, Hi: x.rawHi, Unbounded: x.unbounded, State: x.state.String(), Guards: x.guards, Announced: x.announced, Waiting: x.waiting,
			WriterWaits: x.writerWaits, WaitedFor: x.waitedFor.Seconds(), LeftFor: x.left.Seconds(), Value: x.value,
		})
	}
	return all
}
