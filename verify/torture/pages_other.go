//go:build !unix

package main

// Where pages cannot be protected, a page that is gone is overwritten, and only what is
// read from it tells.
const pageSize = 4096

func reserve(size int) ([]byte, error) { return make([]byte, size), nil }
func permit(page []byte) error         { return nil }
func forbid(page []byte) error         { clear(page); return nil }
