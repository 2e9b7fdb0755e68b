package sourcetree

import (
	"context"
	"fmt"
	"go/scanner"
	"go/token"
	"os"
	"slices"
	"strings"
)

// Words returns the first n different identifiers of the Go files under dir, sorted.
func Words(ctx context.Context, dir string, n int) ([]string, error) {
	paths, _, err := Files(ctx, dir)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool)
	for _, path := range paths {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !strings.HasSuffix(path, ".go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		var s scanner.Scanner
		s.Init(token.NewFileSet().AddFile(path, -1, len(text)), text, nil, 0)
		for _, tok, word := s.Scan(); tok != token.EOF && len(seen) < n; _, tok, word = s.Scan() {
			if tok == token.IDENT {
				seen[word] = true
			}
		}
	}
	if len(seen) < n {
		return nil, fmt.Errorf("%s has %d identifiers, not %d", dir, len(seen), n)
	}
	words := make([]string, 0, n)
	for word := range seen {
		words = append(words, word)
	}
	slices.Sort(words)
	return words, nil
}
