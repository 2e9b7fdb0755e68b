package rangelock_test

import "cmp"

// place is a key that only a comparator orders.
type place struct {
	file string
	off  int64
	_    func()
}

func comparePlaces(a, b place) int {
	return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.off, b.off))
}
