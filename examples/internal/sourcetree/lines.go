package sourcetree

import (
	"bytes"
	"context"
	"fmt"
	"os"
)

// Lines returns the first n non-empty lines of the files under dir, each with its line end.
func Lines(ctx context.Context, dir string, n int) ([][]byte, error) {
	paths, _, err := Files(ctx, dir)
	if err != nil {
		return nil, err
	}
	lines := make([][]byte, 0, n)
	for _, path := range paths {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for line := range bytes.Lines(text) {
			if len(lines) == n {
				return lines, nil
			}
			if len(line) > 1 {
				lines = append(lines, line)
			}
		}
	}
	if len(lines) < n {
		return nil, fmt.Errorf("%s has %d lines, not %d", dir, len(lines), n)
	}
	return lines, nil
}
