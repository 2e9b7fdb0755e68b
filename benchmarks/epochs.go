package main

import (
	"context"

	"github.com/spanlock/spanlock/epoch"
)

// epochs is row 10.
func epochs(b *bench) {
	ctx := context.Background()
	for _, g := range []int{1, 2} {
		s := b.about("Pin and Unpin", "g", g)
		s.compare(b.duel(g, pinning(new(epoch.Domain))), map[string]*bound{yardstick: atMost(1.5)})
	}

	s := b.about("Retire")
	d := new(epoch.Domain)
	retire := contender{name: "ours", run: func(_, _, n int) {
		nothing := func() {}
		for range n {
			d.Retire(nothing)
		}
		must(d.Barrier(ctx) == nil)
	}}
	o := b.duel(1, retire)
	s.compare(o, map[string]*bound{yardstick: atMost(4.5)})
	s.one("ours", "allocs", allocations(100_000, func(n int) { retire.run(0, 0, n) }), atMost(allocTolerance))

	synchronize := func(d *epoch.Domain) contender {
		return contender{name: "ours", run: func(_, _, n int) {
			for range n {
				must(d.Synchronize(ctx) == nil)
			}
		}}
	}
	s = b.about("Synchronize", "readers", "idle")
	o = b.duel(1, synchronize(new(epoch.Domain)))
	s.add("ours", "ns", o.times["ours"], atMost(300))
	s.add(yardstick, "ns", o.times[yardstick], nil)

	s = b.about("Synchronize", "readers", "busy")
	busy := new(epoch.Domain)
	reader := pinning(busy)
	beside(func() { reader.run(0, 0, 1000) }, func() { o = b.duel(1, synchronize(busy)) })
	s.add("ours", "ns", o.times["ours"], atMost(3000))
	s.add(yardstick, "ns", o.times[yardstick], nil)
}

func pinning(d *epoch.Domain) contender {
	return contender{name: "ours", run: func(_, _, n int) {
		for range n {
			g := d.Pin()
			g.Unpin()
		}
	}}
}
