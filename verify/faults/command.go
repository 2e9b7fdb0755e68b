package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A command is one "go test" that notices a fault.
type command struct {
	text    string        // as written
	env     []string      // NAME=value words before go
	dir     string        // of "go -C dir test", or ""
	args    []string      // the arguments after "test"
	pkgs    string        // for the table
	tests   string        // the expression of -run
	dirs    []string      // of the packages, from the module's root
	test    string        // the expression of -run without ^ and $, for the table
	timeout time.Duration // of -timeout
}

var assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

// parseCommand reads "[NAME=value …] go [-C dir] test flags". It requires -run,
// because an unnamed test proves nothing; -timeout, because many faults show as an
// endless wait; and -count, because go test would take the result of a second try
// from its cache.
func parseCommand(text string) (*command, error) {
	words, err := splitWords(text)
	if err != nil {
		return nil, err
	}
	c := &command{text: text}
	for len(words) > 0 && assignment.MatchString(words[0]) {
		c.env = append(c.env, words[0])
		words = words[1:]
	}
	if len(words) == 0 || words[0] != "go" {
		return nil, fmt.Errorf("%q is not a go command", text)
	}
	words = words[1:]
	if len(words) >= 2 && words[0] == "-C" {
		if !filepath.IsLocal(words[1]) {
			return nil, fmt.Errorf("-C %s leaves the module", words[1])
		}
		c.dir, words = words[1], words[2:]
	}
	if len(words) == 0 || words[0] != "test" {
		return nil, fmt.Errorf("%q is not go test", text)
	}
	c.args = words[1:]

	run, ok := flagValue(c.args, "run")
	if !ok || run == "" {
		return nil, errors.New("no -run: name the test")
	}
	c.tests = run
	c.test = strings.TrimSuffix(strings.TrimPrefix(run, "^"), "$")
	timeout, ok := flagValue(c.args, "timeout")
	if !ok {
		return nil, errors.New("no -timeout")
	}
	if c.timeout, err = time.ParseDuration(timeout); err != nil || c.timeout <= 0 {
		return nil, fmt.Errorf("-timeout %s is not a duration", timeout)
	}
	if _, ok := flagValue(c.args, "count"); !ok {
		return nil, errors.New("no -count=1")
	}
	var pkgs []string
	for _, a := range c.args {
		if strings.HasPrefix(a, ".") {
			pkgs = append(pkgs, strings.TrimPrefix(a, "./"))
			c.dirs = append(c.dirs, filepath.Join(c.dir, a))
		}
	}
	if len(pkgs) == 0 {
		return nil, errors.New("no package: write ./name")
	}
	c.pkgs = strings.Join(pkgs, " ")
	return c, nil
}

// goArgs returns the arguments of go.
func (c *command) goArgs() []string {
	return slices.Concat([]string{"test", "-json", "-vet=off"}, c.args)
}

// flagValue returns the value of the flag in args, in any of Go's four spellings.
func flagValue(args []string, name string) (string, bool) {
	for i, a := range args {
		if !strings.HasPrefix(a, "-") {
			continue
		}
		a = strings.TrimPrefix(strings.TrimPrefix(a, "-"), "-")
		if v, ok := strings.CutPrefix(a, name+"="); ok {
			return v, true
		}
		if a == name && i+1 < len(args) {
			return args[i+1], true
		}
	}
	return "", false
}

// splitWords splits a line into words like a shell, but handles only blanks, quotes
// and backslashes.
func splitWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	var quote rune // the open quote, or 0
	in := false    // within a word, which may be empty
	escaped := false
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, in = true, true
		case quote != 0:
			if r == quote {
				quote = 0
			} else {
				word.WriteRune(r)
			}
		case r == '\'' || r == '"':
			quote, in = r, true
		case r == ' ' || r == '\t':
			if in {
				words = append(words, word.String())
				word.Reset()
				in = false
			}
		default:
			word.WriteRune(r)
			in = true
		}
	}
	if quote != 0 || escaped {
		return nil, fmt.Errorf("unfinished quote in %q", line)
	}
	if in {
		words = append(words, word.String())
	}
	return words, nil
}
