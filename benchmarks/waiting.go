package main

import "time"

// waiting is row 11: the processor time that the process uses while a writer waits to
// remove a range on which a guard is held. The writers of snapshot and counted do not
// wait.
func waiting(b *bench) {
	if !canTellProcessorTime {
		return
	}
	f := newFixture(uint64Kind, 1000, false)
	s := b.about("writer waits", "wait", b.scale.wait)
	series := newSeries()
	for range b.scale.waits {
		for _, st := range f.stores {
			if st.name() == "snapshot" || st.name() == "counted" {
				continue
			}
			series.add(st.name(), waitOnce(st, f.ranges[0], b.scale.wait).Seconds()*1000)
		}
	}
	for _, name := range storeNames {
		switch name {
		case "snapshot", "counted":
		case "ours":
			s.add(name, "ms of CPU", series[name], atMost(1))
		default:
			s.add(name, "ms of CPU", series[name], nil)
		}
	}
}

// waitOnce holds a range for d while a writer removes it, and returns how much
// processor time that took; then it puts the range back.
func waitOnce(st store[uint64], r ranged[uint64], d time.Duration) time.Duration {
	release := st.hold(r.lo)
	done := make(chan struct{})
	before := processorTime()
	go func() {
		defer close(done)
		st.apply([]change[uint64]{{remove, r}}, 0)
	}()
	time.Sleep(d)
	release()
	<-done
	used := processorTime() - before
	st.apply([]change[uint64]{{insert, r}}, 0)
	return used
}
