package inspect

import (
	"math"
	"testing"
	"time"

	"github.com/spanlock/spanlock/rangelock"
)

// TestRateLines: a line has a point for each step that is known. What happened between two
// requests is spread over the time between them, and what is older than the line is dropped.
//
// It kills 244_line_of_all.
func TestRateLines(t *testing.T) {
	var h history
	start := time.Now()
	look := func(at time.Duration, n int64) []float64 {
		t.Helper()
		return h.add(start.Add(at), &rangelock.Stats{Retired: n}).lines[retired]
	}
	want := func(when string, got []float64, want ...float64) {
		t.Helper()
		same := len(got) == len(want)
		for i := 0; same && i < len(want); i++ {
			same = math.Abs(got[i]-want[i]) < 1e-9
		}
		if !same {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	s := time.Second
	want("at first", look(0, 1000))
	want("half a second later", look(s/2, 1001))
	want("in the first step", look(2*s, 1010), 5)
	want("two steps later", look(12*s, 1110), (10+30)/5., 10, 10)
	want("one that has just begun is left out", look(15*s+s/2, 1145), 8, 10, 10)
	for i := 16; i < 400; i++ {
		look(time.Duration(i)*s, 1145)
	}
	line := look(400*s, 1150)
	if n := int(lineSpan / lineStep); len(line) != n-1 {
		t.Fatalf("after more than %v there are %d points, want %d", lineSpan, len(line), n-1)
	}
	for i, x := range line {
		if last := i == len(line)-1; last != (x > 0) {
			t.Errorf("point %d of %d is %v, want what happened last only", i, len(line), x)
		}
	}
	if n := len(h.samples); n > 302 {
		t.Errorf("%d samples are kept", n)
	}
}

// TestRateOfWriter: the share of the time in which a writer had the lock, and the time that the
// present one has been seen.
//
// It kills 244_writer_of_another.
func TestRateOfWriter(t *testing.T) {
	var h history
	start := time.Now()
	for i, x := range []struct {
		writer       bool
		transactions int64
		share        float64
		since        int // seconds
	}{
		{false, 0, 0, 0},
		{true, 1, 1, 0},
		{true, 1, 1, 1},
		{false, 1, 2. / 3, 0},
		{true, 2, 3. / 4, 0},
		{true, 3, 4. / 5, 0}, // another writer
		{true, 3, 5. / 6, 1},
		{false, 3, 5. / 7, 0},
	} {
		s := rangelock.Stats{Transactions: x.transactions}
		s.Sem.Writer = x.writer
		r := h.add(start.Add(time.Duration(i)*time.Second), &s)
		if math.Abs(r.per[writerHeld]-x.share) > 1e-9 || r.writerFor != time.Duration(x.since)*time.Second {
			t.Errorf("look %d: %v of the time, the present one for %v; want %v, %d s", i, r.per[writerHeld], r.writerFor, x.share, x.since)
		}
	}
}
