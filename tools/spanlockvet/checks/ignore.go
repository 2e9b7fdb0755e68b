package checks

import (
	"go/token"
	"slices"
	"strings"
)

// Ignore reports comments that silence a line without a reason.
var Ignore = check("ignore", `report comments that silence spanlockvet without a reason

The comment

	//spanlockvet:ignore the reason

at the end of a line, or directly above it, removes the line from all reports.`)

const directive = "//spanlockvet:ignore"

// sift keeps the first finding of each check at each place, except those that a comment
// silences.
func (p *pkg) sift(all []finding) {
	type place struct {
		check string
		pos   token.Pos
	}
	silent := p.silent()
	seen := map[place]bool{}
	for _, f := range all {
		at := p.pass.Fset.Position(f.pos)
		at.Column, at.Offset = 0, 0
		if k := (place{f.check, f.pos}); !seen[k] && !silent[at] {
			seen[k] = true
			p.found = append(p.found, f)
		}
	}
	slices.SortStableFunc(p.found, func(a, b finding) int { return int(a.pos - b.pos) })
}

// silent returns the lines that comments silence: the line of the comment, and the one
// below it.
func (p *pkg) silent() map[token.Position]bool {
	lines := map[token.Position]bool{}
	for _, file := range p.pass.Files {
		for _, group := range file.Comments {
			for _, c := range group.List {
				why, ok := strings.CutPrefix(c.Text, directive)
				if !ok || why != "" && why[0] != ' ' {
					continue
				}
				at := p.pass.Fset.Position(c.Pos())
				if strings.TrimSpace(why) == "" {
					p.found = append(p.found, finding{"ignore", c.Pos(), "say why: " + directive + " the reason"})
				}
				at.Column, at.Offset = 0, 0
				lines[at] = true
				at.Line++
				lines[at] = true
			}
		}
	}
	return lines
}
