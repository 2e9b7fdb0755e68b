package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// A request is what the command measure in testdata understands.
type request struct {
	Job string
	G   int
	For time.Duration
}

// A side is one of the two programs, running, which waits for requests.
type side struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

// begin builds the program in a copy and starts it.
func begin(ctx context.Context, c *copies, copy string) (*side, error) {
	bin := filepath.Join(c.dir, filepath.Base(copy)+".measure")
	if _, err := tool(ctx, copy, "build", "-o", bin, "./measure"); err != nil {
		return nil, err
	}
	s := &side{cmd: exec.CommandContext(ctx, bin)}
	s.cmd.Env = append(os.Environ(), "TMPDIR="+c.dir)
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	s.out = json.NewDecoder(out)
	return s, s.cmd.Start()
}

func (s *side) end() error {
	return errors.Join(s.in.Close(), s.cmd.Wait())
}

func (s *side) ask(r request) ([]float64, error) {
	if err := json.NewEncoder(s.in).Encode(r); err != nil {
		return nil, err
	}
	var a struct {
		Values []float64
		Err    string
	}
	if err := s.out.Decode(&a); err != nil {
		return nil, fmt.Errorf("%s has ended: %w", s.cmd.Path, err)
	}
	if a.Err != "" {
		return nil, fmt.Errorf("%s: %s: %s", s.cmd.Path, r.Job, a.Err)
	}
	return a.Values, nil
}

// measure adds the measured rows to t. Both programs run, and take turns: stock, ours, ours,
// stock, repeatedly, so that other work on the machine affects both alike.
func (c *copies) measure(ctx context.Context, s size, t *table) (err error) {
	stock, err := begin(ctx, c, c.stock)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stock.end()) }()
	ours, err := begin(ctx, c, c.ours)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ours.end()) }()

	for _, m := range c.rows(s) {
		values, err := turns(stock, ours, m.request, m.rounds(s))
		if err != nil {
			return err
		}
		if _, median, _ := values[0].ratios(); m.stall && median > 0.5 {
			return fmt.Errorf("%s: %s on stock, %s on ours, which still waits for the reader", m.what[0],
				duration(quartile(values[0].stock, 2)), duration(quartile(values[0].ours, 2)))
		}
		for i, what := range m.what {
			t.rows = append(t.rows, values[i].row(what))
		}
	}
	return nil
}

// pairs are measurements of which stock[i] and ours[i] belong together.
type pairs struct{ stock, ours []float64 }

// turns has both sides serve the same request, in turns.
func turns(stock, ours *side, r request, rounds int) ([]pairs, error) {
	var all []pairs
	for round := range rounds {
		var got [2][]float64
		for turn := range 2 {
			i := (round + turn) % 2
			v, err := []*side{stock, ours}[i].ask(r)
			if err != nil {
				return nil, err
			}
			got[i] = v
		}
		if all == nil {
			all = make([]pairs, len(got[0]))
		}
		for i := range all {
			all[i].stock = append(all[i].stock, got[0][i])
			all[i].ours = append(all[i].ours, got[1][i])
		}
	}
	return all, nil
}

// ratios returns the quartiles of ours divided by stock, pair by pair.
func (p pairs) ratios() (low, median, high float64) {
	var r []float64
	for i := range p.stock {
		r = append(r, p.ours[i]/p.stock[i])
	}
	return quartile(r, 1), quartile(r, 2), quartile(r, 3)
}

func (p pairs) row(what string) []string {
	low, median, high := p.ratios()
	ratio := fmt.Sprintf("%.2f (%.2f to %.2f)", median, low, high)
	if median < 0.1 {
		ratio = fmt.Sprintf("1/%.0f", 1/median)
	}
	return []string{what, duration(quartile(p.stock, 2)), duration(quartile(p.ours, 2)), ratio}
}

// quartile returns the nth quartile of v.
func quartile(v []float64, n int) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[(len(v)-1)*n/4]
}

// duration prints nanoseconds with three digits.
func duration(ns float64) string {
	for _, unit := range []struct {
		name string
		size float64
	}{{"s", 1e9}, {"ms", 1e6}, {"µs", 1e3}} {
		if ns >= unit.size {
			return fmt.Sprintf("%.3g %s", ns/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%.3g ns", ns)
}
