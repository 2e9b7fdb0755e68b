package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestFormat(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{formatDuration(0), "0 ns"},
		{formatDuration(999), "999 ns"},
		{formatDuration(1234), "1.23 µs"},
		{formatDuration(12 * time.Millisecond), "12 ms"},
		{formatDuration(345678 * time.Microsecond), "346 ms"},
		{formatDuration(1500 * time.Second), "1500 s"},
		{formatCount(0), "0"},
		{formatCount(999), "999"},
		{formatCount(1000), "1,000"},
		{formatCount(1234567), "1,234,567"},
		{formatRate(12.34), "12.3"},
		{formatRate(999.6), "1,000"},
		{formatGain(1234, 1), "1,234 ×"},
		{formatGain(12.34, 1), "12.3 ×"},
		{formatGain(1, 2), "0.50 ×"},
		{formatGain(1, 12345), "8.1e-05 ×"},
		{formatGain(1, 0), "-"},
		{formatBytes(17), "17 bytes"},
		{formatBytes(8 << 30), "8.0 GiB"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func TestProgress(t *testing.T) {
	var b bytes.Buffer
	failed := errors.New("failed")
	p := newProgress(&b)
	asked := make(chan bool)
	err := p.during(time.Millisecond, func() (float64, string) {
		select {
		case asked <- true:
		default:
		}
		return 0.5, "words"
	}, func() error {
		<-asked
		<-asked
		return failed
	})
	if err != failed || !strings.HasPrefix(b.String(), " 50%  words\n 50%  words\n") {
		t.Errorf("plain: %v, %q", err, b.String())
	}

	b.Reset()
	p.terminal = true
	p.draw(0.5, "words")
	if want := "\r" + strings.Repeat("█", 7) + strings.Repeat("░", 7) + "  50%  words\x1b[K"; b.String() != want {
		t.Errorf("bar is %q, want %q", b.String(), want)
	}
}
