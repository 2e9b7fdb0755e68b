// Package announce holds the lines in which readers announce what they hold, instead of
// counting it in a word that all of them share.
//
// A reader writes a mark into a free slot of its own line, and removes it when it is done.
// A goroutine that must know whether a mark stands anywhere looks at all lines. This is the
// bargain of hazard pointers (Michael, 2004) and of BRAVO (Dice and Kogan, 2019): reading
// is cheap and shares nothing, and a goroutine that waits for readers pays.
//
// All operations are sequentially consistent, as those of sync/atomic are. Suppose a reader
// announces and then loads a word, and a writer changes that word and then looks at the
// lines. Then at least one of them sees what the other has done.
package announce

import (
	"math/bits"

	"github.com/spanlock/spanlock/internal/pad"
	"github.com/spanlock/spanlock/internal/raw"
	"github.com/spanlock/spanlock/internal/seam"
)

// Lines is a set of lines. A mark is any number except 0 and the largest.
type Lines struct {
	mask  uint32
	lines []line

	// used has a bit for each line that has ever had a mark; the others are not looked at.
	// A reader sets the bit before its first mark, and it is never cleared, so the
	// guarantee of the package comment covers it.
	used [(maxLines + 63) / 64]seam.Uint64
}

// fresh is in the first slot of a line whose bit in used is not set. Such a slot is not
// free, so an announcement does not have to look at used.
const fresh = 1<<64 - 1

// line has cache lines of its own, so that readers with different lines share nothing.
type line struct {
	slots [perLine]seam.Uint64
	_     [pad.Size - 8*perLine]byte
}

const (
	linesPerProcessor = 8

	slotBits = 2
	slotMask = 1<<slotBits - 1
)

// Places is above the place of every slot. It is a power of two.
const Places = maxLines << slotBits

// New returns lines for the given number of processors. The number of lines is a power of
// two, at least eight for each processor but at most 256, so that few goroutines share one.
func New(processors int) *Lines {
	n := 1 << bits.Len(uint(min(processors*linesPerProcessor, maxLines)-1))
	l := &Lines{mask: uint32(n - 1), lines: make([]line, n)}
	for i := range l.lines {
		l.lines[i].slots[0].Store(fresh)
	}
	return l
}

// Own returns the place of the first slot in the caller's line. The lines of two goroutines
// usually differ.
func (l *Lines) Own() (place uint32) { return raw.Hash() & l.mask << slotBits }

// Announce writes mark into the first slot of the line of place, and reports whether that
// slot was free. Like all operations of Lines it takes a bounded number of steps.
func (l *Lines) Announce(place uint32, mark uint64) bool {
	s := &l.lines[place>>slotBits&l.mask].slots[0]
	// A swap that fails would take as long as one that succeeds.
	return s.Load() == 0 && s.CompareAndSwap(0, mark)
}

// AnnounceBehind is Announce for a line whose first slot was not free. That is so because
// the caller holds other things, because goroutines share the line, or because the line is
// used for the first time. It tries all slots, and returns the place of the slot that it
// has written.
func (l *Lines) AnnounceBehind(place uint32, mark uint64) (at uint32, ok bool) {
	i := place >> slotBits & l.mask
	slots := &l.lines[i].slots
	if slots[0].Load() == fresh {
		l.used[i/64].Or(1 << (i % 64))
		slots[0].CompareAndSwap(fresh, 0)
	}
	for j := range slots {
		if slots[j].Load() == 0 && slots[j].CompareAndSwap(0, mark) {
			return i<<slotBits | uint32(j), true
		}
	}
	return 0, false
}

// Retract removes the mark from the slot where Announce has written it, and reports whether
// it was there.
func (l *Lines) Retract(place uint32, mark uint64) bool {
	return l.lines[place>>slotBits&l.mask].slots[place&slotMask&(perLine-1)].CompareAndSwap(mark, 0)
}

// Shows reports whether mark stands in a slot. It sees a mark that stands throughout the
// call.
func (l *Lines) Shows(mark uint64) bool {
	for w := range l.used {
		for set := l.used[w].Load(); set != 0; set &= set - 1 {
			if l.lines[uint32(64*w+bits.TrailingZeros64(set))&l.mask].shows(mark) {
				return true
			}
		}
	}
	return false
}

// Append appends all marks to buf, each as often as it stands. It looks at the lines once
// for any number of marks.
func (l *Lines) Append(buf []uint64) []uint64 {
	for w := range l.used {
		for set := l.used[w].Load(); set != 0; set &= set - 1 {
			slots := &l.lines[64*w+bits.TrailingZeros64(set)].slots
			for j := range slots {
				if mark := slots[j].Load(); mark != 0 && mark != fresh {
					buf = append(buf, mark)
				}
			}
		}
	}
	return buf
}
