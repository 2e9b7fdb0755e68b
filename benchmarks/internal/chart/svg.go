// Package chart draws lines and bars as SVG that reads well on light and on dark
// backgrounds. It knows nothing about benchmarks.
package chart

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
)

// A canvas collects an SVG document.
type canvas struct {
	b bytes.Buffer
}

// style has the greys for a light and a dark background; the background stays transparent.
const style = `
text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; font-size: 13px; fill: #57606a }
.title { font-size: 17px; font-weight: 600; fill: #1f2328 }
.strong { font-weight: 600 }
.grid { stroke: #d0d7de; stroke-width: 1 }
.axis { stroke: #8c959f; stroke-width: 1 }
@media (prefers-color-scheme: dark) {
text { fill: #9198a1 }
.title { fill: #f0f6fc }
.grid { stroke: #30363d }
.axis { stroke: #6e7681 }
}
`

// newCanvas opens a document. The label is for readers who cannot see the picture.
func newCanvas(width, height float64, label string) *canvas {
	c := new(canvas)
	c.printf(`<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %[1]s %[2]s" role="img">`, short(width), short(height))
	c.printf("<title>%s</title><style>%s</style>\n", escape(label), style)
	return c
}

func (c *canvas) printf(format string, args ...any) { fmt.Fprintf(&c.b, format, args...) }

func (c *canvas) writeTo(w io.Writer) error {
	c.printf("</svg>\n")
	_, err := w.Write(c.b.Bytes())
	return err
}

// text writes s at x and y; anchor is start, middle or end. Attributes are verbatim.
func (c *canvas) text(x, y float64, anchor, attributes, s string) {
	if s == "" {
		return
	}
	c.printf(`<text x="%s" y="%s" text-anchor="%s" %s>%s</text>`+"\n", short(x), short(y), anchor, attributes, escape(s))
}

func (c *canvas) line(class string, x1, y1, x2, y2 float64) {
	c.printf(`<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>`+"\n", class, short(x1), short(y1), short(x2), short(y2))
}

func escape(s string) string {
	var b bytes.Buffer
	xml.EscapeText(&b, []byte(s)) // into a buffer: never fails
	return b.String()
}

// short writes a coordinate to a tenth of a pixel.
func short(x float64) string {
	s := fmt.Sprintf("%.1f", x)
	if len(s) > 2 && s[len(s)-2:] == ".0" {
		return s[:len(s)-2]
	}
	return s
}
