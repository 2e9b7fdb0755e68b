package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// A progress shows the progress of the program: on a terminal by a bar that is drawn ten times a
// second, elsewhere by a line from time to time.
type progress struct {
	w        io.Writer
	terminal bool
}

func newProgress(w io.Writer) *progress {
	p := &progress{w: w}
	if f, ok := w.(*os.File); ok && os.Getenv("TERM") != "dumb" {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// say prints a line.
func (p *progress) say(format string, args ...any) { fmt.Fprintf(p.w, format+"\n", args...) }

// during calls f, and shows the result of state until f returns: the share done and a few words.
// Lines come at most once per every.
func (p *progress) during(every time.Duration, state func() (float64, string), f func() error) error {
	interval := every
	if p.terminal {
		interval = 100 * time.Millisecond
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.draw(state())
			case <-stop:
				return
			}
		}
	})
	err := f()
	close(stop)
	wg.Wait()
	if p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	return err
}

func (p *progress) draw(share float64, words string) {
	share = min(max(share, 0), 1)
	if !p.terminal {
		p.say("%3.0f%%  %s", 100*share, words)
		return
	}
	const bar, line = 14, 79 // a longer line would wrap, and \r would not return to its start
	full := int(share * bar)
	text := []rune(fmt.Sprintf("%s%s %3.0f%%  %s", strings.Repeat("█", full), strings.Repeat("░", bar-full), 100*share, words))
	fmt.Fprintf(p.w, "\r%s\x1b[K", string(text[:min(line, len(text))]))
}
