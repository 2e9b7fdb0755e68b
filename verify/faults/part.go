package main

import "fmt"

// part is every nth patch from the kth on. The zero part is all of them.
type part struct{ k, n int }

func (p *part) String() string {
	if p.n == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", p.k, p.n)
}

// Set reads what String prints.
func (p *part) Set(s string) error {
	var k, n int
	var rest string
	if c, _ := fmt.Sscanf(s, "%d/%d%s", &k, &n, &rest); c != 2 || n < 1 || k < 0 || k >= n {
		return fmt.Errorf("%q is not a part k/n with 0 <= k < n", s)
	}
	*p = part{k, n}
	return nil
}

// of returns the patches of the part, in their order.
func (p part) of(all []*patch) []*patch {
	if p.n == 0 {
		return all
	}
	var some []*patch
	for i := p.k; i < len(all); i += p.n {
		some = append(some, all[i])
	}
	return some
}
