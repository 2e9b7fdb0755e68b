package main

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/spanlock/spanlock/benchmarks/internal/stat"
)

// mix is row 8: two goroutines read, and sometimes write, each to its own ranges. A write
// replaces a range (swap), or inserts one that the next write removes.
func mix(b *bench) {
	const n, g = 1000, 2
	for _, how := range []string{"swap", "insert and remove"} {
		for _, every := range []int{0, 1000, 100, 10, 2} {
			if every == 0 && how != "swap" {
				continue
			}
			f := newFixture(uint64Kind, n, true)
			percent := 0.0
			if every > 0 {
				percent = 100 / float64(every)
			}
			s := b.about("mix", "n", n, "g", g, "writes", strconv.FormatFloat(percent, 'g', -1, 64)+"%", "by", how)
			var cs []contender
			for _, st := range f.stores {
				cs = append(cs, mixing(st, f, g, every, how == "swap"))
			}
			o := b.duel(g, cs...)
			s.compare(o, nil)
			target := map[int]*bound{1000: atMost(0.40), 100: atMost(0.45), 10: atMost(0.60)}[every]
			best := o.best(storeNames[1:])
			s.add("ours/best rival", "×", stat.Ratios(o.times["ours"], o.times[best]), target)
		}
	}
}

// best returns which of the contenders takes the shortest time in the median.
func (o *bout) best(names []string) string {
	return slices.MinFunc(names, func(a, b string) int {
		return cmp.Compare(stat.Summarize(o.times[a]).Median, stat.Summarize(o.times[b]).Median)
	})
}

// mixing writes once in every operations, never if that is 0.
func mixing(st store[uint64], f *fixture[uint64], g, every int, swaps bool) contender {
	mask := len(f.keys) - 1
	half := len(f.ranges)
	return contender{name: st.name(), run: func(worker, from, n int) {
		sum, written, v := 0, 0, 1
		var c [1]change[uint64]
		write := func() {
			own := ((from+written/2)*7919%(half/g))*g + worker // no two goroutines share one
			switch {
			case swaps:
				c[0] = change[uint64]{swap, f.ranges[own]}
			case written%2 == 0:
				c[0] = change[uint64]{insert, missing(uint64Kind, own, &v)}
			default:
				c[0].what = remove
			}
			st.apply(c[:], 0)
			written++
		}
		for i := range n {
			if every > 0 && (i+worker)%every == 0 {
				write()
			} else {
				sum += st.read(f.keys[(from+i)&mask])
			}
		}
		if !swaps && written%2 == 1 {
			write()
		}
		sink[worker&63].n.Add(uint64(sum))
	}}
}
