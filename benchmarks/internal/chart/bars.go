package chart

import (
	"fmt"
	"io"
)

// A Bar is one value with its spread.
type Bar struct {
	Name             string
	Colour           string
	Strong           bool
	Value, Low, High float64
}

// A Group is bars under one heading.
type Group struct {
	Name string
	Bars []Bar
}

// Bars is a chart of horizontal bars, from zero, in groups that share the axis.
type Bars struct {
	Title, Subtitle string
	Axis            Axis // its Format also writes the values at the bars
	Groups          []Group
	Note            string
}

const (
	barLeft  = 178.0
	barRight = 100.0 // room for the value at the end of the longest
	barPitch = 25.0
	barThick = 16.0
	heading  = 34.0
)

// Write draws the chart, as high as the bars need.
func (b *Bars) Write(w io.Writer) error {
	x := b.Axis
	high, rows := 0.0, 0.0
	for _, g := range b.Groups {
		rows += heading
		for _, bar := range g.Bars {
			high = max(high, bar.Value, bar.High)
			rows += barPitch
		}
	}
	if high == 0 {
		high = 1
	}
	x.fit(0, high, barLeft, width-barRight)
	end := top + rows
	c := newCanvas(width, end+bottom-4, b.Title)
	c.text(left-56, 30, "start", `class="title"`, b.Title)
	c.text(left-56, 52, "start", "", b.Subtitle)
	c.text(left-56, end+bottom-18, "start", `style="font-size:11px"`, b.Note)
	for _, t := range x.Ticks {
		at := x.place(t.At)
		c.line("grid", at, top-8, at, end)
		c.text(at, end+18, "middle", "", t.Label)
	}
	c.text((barLeft+width-barRight)/2, end+38, "middle", "", x.Label)
	y := top
	for _, g := range b.Groups {
		c.text(left-56, y+heading-12, "start", `class="strong"`, g.Name)
		y += heading
		for _, bar := range g.Bars {
			c.bar(bar, &x, y)
			y += barPitch
		}
	}
	c.line("axis", barLeft, top-8, barLeft, end)
	return c.writeTo(w)
}

func (c *canvas) bar(b Bar, x *Axis, y float64) {
	class := ""
	if b.Strong {
		class = `class="strong" `
	}
	c.printf(`<g data-series="%s">`+"\n", escape(b.Name))
	colour := fmt.Sprintf(`style="fill:%s"`, b.Colour)
	middle := y + barThick/2
	c.text(barLeft-10, middle+4, "end", class+colour, b.Name)
	c.printf(`<rect x="%s" y="%s" width="%s" height="%s" rx="2" fill="%s"/>`+"\n",
		short(barLeft), short(y), short(max(0.5, x.place(b.Value)-barLeft)), short(barThick), b.Colour)
	past := x.place(b.Value)
	if b.High > b.Low {
		c.line("axis", x.place(b.Low), middle, x.place(b.High), middle)
		past = max(past, x.place(b.High))
	}
	c.text(past+8, middle+4, "start", class, x.Format(b.Value))
	c.printf("</g>\n")
}
