package inspect

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Keys and values are not trusted: a key may come from a client. Each goes through protect or
// keyText, which shorten it and keep only printable characters. The page's template then escapes
// HTML.

const (
	maxKey      = 48   // bytes of a string key that are shown
	maxValue    = 160  // bytes of a format's result that are shown
	maxSentence = 1000 // bytes of a map's panic that are shown
)

// protect returns the result of f, or the value of its panic, ready to be shown.
func protect(f func() string) (s string) {
	defer func() {
		if x := recover(); x != nil {
			s = clean(fmt.Sprintf("(the format panicked: %v)", x))
		}
	}()
	return clean(f())
}

// clean returns s as the text of a format is shown.
func clean(s string) string { return printable(s, maxValue) }

// printable shortens s to at most max bytes and replaces characters that are not printable.
func printable(s string, max int) string {
	s, rest := shorten(s, max)
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !strconv.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, s)
	return s + rest
}

// shorten cuts s to at most max bytes, between two characters. If it cuts, rest gives the full
// length.
func shorten(s string, max int) (short, rest string) {
	if len(s) <= max {
		return s, ""
	}
	n := max
	for n > max-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n], fmt.Sprintf("… (%d bytes)", len(s))
}

// quote returns a string key in quotes, with escapes for characters that are not printable.
func quote(s string) string {
	s, rest := shorten(s, maxKey)
	return strconv.Quote(s) + rest
}
