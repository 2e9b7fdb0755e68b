package inspect

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Keys and values belong to strangers: a key may be what a client has sent. Each goes
// through protect or keyText, which leave nothing but printable characters and not many
// of them; the page's template then escapes what HTML has a meaning for.

const (
	maxKey      = 48   // bytes of a string key that are shown
	maxValue    = 160  // bytes of what a format returns that are shown
	maxSentence = 1000 // bytes of what a map panics with that are shown
)

// protect returns what f returns, fit to be shown, or what it panics with.
func protect(f func() string) (s string) {
	defer func() {
		if x := recover(); x != nil {
			s = clean(fmt.Sprintf("(the format panicked: %v)", x))
		}
	}()
	return clean(f())
}

// clean returns s as a format's text is shown.
func clean(s string) string { return printable(s, maxValue) }

// printable shortens s to at most max bytes and replaces what is not printable.
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

// shorten cuts s to at most max bytes, not within a character, and says what is missing.
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

// quote is a string key: in quotes, with escapes for all that is not printable.
func quote(s string) string {
	s, rest := shorten(s, maxKey)
	return strconv.Quote(s) + rest
}
