package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
)

// A row is one line of the table: a cell, measured with and without a part.
type row struct {
	patch         *patch
	cell          cell
	with, without []sample  // one for each round
	ratios        []float64 // time without by time with, one for each round
}

// A sample is one answer of a probe.
type sample struct {
	ns, rmw2, allocs, bytes float64
}

// measure runs the two probes against each other.
func (r *row) measure(ctx context.Context, o options, with, without string) error {
	for round := range o.rounds {
		// The two take turns at starting, and measuring, first.
		programs := []string{with, without}
		if round%2 == 1 {
			slices.Reverse(programs)
		}
		samples, err := duel(ctx, o, r.cell, programs)
		if err != nil {
			return err
		}
		if round%2 == 1 {
			slices.Reverse(samples)
		}
		r.with = append(r.with, samples[0])
		r.without = append(r.without, samples[1])
		r.ratios = append(r.ratios, samples[1].ns/samples[0].ns)
	}
	return nil
}

// duel starts the programs, lets them take turns, and returns a sample of each.
func duel(ctx context.Context, o options, c cell, programs []string) ([]sample, error) {
	ctx, cancel := context.WithCancel(ctx)
	probes := make([]*probe, 0, len(programs))
	defer func() {
		cancel() // after an error some programs still run
		for _, p := range probes {
			p.cmd.Wait()
		}
	}()
	for _, program := range programs {
		p, err := start(ctx, program, c, o)
		if err != nil {
			return nil, err
		}
		probes = append(probes, p)
	}
	turns := make([][]sample, len(programs))
	for turn := range o.turns + 1 {
		for i, p := range probes {
			s, err := p.turn()
			if err != nil {
				return nil, err
			}
			if turn > 0 || o.turns == 1 { // the first turn only warms the caches
				turns[i] = append(turns[i], s)
			}
		}
	}
	samples := make([]sample, len(programs))
	for i, p := range probes {
		samples[i] = middle(turns[i])
		if err := p.stop(); err != nil {
			return nil, err
		}
	}
	return samples, nil
}

// probe is a running probe. It sleeps until it is asked.
type probe struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// start starts a probe. It is killed when ctx ends.
func start(ctx context.Context, program string, c cell, o options) (*probe, error) {
	cmd := exec.CommandContext(ctx, program, "-do", c.do, "-n", strconv.Itoa(c.n),
		"-g", strconv.Itoa(c.g), "-slice", o.slice.String())
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &probe{cmd, in, bufio.NewReader(out)}, nil
}

// turn asks the probe for one measurement.
func (p *probe) turn() (s sample, err error) {
	if _, err := io.WriteString(p.in, "\n"); err != nil {
		return s, err
	}
	_, err = fmt.Fscanln(p.out, &s.ns, &s.rmw2, &s.allocs, &s.bytes)
	return s, err
}

// stop ends the probe.
func (p *probe) stop() error {
	p.in.Close()
	return p.cmd.Wait()
}

// middle returns the median of each of the numbers.
func middle(samples []sample) sample {
	return sample{
		ns:     quantile(samples, 0.5, func(s sample) float64 { return s.ns }),
		rmw2:   quantile(samples, 0.5, func(s sample) float64 { return s.rmw2 }),
		allocs: quantile(samples, 0.5, func(s sample) float64 { return s.allocs }),
		bytes:  quantile(samples, 0.5, func(s sample) float64 { return s.bytes }),
	}
}

// quantile returns the value of f that the share q of the elements is at or below.
func quantile[T any](xs []T, q float64, f func(T) float64) float64 {
	values := make([]float64, len(xs))
	for i, x := range xs {
		values[i] = f(x)
	}
	slices.Sort(values)
	return values[int(q*float64(len(values)-1)+0.5)]
}
