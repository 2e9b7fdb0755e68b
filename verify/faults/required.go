package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// checkRequired reports the numbers of list for which there is neither a patch nor
// a line in the file EXPECTED, and the lines of EXPECTED that have become stale
// because there is a patch.
func checkRequired(root, list string, patches []*patch) error {
	required, err := parseNumbers(list)
	if err != nil {
		return fmt.Errorf("-require: %w", err)
	}
	expected, err := readExpected(filepath.Join(root, "verify", "faults", "EXPECTED"))
	if err != nil {
		return err
	}
	there := make(map[int]bool)
	for _, p := range patches {
		there[p.number] = true
	}
	var missing, stale []string
	for _, n := range required {
		if !there[n] && !expected[n] {
			missing = append(missing, strconv.Itoa(n))
		}
	}
	for _, n := range slices.Sorted(maps.Keys(expected)) {
		if there[n] {
			stale = append(stale, strconv.Itoa(n))
		}
	}
	if missing != nil {
		err = fmt.Errorf("neither a patch nor a line in EXPECTED for %s", strings.Join(missing, ", "))
	}
	if stale != nil {
		err = errors.Join(err, fmt.Errorf("a patch as well as a line in EXPECTED for %s", strings.Join(stale, ", ")))
	}
	return err
}

// readExpected reads the numbers of the faults that cannot be put in yet. A line
// is "29 announced_before_bit: why"; empty lines and lines with # are remarks. The
// file may be absent.
func readExpected(path string) (map[int]bool, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	expected := make(map[int]bool)
	line := 0
	for s := range strings.Lines(string(text)) {
		line++
		s = strings.TrimSpace(s)
		if s == "" || strings.HasPrefix(s, "#") {
			continue
		}
		title, why, _ := strings.Cut(s, ":")
		number, name, _ := strings.Cut(title, " ")
		n, err := strconv.Atoi(number)
		if err != nil || strings.TrimSpace(name) == "" || strings.TrimSpace(why) == "" {
			return nil, fmt.Errorf("EXPECTED:%d: want \"number name: reason\", got %q", line, s)
		}
		expected[n] = true
	}
	return expected, nil
}

// parseNumbers reads a list such as "1-25,29".
func parseNumbers(list string) ([]int, error) {
	var numbers []int
	for part := range strings.SplitSeq(list, ",") {
		lo, hi, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			hi = lo
		}
		first, err1 := strconv.Atoi(lo)
		last, err2 := strconv.Atoi(hi)
		if err1 != nil || err2 != nil || first > last {
			return nil, fmt.Errorf("%q is not a number or a range of numbers", part)
		}
		for n := first; n <= last; n++ {
			numbers = append(numbers, n)
		}
	}
	return numbers, nil
}
