package rangelock

import (
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// This file makes Stats readable: as a difference, as a line of text, and as a group of log/slog.
// A new field of Stats must be added to String and LogValue, and to Sub if it is a counter.

// Sub returns what has happened between earlier and s. Both must be Stats of the same map. The
// counters of the result are differences: FellBackBusy, FellBackMiss, FellBackGone, LockWaits,
// LockWaited, ExcludeWaits, ExcludeWaited, TurnWaits, TurnWaited, Transactions, Retired,
// Sem.Waits, Sem.Waited and Domain.Retired. All other fields describe a state and are those of s.
func (s Stats) Sub(earlier Stats) Stats {
	s.FellBackBusy -= earlier.FellBackBusy
	s.FellBackMiss -= earlier.FellBackMiss
	s.FellBackGone -= earlier.FellBackGone
	s.LockWaits -= earlier.LockWaits
	s.LockWaited -= earlier.LockWaited
	s.ExcludeWaits -= earlier.ExcludeWaits
	s.ExcludeWaited -= earlier.ExcludeWaited
	s.TurnWaits -= earlier.TurnWaits
	s.TurnWaited -= earlier.TurnWaited
	s.Transactions -= earlier.Transactions
	s.Retired -= earlier.Retired
	s.Sem.Waits -= earlier.Sem.Waits
	s.Sem.Waited -= earlier.Sem.Waited
	s.Domain.Retired -= earlier.Domain.Retired
	return s
}

// String returns s as one line of text, without most of the fields that are zero:
//
//	12 ranges, 3 pending, 40 retired; 2 levels, 4096 bytes; fell back: 5 busy; waits: 3 for the lock (2s)
func (s Stats) String() string {
	var l sentence
	l.always(int64(s.Ranges), "range", "ranges")
	l.count(int64(s.Announced), "guard announced", "guards announced")
	l.always(int64(s.Pending), "pending", "pending")
	l.gauge(s.PendingCost != int64(s.Pending), "cost %d", s.PendingCost)
	l.always(s.Retired, "retired", "retired")
	l.count(s.Transactions, "transaction", "transactions")
	l.gauge(s.MaxPending > 0, "MaxPending %d", s.MaxPending)
	l.part("")
	l.count(int64(s.Levels), "level", "levels")
	l.count(s.Bytes, "byte", "bytes")
	l.part("fell back: ")
	l.count(s.FellBackBusy, "busy", "busy")
	l.count(s.FellBackMiss, "miss", "miss")
	l.count(s.FellBackGone, "gone", "gone")
	l.part("waits: ")
	l.waits(s.LockWaits, s.LockWaited, "the lock")
	l.waits(s.ExcludeWaits, s.ExcludeWaited, "guards")
	l.waits(s.TurnWaits, s.TurnWaited, "a turn")
	l.part("waiting: ")
	for _, w := range s.Waits {
		l.gauge(true, "%v", w)
	}
	l.gauge(s.Waiting > len(s.Waits), "and %d more", s.Waiting-len(s.Waits))
	l.part("")
	l.gauge(s.Sem.Writer, "a writer has the lock")
	if !s.Sem.Writer { // readers beside a writer are just being refused
		l.count(int64(s.Sem.Readers), "reader has the lock", "readers have the lock")
	}
	l.count(int64(s.Sem.WaitingWriters), "writer waits for it", "writers wait for it")
	l.count(int64(s.Sem.WaitingReaders), "reader waits for it", "readers wait for it")
	l.gauge(s.Sem.OldestWait > 0, "the first for %v", s.Sem.OldestWait)
	l.part("")
	l.gauge(s.Stalled > 0, "nothing reclaimed for %v", s.Stalled)
	return l.b.String()
}

// sentence is the text of String: parts that are separated by semicolons, each with entries that
// are separated by commas.
type sentence struct {
	b    strings.Builder
	head string // the beginning of the part; empty once it is written
	sep  string // what separates the next entry from the text before it
}

// part begins a part. A part without entries is left out, with its head.
func (l *sentence) part(head string) {
	l.head, l.sep = head, "; "
}

// gauge writes an entry if is is true.
func (l *sentence) gauge(is bool, format string, args ...any) {
	if !is {
		return
	}
	if l.b.Len() > 0 {
		l.b.WriteString(l.sep)
	}
	l.b.WriteString(l.head)
	l.head, l.sep = "", ", "
	fmt.Fprintf(&l.b, format, args...)
}

// always writes a number and what it counts.
func (l *sentence) always(n int64, one, many string) {
	if n == 1 {
		many = one
	}
	l.gauge(true, "%d %s", n, many)
}

// count is like always, but leaves zero out.
func (l *sentence) count(n int64, one, many string) {
	if n != 0 {
		l.always(n, one, many)
	}
}

// waits writes how many waits for what there were, and how long they took in total.
func (l *sentence) waits(n int64, d time.Duration, what string) {
	l.gauge(n != 0, "%d for %s (%v)", n, what, d)
}

// LogValue returns s as a group for package log/slog. The group has ranges, pending and retired,
// and those of the other fields that are not zero, under their names with a lower-case first
// letter. A group sem in it says what holds the map's lock and what waits for it. Times are
// durations.
func (s Stats) LogValue() slog.Value {
	sem := nonZero(
		slog.Bool("writer", s.Sem.Writer),
		slog.Int("readers", s.Sem.Readers),
		slog.Int("waitingWriters", s.Sem.WaitingWriters),
		slog.Int("waitingReaders", s.Sem.WaitingReaders),
		slog.Duration("oldestWait", s.Sem.OldestWait),
	)
	rest := nonZero(
		slog.Int("announced", s.Announced),
		slog.Int64("pendingCost", s.PendingCost),
		slog.Int64("maxPending", s.MaxPending),
		slog.Int64("transactions", s.Transactions),
		slog.Int("levels", s.Levels),
		slog.Int64("bytes", s.Bytes),
		slog.Int64("fellBackBusy", s.FellBackBusy),
		slog.Int64("fellBackMiss", s.FellBackMiss),
		slog.Int64("fellBackGone", s.FellBackGone),
		slog.Int64("lockWaits", s.LockWaits),
		slog.Duration("lockWaited", s.LockWaited),
		slog.Int64("excludeWaits", s.ExcludeWaits),
		slog.Duration("excludeWaited", s.ExcludeWaited),
		slog.Int64("turnWaits", s.TurnWaits),
		slog.Duration("turnWaited", s.TurnWaited),
		slog.Int("waiting", s.Waiting),
		slog.Duration("oldestWait", s.OldestWait),
		slog.Duration("stalled", s.Stalled),
		slog.Attr{Key: "sem", Value: slog.GroupValue(sem...)},
	)
	return slog.GroupValue(append([]slog.Attr{
		slog.Int("ranges", s.Ranges),
		slog.Int("pending", s.Pending),
		slog.Int64("retired", s.Retired),
	}, rest...)...)
}

// nonZero returns the attributes that are not zero, and the groups that are not empty.
func nonZero(attrs ...slog.Attr) (some []slog.Attr) {
	for _, a := range attrs {
		if v := a.Value; v.Kind() == slog.KindGroup && len(v.Group()) > 0 ||
			v.Kind() == slog.KindBool && v.Bool() ||
			v.Kind() == slog.KindInt64 && v.Int64() != 0 ||
			v.Kind() == slog.KindDuration && v.Duration() != 0 {
			some = append(some, a)
		}
	}
	return some
}
