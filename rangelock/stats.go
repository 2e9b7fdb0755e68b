package rangelock

import (
	"time"

	"github.com/spanlock/spanlock/epoch"
	"github.com/spanlock/spanlock/internal/seam"
	"github.com/spanlock/spanlock/internal/shape"
	"github.com/spanlock/spanlock/rwsem"
)

// Stats are the counters of a map and its state, as [Map.Stats] returns them. Readers are
// counted on slow paths only: a reader that meets no writer changes no counter.
//
// To publish them with package expvar, call once:
//
//	expvar.Publish("segments", expvar.Func(func() any { return m.Stats() }))
//
// To log with package log/slog what has happened since the last time:
//
//	now := m.Stats()
//	slog.Info("segments", "stats", now.Sub(last))
//	last = now
type Stats struct {
	Ranges int   // number of attached ranges
	Levels int   // levels of the tree, with the level of the leaves; at least 2
	Bytes  int64 // estimate of the memory of the tree and the range objects, without what keys and values refer to

	// Announced is the number of guards that are announced in cache lines of their readers.
	// That happens on ranges where readers have met. All other guards are counted in their
	// ranges. See [RangeState].
	Announced int

	// Attempts of readers that fell back to the map's lock or to a range's queue, by Reason.
	FellBackBusy, FellBackMiss, FellBackGone int64

	// Waits for the map's lock, of readers and writers, and waits of writers for the guards on
	// a range that they exclude: how many have ended, and how long they took in total. A wait
	// under way is not counted yet; see Waits.
	LockWaits     int64
	LockWaited    time.Duration
	ExcludeWaits  int64
	ExcludeWaited time.Duration

	// Waits in the queue of a range, for an exclusive guard or beside one, that have ended.
	TurnWaits  int64
	TurnWaited time.Duration

	// Waits under way, except those for the map's lock, which are in Sem: how many there are,
	// how long the oldest has lasted, and a list of the oldest, at most 16.
	Waiting    int
	OldestWait time.Duration
	Waits      []Wait

	// Transactions is the number of transactions begun so far. Each one-operation form, such as
	// [Map.Insert], is one.
	Transactions int64

	Retired     int64         // ranges for which OnRetire has returned, or that were freed without an OnRetire
	Pending     int           // ranges that have left the map and are not retired yet
	PendingCost int64         // the cost of those, in units of Options.Cost
	MaxPending  int64         // Options.MaxPending; 0 if there is no bound
	Stalled     time.Duration // how long a pin has kept anything from being reclaimed

	Sem    rwsem.Stats // the map's lock: what holds it and what waits for it
	Domain epoch.Stats // the epoch domain: pins, and callbacks that reclaim; it does not count ranges
}

// counters are the counters behind Stats. Slow paths add to them; only Stats reads them.
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

// addFellBack counts a reader that falls back.
func (c *counters) addFellBack(r Reason) { c.fellBack[r].Add(1) }

// addLockWait counts a wait for the map's lock that has ended.
func (c *counters) addLockWait(waited time.Duration) {
	c.lockWaits.Add(1)
	c.lockWaited.Add(int64(waited))
}

// addExcludeWait counts a wait of a writer for guards that has ended.
func (c *counters) addExcludeWait(waited time.Duration) {
	c.excludeWaits.Add(1)
	c.excludeWaited.Add(int64(waited))
}

// addTurnWait counts a wait in the queue of a range that has ended.
func (c *counters) addTurnWait(waited time.Duration) {
	c.turnWaits.Add(1)
	c.turnWaited.Add(int64(waited))
}

// addRetired counts a range that is retired.
func (c *counters) addRetired() { c.retired.Add(1) }

// read copies the counters into s.
func (c *counters) read(s *Stats) {
	s.FellBackBusy = c.fellBack[Busy].Load()
	s.FellBackMiss = c.fellBack[Miss].Load()
	s.FellBackGone = c.fellBack[Gone].Load()
	s.LockWaits = c.lockWaits.Load()
	s.LockWaited = time.Duration(c.lockWaited.Load())
	s.ExcludeWaits = c.excludeWaits.Load()
	s.ExcludeWaited = time.Duration(c.excludeWaited.Load())
	s.TurnWaits = c.turnWaits.Load()
	s.TurnWaited = time.Duration(c.turnWaited.Load())
	s.Retired = c.retired.Load()
}

// Stats returns what the map has done so far and what it holds now. It takes no lock for
// long that readers or writers wait for. It looks at every inner node of the tree and at every
// waiter, so call it once a second and not once an operation. It reads the fields one after the
// other, so they need not fit together exactly.
func (m *Map[K, V]) Stats() Stats {
	m.mustBeMade()
	domain := m.domain.Stats()
	s := Stats{Ranges: m.Len(), Stalled: domain.StalledFor, Domain: domain}
	m.counters.read(&s)
	s.Sem = m.sem.Stats()
	seq, _ := m.sem.Speculate()
	s.Transactions = int64((seq + 1) / 2) // seq is odd while a transaction is under way
	s.MaxPending = m.options.MaxPending
	s.Waiting, s.OldestWait, s.Waits = m.waits()
	s.Pending, s.PendingCost = m.pending.sum()
	s.Levels, s.Bytes = m.size(s.Ranges)
	if l := m.lines.Load(); l != nil {
		s.Announced = len(l.Append(nil))
	}
	return s
}

// size returns how many levels the tree has, and an estimate of the memory of the tree and of n
// headers.
func (m *Map[K, V]) size(n int) (levels int, bytes int64) {
	levels, bytes = m.tree.Size()
	header := (shape.Size[header[K, V]]() + cacheLine - 1) / cacheLine * cacheLine
	return levels, bytes + int64(n)*int64(header)
}
