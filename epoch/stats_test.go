package epoch_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanlock/spanlock/epoch"
)

func TestStatsOfAnUnusedDomain(t *testing.T) {
	var d epoch.Domain
	if s := d.Stats(); s != (epoch.Stats{}) {
		t.Errorf("%v", s)
	}
}

// A pin that stalls the epoch is reported, with how long it has done so.
func TestStalledPinIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d epoch.Domain
		g := d.Pin()
		time.Sleep(time.Hour) // no goroutine waits, so the pin stalls nothing
		if s := d.Stats(); s.StalledFor != 0 || s.Pins != 1 {
			t.Errorf("before any goroutine waits: %v", s)
		}
		d.Retire(func() {})
		synctest.Wait()
		time.Sleep(time.Minute)
		d.Retire(func() {})
		time.Sleep(time.Minute)
		s := d.Stats()
		if s.StalledFor != 2*time.Minute || s.OldestPending != 2*time.Minute || s.Pending != 2 || s.Peak != 2 || s.Retired != 2 {
			t.Errorf("behind a pin: %v", s)
		}
		for _, want := range []string{"1 pins", "2 callbacks pending", "the oldest for 2m0s", "stalled by a pin for 2m0s"} {
			if !strings.Contains(s.String(), want) {
				t.Errorf("%q does not say %q", s, want)
			}
		}
		if epoch.Debug != strings.Contains(s.String(), "TestStalledPinIsReported") {
			t.Errorf("where it was pinned: %q", s.OldestPin)
		}
		g.Unpin()
		synctest.Wait()
		if s := d.Stats(); s.StalledFor != 0 || s.OldestPending != 0 || s.Pending != 0 || s.Peak != 2 || s.Pins != 0 || s.OldestPin != "" {
			t.Errorf("after it: %v", s)
		}
	})
}

// A pin also stalls a goroutine that only polls a Cookie.
func TestStalledCookieIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d epoch.Domain
		g := d.Pin()
		c := d.Cookie()
		for range 3 {
			c.Done()
		}
		time.Sleep(time.Second)
		if s := d.Stats(); s.StalledFor != time.Second {
			t.Errorf("%v", s)
		}
		g.Unpin()
		if s := d.Stats(); s.StalledFor != 0 {
			t.Errorf("after the pin ended: %v", s)
		}
	})
}

func TestOldestPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d epoch.Domain
		slow := func() { time.Sleep(time.Second) }
		d.Retire(slow)
		synctest.Wait()
		d.Retire(slow) // waits for the first to return
		time.Sleep(time.Second / 2)
		if s := d.Stats(); s.OldestPending != time.Second/2 || s.Pending != 2 {
			t.Errorf("in the first callback: %v", s)
		}
		time.Sleep(time.Second)
		if s := d.Stats(); s.OldestPending != 3*time.Second/2 || s.Pending != 1 {
			t.Errorf("in the second callback: %v", s)
		}
		time.Sleep(time.Second)
		if s := d.Stats(); s.OldestPending != 0 || s.Pending != 0 || s.Peak != 2 {
			t.Errorf("after both: %v", s)
		}
	})
}
