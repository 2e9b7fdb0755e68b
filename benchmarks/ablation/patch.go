package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A patch is one file NAME.patch.
type patch struct {
	name  string
	path  string // absolute
	out   string // what is left out
	so    string // what goes wrong, or is lost, without it
	cells []cell
	on    []*patch // what both sides of the comparison lack
}

// A cell is one workload of the probe.
type cell struct {
	do   string
	n, g int
}

func (c cell) String() string {
	if c.do == "one" {
		return fmt.Sprintf("one range, g=%d", c.g)
	}
	return fmt.Sprintf("%s, n=%d, g=%d", c.do, c.n, c.g)
}

// readPatches reads the patches of the module in root, in the order of their names.
func readPatches(root string) ([]*patch, error) {
	paths, err := filepath.Glob(filepath.Join(root, "benchmarks", "ablation", "*.patch"))
	if err != nil {
		return nil, err
	}
	var patches []*patch
	named := make(map[string]*patch)
	on := make(map[*patch]string)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		p := &patch{name: strings.TrimSuffix(filepath.Base(path), ".patch"), path: path}
		if on[p], err = p.parse(string(text)); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		named[p.name] = p
		patches = append(patches, p)
	}
	for p, name := range on {
		switch base := named[name]; {
		case name == "":
		case base == nil || on[base] != "":
			return nil, fmt.Errorf("%s: there is no patch %q without a line \"on\"", p.name, name)
		default:
			p.on = []*patch{base}
		}
	}
	return patches, nil
}

// parse reads the lines before the diff, and returns the name in the line "on".
func (p *patch) parse(text string) (on string, err error) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "--- ") {
			break
		}
		key, value, _ := strings.Cut(strings.TrimPrefix(line, "# "), ":")
		value = strings.TrimSpace(value)
		switch key {
		case "out":
			p.out = value
		case "so":
			p.so = value
		case "on":
			on = value
		case "cells":
			for text := range strings.SplitSeq(value, ";") {
				c, err := parseCell(text)
				if err != nil {
					return "", err
				}
				p.cells = append(p.cells, c)
			}
		default:
			return "", fmt.Errorf("line %q before the diff is none of out, so, on, cells", line)
		}
	}
	if p.out == "" || p.so == "" || p.cells == nil {
		return "", fmt.Errorf("one of the lines out, so and cells is missing")
	}
	return on, nil
}

// parseCell reads a workload, as in "acquire n=1000 g=2".
func parseCell(text string) (cell, error) {
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return cell{}, fmt.Errorf("a cell is empty")
	}
	c := cell{do: fields[0], n: 1, g: 1}
	for _, f := range fields[1:] {
		key, value, _ := strings.Cut(f, "=")
		number, err := strconv.Atoi(value)
		switch {
		case err != nil || number < 1:
			return cell{}, fmt.Errorf("cell %q: %q is not a positive number", text, value)
		case key == "n":
			c.n = number
		case key == "g":
			c.g = number
		default:
			return cell{}, fmt.Errorf("cell %q: %q is neither n nor g", text, key)
		}
	}
	return c, nil
}
