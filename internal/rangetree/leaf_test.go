package rangetree

import (
	"math/bits"
	"reflect"
	"testing"
)

// TestLeafLines: a leaf of words takes four cache lines. A search counts in two of them.
//
// It kills 262_leaf_of_five_lines.
func TestLeafLines(t *testing.T) {
	if bits.UintSize != 64 || slots != 15 {
		t.Skip("other sizes")
	}
	if size := reflect.TypeFor[leaf[uint64]]().Size(); size != 4*64 {
		t.Errorf("a leaf has %d bytes", size)
	}
}
