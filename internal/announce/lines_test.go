package announce

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/spanlock/spanlock/internal/invariants"
	"github.com/spanlock/spanlock/internal/pad"
	"github.com/spanlock/spanlock/internal/seam"
)

// count returns the number of slots of l in which mark stands.
func count(l *Lines, mark uint64) (n int) {
	for _, m := range l.Append(nil) {
		if m == mark {
			n++
		}
	}
	return n
}

// announce announces mark in the caller's line.
func (l *Lines) announce(mark uint64) (place uint32, ok bool) {
	place = l.Own()
	if l.Announce(place, mark) {
		return place, true
	}
	return l.AnnounceBehind(place, mark)
}

// TestNew: the number of lines is a power of two, within the bounds, and each line has
// cache lines of its own.
func TestNew(t *testing.T) {
	for _, x := range []struct{ processors, lines int }{
		{1, 8}, {2, 16}, {3, 32}, {4, 32}, {5, 64}, {16, 128}, {31, 256}, {32, 256}, {33, 256}, {1000, 256},
	} {
		want := min(x.lines, maxLines)
		if l := New(x.processors); len(l.lines) != want || int(l.mask) != want-1 {
			t.Errorf("%d processors: %d lines with mask %#x, want %d", x.processors, len(l.lines), l.mask, want)
		}
	}
	if n := unsafe.Sizeof(line{}); n != pad.Size && unsafe.Sizeof(seam.Uint64{}) == 8 {
		t.Errorf("a line takes %d bytes", n)
	}
	if perLine > 1<<slotBits || Places != maxLines<<slotBits || Places&(Places-1) != 0 {
		t.Errorf("%d slots do not fit into %d bits, or %d places", perLine, slotBits, Places)
	}
	if at := uintptr(unsafe.Pointer(&New(2).lines[0])); at%64 != 0 && !invariants.Enabled {
		t.Errorf("the lines begin at %#x", at)
	}
}

// TestLines fills one line, looks, and removes all marks again.
func TestLines(t *testing.T) {
	l := New(2)
	if l.Shows(7) || count(l, 7) != 0 || len(l.Append(nil)) != 0 {
		t.Fatal("marks in new lines")
	}
	var places []uint32
	for i := range perLine {
		place, ok := l.announce(uint64(7 + i%2))
		if !ok || place >= Places || slices.Contains(places, place) {
			t.Fatalf("announcement %d: %t at %d, after %v", i, ok, place, places)
		}
		places = append(places, place)
	}
	if place, ok := l.announce(9); ok {
		t.Fatalf("announced in a full line, at %d", place)
	}
	if count(l, 7) != perLine/2 || count(l, 8) != perLine/2 || count(l, 9) != 0 || !l.Shows(7) || !l.Shows(8) || l.Shows(9) {
		t.Errorf("%d, %d and %d marks", count(l, 7), count(l, 8), count(l, 9))
	}
	got := l.Append([]uint64{1})
	slices.Sort(got)
	if len(got) != 1+perLine || got[0] != 1 || got[1] != 7 || got[perLine] != 8 {
		t.Errorf("Append = %v", got)
	}
	if l.Retract(places[0], 8) {
		t.Error("retracted a mark that does not stand there")
	}
	for i, place := range places {
		if !l.Retract(place, uint64(7+i%2)) || l.Retract(place, uint64(7+i%2)) {
			t.Errorf("the mark at %d was not there once", place)
		}
	}
	if _, ok := l.announce(9); !ok || count(l, 9) != 1 {
		t.Error("a line that was full does not take a mark")
	}
}

// TestBeside: goroutines announce and retract marks of their own, and find each where it
// is, while others look. Each look sees a mark that stands throughout.
func TestBeside(t *testing.T) {
	l := New(runtime.GOMAXPROCS(0))
	const stays = 1 << 40
	if _, ok := l.announce(stays); !ok {
		t.Fatal("not announced")
	}
	var lost, full atomic.Int64
	var wg sync.WaitGroup
	for g := range uint64(4) {
		wg.Go(func() {
			for i := range uint64(20000) {
				mark := g<<32 | i + 1
				place, ok := l.announce(mark)
				if !ok {
					full.Add(1)
					runtime.Gosched()
					continue
				}
				if i%64 == 0 && (!l.Shows(mark) || count(l, mark) != 1 || !slices.Contains(l.Append(nil), mark)) {
					lost.Add(1)
				}
				if i%64 == 0 && !l.Shows(stays) {
					lost.Add(1)
				}
				if !l.Retract(place, mark) {
					lost.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if lost.Load() != 0 || full.Load() == 4*20000 {
		t.Errorf("%d marks lost, %d times full", lost.Load(), full.Load())
	}
	if got := l.Append(nil); len(got) != 1 || got[0] != stays {
		t.Errorf("%v are left", got)
	}
}

// TestEither checks the guarantee: a reader announces and then loads the word, and a writer
// changes the word and then looks. At least one of them sees the other.
func TestEither(t *testing.T) {
	l := New(runtime.GOMAXPROCS(0))
	var word atomic.Uint32
	for range 2000 {
		word.Store(0)
		var read, seen bool
		var place uint32
		start := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			<-start
			place, _ = l.announce(5)
			invariants.Yield()
			read = word.Load() == 0
		})
		wg.Go(func() {
			<-start
			word.Store(1)
			invariants.Yield()
			seen = l.Shows(5)
		})
		close(start)
		wg.Wait()
		if read && !seen {
			t.Fatal("the reader has not seen the change of the word, and the writer has not seen the mark")
		}
		if !l.Retract(place, 5) {
			t.Fatal("the mark is gone")
		}
	}
}

func BenchmarkAnnounce(b *testing.B) {
	l := New(runtime.GOMAXPROCS(0))
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			place, ok := l.announce(5)
			if !ok || !l.Retract(place, 5) {
				b.Fatal("not announced")
			}
		}
	})
}

// BenchmarkShows looks at lines that no goroutine writes meanwhile.
func BenchmarkShows(b *testing.B) {
	for _, n := range []int{1, 2, 16, 64, 256} {
		b.Run(fmt.Sprintf("lines=%d", n), func(b *testing.B) {
			l := New(1000)
			for i := range uint32(n) {
				l.AnnounceBehind(i<<slotBits, 7)
			}
			for b.Loop() {
				if l.Shows(5) {
					b.Fatal("shown")
				}
			}
		})
	}
}
