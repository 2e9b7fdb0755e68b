package inspect

import (
	"fmt"
	"strconv"
	"time"
)

// guardsNote says how many ranges have guards, and how many of the guards are announced, which
// means in lines of their readers. The other guards are counted in their ranges.
func (p *picture) guardsNote() string {
	on := "on " + plural(p.ranges()-p.counts[free]+p.counts[left], "range")
	if p.announced > 0 {
		on += ", " + count(p.announced) + " announced"
	}
	return on
}

// tiles returns the figures at the top of the page.
func (p *picture) tiles() [][]tile {
	s := &p.stats
	now := []tile{
		{Label: "ranges", Value: count(p.ranges()), Note: size(s.Bytes)},
		{Label: "guards", Value: count(p.guards), Note: p.guardsNote()},
		p.waitTile(),
		{Label: "backlog", Value: count(s.Pending), Unit: "pending", Note: fmt.Sprintf("cost %s, %s left", count(s.PendingCost), count(p.counts[left]))},
		{Label: "epoch", Value: strconv.FormatUint(s.Domain.Epoch, 10), Note: fmt.Sprintf("%d pins", s.Domain.Pins)},
	}
	now[3].Alarm = p.isAlarmed(alarmLeft) || p.isAlarmed(alarmPending)
	if s.MaxPending > 0 {
		now[3].Note = fmt.Sprintf("cost %s of %s, %s left", count(s.PendingCost), count(s.MaxPending), count(p.counts[left]))
	}
	if p.isAlarmed(alarmStalled) {
		t := &now[len(now)-1]
		t.Alarm, t.Note = true, fmt.Sprintf("stalled by a pin for %v", short(s.Stalled))
	}
	r := &p.rates
	if r.over == 0 {
		return [][]tile{now, {{Label: "rates", Value: "–", Note: "shown from the second request on"}}}
	}
	waits := func(n, waited counter, label string) tile {
		return p.rateTile(n, label, rate(r.per[waited])+" s/s waited")
	}
	writer := p.rateTile(transactions, "transactions", fmt.Sprintf("writers have the lock %.0f %%", 100*min(1, r.per[writerHeld])))
	if writer.Alarm = p.isAlarmed(alarmWriter); writer.Alarm {
		writer.Note = fmt.Sprintf("a writer has had the lock for %v", short(r.writerFor))
	}
	return [][]tile{now, {
		p.rateTile(retired, "retired", "average of "+short(r.over).Round(time.Second).String()),
		p.rateTile(fellBack, "fell back", fmt.Sprintf("busy %s, miss %s, gone %s", count(s.FellBackBusy), count(s.FellBackMiss), count(s.FellBackGone))),
		waits(lockWaits, lockWaited, "lock waits"),
		waits(guardWaits, guardWaited, "guard waits"),
		writer,
	}}
}

// rateTile returns the tile of a counter: its rate and its line. The line covers one minute at
// first, and five when they are known.
func (p *picture) rateTile(k counter, label, note string) tile {
	r := &p.rates
	known := r.lines[k]
	line, area := points(known, max(len(known), int(time.Minute/lineStep)))
	return tile{Label: label, Value: rate(r.per[k]), Unit: "/s", Line: line, Area: area, Note: note}
}

// waitTile returns the tile of the waits: for the lock, for guards or a turn at a range, for a
// load, for OnRetire or for room. The age of the oldest wait decides the alarm.
func (p *picture) waitTile() tile {
	s := &p.stats.Sem
	n := s.WaitingReaders + s.WaitingWriters
	t := tile{Label: "waiting", Value: count(n + p.stats.Waiting), Note: "the lock is free"}
	switch {
	case s.Writer:
		t.Note = "a writer has the lock"
	case s.Readers > 0:
		t.Note = "the lock is held by " + plural(s.Readers, "reader")
	}
	if n > 0 {
		t.Note = waitText(p)
	}
	if len(p.stats.Waits) > 0 {
		w := &p.stats.Waits[0]
		t.Note += fmt.Sprintf("; %s, the first for %v, for %v", plural(p.stats.Waiting, "wait"), short(w.Waited), w.For)
	}
	if x := &p.longest; x.waitedFor > 0 {
		t.Note += fmt.Sprintf("; longest at %s, for %v", x.bounds(), short(x.waitedFor))
	}
	t.Alarm = p.isAlarmed(alarmWait)
	return t
}

// rate formats a number per second with three digits.
func rate(f float64) string {
	switch {
	case f >= 100:
		return count(int(f + 0.5))
	case f >= 10:
		return strconv.FormatFloat(f, 'f', 1, 64)
	case f == 0:
		return "0"
	}
	return strconv.FormatFloat(f, 'f', 2, 64)
}

// size formats a number of bytes.
func size(n int64) string {
	f, unit := float64(n), 0
	for f >= 1000 && unit < 4 {
		f /= 1024
		unit++
	}
	return fmt.Sprintf("about %s %s", strconv.FormatFloat(f, 'g', 3, 64), [...]string{"B", "KiB", "MiB", "GiB", "TiB"}[unit])
}
