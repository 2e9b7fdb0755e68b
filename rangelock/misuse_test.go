package rangelock_test

import "testing"

// TestDoubleReleaseChangesNothing releases a copy of a released guard in each state of its range,
// and checks that the state word is as it was and the map is usable.
func TestDoubleReleaseChangesNothing(t *testing.T) {
	for name, prepare := range map[string]func(m *intMap) func(){
		"free": func(*intMap) func() { return func() {} },
		"excluded": func(m *intMap) func() {
			w := m.Lock()
			if !w.TryExclude(rg(0, 10)) {
				t.Fatal("not excluded")
			}
			return w.Unlock
		},
		"in another life": func(m *intMap) func() {
			m.SetGeneration(5, 7)
			return func() {}
		},
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := tens("a", "b")
			g := hold(t, m, 5)
			copied := g
			g.Release()
			end := prepare(m)
			before := m.State(5)
			wantPanic(t, "the second Release", func() { copied.Release() })
			if after := m.State(5); after != before {
				t.Errorf("state %#x before the second Release, %#x after", before, after)
			}
			end()
			usable(t, m)
		})
	}
}

// TestDoubleReleaseInLimbo releases a copy of a guard whose range has left the map.
func TestDoubleReleaseInLimbo(t *testing.T) {
	m, rec := tens("a", "b")
	g := hold(t, m, 5)
	copied := g
	if n, err := m.Retire(bg, rg(0, 10)); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	g.Release()
	wantPanic(t, "the second Release", func() { copied.Release() })
	if err := m.Drain(bg); err != nil {
		t.Fatal(err)
	}
	if rec.String() != "a" {
		t.Errorf("retired are %q", rec)
	}
	wantPanic(t, "the third Release", func() { copied.Release() })
	usable(t, m)
}

// TestDoubleReleaseRace has one goroutine release copies of a released guard all the time, while a
// writer excludes the range and readmits readers. The misuse must have no effect: the writer never
// waits, and the range is excluded exactly between Exclude and Unlock. Without the look before the
// subtraction in Release this fails in every run under -race.
func TestDoubleReleaseRace(t *testing.T) {
	m, _ := tens("a", "b")
	g := hold(t, m, 5)
	copied := g
	g.Release()
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			func() {
				defer func() { recover() }()
				again := copied
				again.Release()
			}()
		}
	}()
	for range 20000 {
		w := m.Lock()
		if !w.TryExclude(rg(0, 10)) {
			t.Error("TryExclude fails although no guard is held")
		}
		w.Unlock()
		if s := m.State(5); s != 0 || t.Failed() {
			t.Errorf("state %#x after Unlock", s)
			break
		}
	}
	close(stop)
	<-done
}
