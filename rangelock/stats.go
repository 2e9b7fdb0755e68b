package rangelock

import (
	"time"

	"github.com/spanlock/spanlock/epoch"
	"github.com/spanlock/spanlock/internal/seam"
	"github.com/spanlock/spanlock/internal/shape"
	"github.com/spanlock/spanlock/rwsem"
)

// Stats is what a map has done and what it holds. Only slow paths are counted: a
// reader that meets no writer leaves no trace.
//
// To publish it, say once:
//
//	expvar.Publish("segments", expvar.Func(func() any { return m.Stats() }))
//
// To log what has happened since the last time, with log/slog:
//
//	now := m.Stats()
//	slog.Info("segments", "stats", now.Sub(last))
//	last = now
type Stats struct {
	Ranges int   // attached
	Levels int   // of the tree, with that of the leaves; 2 at least
	Bytes  int64 // of the tree and the range objects, about; not what keys and values refer to

	// Announced is how many guards stand in lines of their readers, as they do on ranges on
	// which readers have met; all others are counted in their ranges. See Survey.
	Announced int

	// Attempts of readers that fell back to the semaphore, by Reason.
	FellBackBusy, FellBackMiss, FellBackGone int64

	// Waits for the semaphore, of readers and writers, and for guards on excluded
	// ranges; how many there were and how long they took together. A wait that is
	// under way is not counted yet; see Waits.
	LockWaits     int64
	LockWaited    time.Duration
	ExcludeWaits  int64
	ExcludeWaited time.Duration

	// Waits for a turn at a range that has, or is to have, an exclusive guard.
	TurnWaits  int64
	TurnWaited time.Duration

	// Waits under way, but for those in the semaphore's queue, which Sem has: how many
	// there are, how long the oldest has lasted, and the oldest of them, 16 at most.
	Waiting    int
	OldestWait time.Duration
	Waits      []Wait

	// Transactions is how many have begun, those of the one-operation forms among them.
	Transactions int64

	Retired     int64         // ranges that have been through OnRetire, or freed without one
	Pending     int           // ranges that have left and have not
	PendingCost int64         // what those cost, in units of Options.Cost
	MaxPending  int64         // that of Options; 0 for no bound
	Stalled     time.Duration // how long a pin has kept anything from being reclaimed

	Sem    rwsem.Stats // of the semaphore: who has it, who waits for it
	Domain epoch.Stats // of the epochs: pins, callbacks that reclaim; no count of ranges
}

// counters is the counters behind Stats. Whoever is on a slow path adds.
type counters struct {
	fellBack      [3]seam.Int64 // by Reason
	lockWaits     seam.Int64
	lockWaited    seam.Int64
	excludeWaits  seam.Int64
	excludeWaited seam.Int64
	turnWaits     seam.Int64
	turnWaited    seam.Int64
	retired       seam.Int64
}

// Stats returns what the map has done so far. It takes no lock that a reader or a
// writer waits for long, and looks at every inner node of the tree and at everybody that
// waits: call it once a second rather than once an operation. The fields are read one after the other and
// need not fit together exactly.
func (m *Map[K, V]) Stats() Stats {
	m.mustBeMade()
	t := &m.counters
	domain := m.domain.Stats()
	s := Stats{
		Ranges:        m.Len(),
		FellBackBusy:  t.fellBack[Busy].Load(),
		FellBackMiss:  t.fellBack[Miss].Load(),
		FellBackGone:  t.fellBack[Gone].Load(),
		LockWaits:     t.lockWaits.Load(),
		LockWaited:    time.Duration(t.lockWaited.Load()),
		ExcludeWaits:  t.excludeWaits.Load(),
		ExcludeWaited: time.Duration(t.excludeWaited.Load()),
		TurnWaits:     t.turnWaits.Load(),
		TurnWaited:    time.Duration(t.turnWaited.Load()),
		Retired:       t.retired.Load(),
		Stalled:       domain.StalledFor,
		Sem:           m.sem.Stats(),
		Domain:        domain,
	}
	seq, _ := m.sem.Speculate()
	s.Transactions = int64((seq + 1) / 2) // the number is odd while one is under way
	s.MaxPending = m.options.MaxPending
	s.Waiting, s.OldestWait, s.Waits = m.waits()
	s.Pending, s.PendingCost = m.pending.sum()
	s.Levels, s.Bytes = m.size(s.Ranges)
	if l := m.lines.Load(); l != nil {
		s.Announced = len(l.Append(nil))
	}
	return s
}

// size returns how many levels the tree has, and about how much memory it and n headers
// take.
func (m *Map[K, V]) size(n int) (levels int, bytes int64) {
	levels, bytes = m.tree.Size()
	header := (shape.Size[header[K, V]]() + cacheLine - 1) / cacheLine * cacheLine
	return levels, bytes + int64(n)*int64(header)
}
