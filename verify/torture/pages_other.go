//go:build !unix

package main

// Pages cannot be protected here. A page that is given back is overwritten instead, and a
// use is noticed only by what is read from it.
const pageSize = 4096

func reserve(size int) ([]byte, error) { return make([]byte, size), nil }
func permit(page []byte) error         { return nil }
func forbid(page []byte) error         { clear(page); return nil }
