package chart

import (
	"bytes"
	"encoding/xml"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		got, want []float64
	}{
		{linearTicks(0, 17), []float64{0, 5, 10, 15, 20}},
		{linearTicks(0, 1), []float64{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1}},
		{linearTicks(0, 20), []float64{0, 5, 10, 15, 20}},
		{logTicks(45, 1300), []float64{20, 50, 100, 200, 500, 1000, 2000}},
		{logTicks(100, 1e7), []float64{100, 1000, 1e4, 1e5, 1e6, 1e7}},
		{logTicks(150, 5e6), []float64{100, 1000, 1e4, 1e5, 1e6, 1e7}},
	} {
		if !slices.EqualFunc(c.got, c.want, func(a, b float64) bool { return math.Abs(a-b) < 1e-6*b || a == b }) {
			t.Errorf("%v, want %v", c.got, c.want)
		}
	}
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		places, want []float64
	}{
		{[]float64{10, 50, 90}, []float64{10, 50, 90}},
		{[]float64{50, 50}, []float64{45, 55}},
		{[]float64{50, 52, 54, 90}, []float64{42, 52, 62, 90}},
		{[]float64{0, 0, 0}, []float64{0, 10, 20}},
		{[]float64{100, 100, 100}, []float64{80, 90, 100}},
	} {
		if got := spread(c.places, 10, 0, 100); !slices.Equal(got, c.want) {
			t.Errorf("spread(%v) = %v, want %v", c.places, got, c.want)
		}
	}
}

// A chart is XML for any names, and higher values are drawn higher up.
func TestLines(t *testing.T) {
	l := &Lines{
		Title: `<"&'>`,
		X:     Axis{Label: "x", Log: true, Ticks: []Tick{{1, "1"}, {100, "100"}}},
		Y:     Axis{Label: "y", Format: func(x float64) string { return strconv.FormatFloat(x, 'g', 3, 64) }},
		Series: []Series{
			{Name: "a<b", Colour: "#123456", X: []float64{1, 10, 100}, Y: []float64{1, 2, 3}},
			{Name: "c&d", Colour: "#654321", X: []float64{1}, Y: []float64{9}, Low: []float64{8}, High: []float64{10}, Strong: true},
			{Name: "empty"},
		},
	}
	var b bytes.Buffer
	if err := l.Write(&b); err != nil {
		t.Fatal(err)
	}
	texts := wellFormed(t, b.Bytes())
	for _, want := range []string{`<"&'>`, "a<b", "c&d", "x", "y", "100", "0", "10"} {
		if !slices.Contains(texts, want) {
			t.Errorf("%q is not in the picture: %q", want, texts)
		}
	}
	a := Axis{Format: l.Y.Format}
	a.fit(0, 10, 400, 100)
	if !(a.place(0) == 400 && a.place(10) == 100 && a.place(2) > a.place(3)) {
		t.Error(a.place(0), a.place(2), a.place(3), a.place(10))
	}
}

// A bar is as long as its value, from zero.
func TestBars(t *testing.T) {
	format := func(x float64) string { return strconv.FormatFloat(x, 'g', 3, 64) }
	b := &Bars{Axis: Axis{Label: "time", Format: format}, Groups: []Group{
		{"first", []Bar{{Name: "one", Value: 100}, {Name: "two", Value: 200, Low: 150, High: 250}}},
		{"second", []Bar{{Name: "four", Value: 400}}},
	}}
	var out bytes.Buffer
	if err := b.Write(&out); err != nil {
		t.Fatal(err)
	}
	texts := wellFormed(t, out.Bytes())
	for _, want := range []string{"first", "second", "one", "two", "four", "100", "200", "400", "0"} {
		if !slices.Contains(texts, want) {
			t.Errorf("%q is not in the picture: %q", want, texts)
		}
	}
	var widths []float64
	for _, part := range strings.Split(out.String(), "<rect ")[1:] {
		_, rest, _ := strings.Cut(part, `width="`)
		w, err := strconv.ParseFloat(rest[:strings.IndexByte(rest, '"')], 64)
		if err != nil {
			t.Fatal(err)
		}
		widths = append(widths, w)
	}
	if len(widths) != 3 || math.Abs(widths[1]-2*widths[0]) > 0.2 || math.Abs(widths[2]-4*widths[0]) > 0.3 {
		t.Errorf("widths %v of the bars of 100, 200 and 400", widths)
	}
}

// wellFormed returns the texts of an XML document.
func wellFormed(t *testing.T, doc []byte) (texts []string) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(doc))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return texts
		}
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := token.(xml.CharData); ok {
			if s := strings.TrimSpace(string(c)); s != "" {
				texts = append(texts, s)
			}
		}
	}
}
