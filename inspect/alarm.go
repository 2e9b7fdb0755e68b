package inspect

import (
	"cmp"
	"fmt"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// Alarms are the bounds from which the page, the text and JSON report an alarm. Zero means the
// default; a negative bound switches the alarm off.
type Alarms struct {
	// Wait is for the age of a wait: for a range, for the lock, for a load, for OnRetire or for
	// room under MaxPending. The default is 1 second.
	Wait time.Duration

	// Left is for the time since a range has left the map, if it is still held. The default is 1
	// minute.
	Left time.Duration

	// Writer is for the time that a transaction has had the lock. Only requests measure it: a
	// transaction that began before the first request counts from that request. The default is 5
	// seconds.
	Writer time.Duration

	// Stalled is for the time that one pin has prevented reclamation. The default is 1 second.
	Stalled time.Duration

	// Pending is for the backlog, as a share of the map's MaxPending, in units of Cost. The
	// default is 0.9. Without a MaxPending there is no such alarm.
	Pending float64
}

// withDefaults returns a with defaults instead of zeros.
func (a Alarms) withDefaults() Alarms {
	return Alarms{
		Wait:    cmp.Or(a.Wait, time.Second),
		Left:    cmp.Or(a.Left, time.Minute),
		Writer:  cmp.Or(a.Writer, 5*time.Second),
		Stalled: cmp.Or(a.Stalled, time.Second),
		Pending: cmp.Or(a.Pending, 0.9),
	}
}

// over reports whether d has reached a bound that is not switched off.
func over(d, bound time.Duration) bool { return bound > 0 && d >= bound }

// What an alarm is about, as in JSON.
const (
	alarmWait    = "wait"
	alarmLeft    = "left"
	alarmWriter  = "writer"
	alarmStalled = "stalled"
	alarmPending = "pending"
)

// alarm is an alarm to be shown.
type alarm struct {
	about string
	text  string
	at    *row // the range that it is about, or nil
}

// isAlarmed reports whether there is an alarm about the given thing.
func (p *picture) isAlarmed(about string) bool {
	for _, a := range p.alarms {
		if a.about == about {
			return true
		}
	}
	return false
}

// raise fills in the alarms, those of ranges first.
func (p *picture) raise() {
	b, s := p.source.alarms(), &p.stats
	if x := &p.longest; over(x.waitedFor, b.Wait) {
		p.alarm(alarmWait, x, "%s%s", x.waitText(), among(p.waitedLong, "ranges have waits of more than", b.Wait))
	}
	if over(s.Sem.OldestWait, b.Wait) {
		p.alarm(alarmWait, nil, "%s wait for the lock, the first for %v", queueText(p), short(s.Sem.OldestWait))
	}
	for _, w := range s.Waits {
		// Waits for a range are reported above.
		if w.For != rangelock.ForGuards && w.For != rangelock.ForTurn && over(w.Waited, b.Wait) {
			p.alarm(alarmWait, nil, "a wait for %v has lasted for %v", w.For, short(w.Waited))
			break
		}
	}
	if over(p.rates.writerFor, b.Writer) {
		p.alarm(alarmWriter, nil, "a writer has had the lock for %v or more", short(p.rates.writerFor))
	}
	if x := &p.stale; over(x.left, b.Left) {
		p.alarm(alarmLeft, x, "%s has left %v ago and still has %s%s", x.bounds(), short(x.left), plural(x.guards, "guard"),
			among(p.staleOnes, "ranges have left and been held for more than", b.Left))
	}
	if b.Pending > 0 && s.MaxPending > 0 && float64(s.PendingCost) >= b.Pending*float64(s.MaxPending) {
		p.alarm(alarmPending, nil, "the backlog is %d %% of MaxPending: %s of %s", 100*s.PendingCost/s.MaxPending, count(s.PendingCost), count(s.MaxPending))
	}
	if over(s.Stalled, b.Stalled) {
		p.alarm(alarmStalled, nil, "a pin has kept anything from being reclaimed for %v", short(s.Stalled))
	}
}

func (p *picture) alarm(about string, at *row, format string, args ...any) {
	p.alarms = append(p.alarms, alarm{about, fmt.Sprintf(format, args...), at})
}

// among returns the total number of such ranges, as text, if it is more than one.
func among(n int, what string, bound time.Duration) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf("; %s %s %v", count(n), what, bound)
}

// waitText describes the waits for a range, and how long they have lasted.
func (x *row) waitText() string {
	switch d := short(x.waitedFor); {
	case x.writerWaits:
		return fmt.Sprintf("a writer has waited for %v for the %s on %s", d, plural(x.guards, "guard"), x.bounds())
	case x.waiting == 1:
		return fmt.Sprintf("a caller has waited for %v for its turn at %s", d, x.bounds())
	default:
		return fmt.Sprintf("%s callers wait for their turn at %s, the first for %v", count(x.waiting), x.bounds(), d)
	}
}
