package main

import (
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// long is how long a test records. The fault runs in verify/faults need a few tenths
// of a second; see docs/verification-linear.md.
func long(t *testing.T) time.Duration {
	if testing.Short() {
		return time.Second
	}
	return 4 * time.Second
}

// TestMapLinearizable records and judges histories of the map.
func TestMapLinearizable(t *testing.T) { linearizable(t, "map") }

// TestSemLinearizable records and judges histories of the semaphore.
func TestSemLinearizable(t *testing.T) { linearizable(t, "sem") }

func linearizable(t *testing.T, only string) {
	var out strings.Builder
	o := options{duration: long(t), seed: uint64(time.Now().UnixNano()), only: only}
	if err := run(o, &out); err != nil {
		t.Error(err)
	}
	t.Log(out.String())
}

// TestModelRefuses checks that the models refuse histories that no map and no semaphore may
// give, and allow correct ones. A model that allowed everything would refute nothing.
func TestModelRefuses(t *testing.T) {
	// The state before: [0, 2) is range 1, [2, 3) is range 2, and the last cell is the wall.
	start := state{1, 1, 2, 0, 0, 0, 0, 9}
	do := func(acts ...act) *transaction { return &transaction{acts: acts} }
	type op struct {
		call, ret int64
		what      any
	}
	for _, c := range []struct {
		name string
		ok   bool
		ops  []op
	}{
		{"hit", true, []op{{1, 2, &read{claim: one, cell: 1, found: found{1, 0, 2}}}}},
		{"wrong bounds", false, []op{{1, 2, &read{claim: one, cell: 1, found: found{1, 0, 3}}}}},
		{"false gap", false, []op{{1, 2, &read{claim: one, cell: 1}}}},
		{"busy", true, []op{{1, 2, &read{claim: nothing, cell: 1}}}},
		{"gap inside a transaction", false, []op{
			{1, 4, do(act{kind: "Retire", lo: 0, hi: 2, n: 1}, act{kind: "Insert", lo: 0, hi: 1, ids: [2]uint32{3}})},
			{2, 3, &read{claim: one, cell: 0}}}},
		{"half a transaction", false, []op{
			{1, 6, do(act{kind: "Update", at: 0, ids: [2]uint32{3}}, act{kind: "Update", at: 2, ids: [2]uint32{4}})},
			{2, 3, &read{claim: value, cell: 0, found: found{id: 3}}},
			{4, 5, &read{claim: value, cell: 2, found: found{id: 2}}}}},
		{"the other half", true, []op{
			{1, 6, do(act{kind: "Update", at: 0, ids: [2]uint32{3}}, act{kind: "Update", at: 2, ids: [2]uint32{4}})},
			{2, 3, &read{claim: value, cell: 0, found: found{id: 1}}},
			{4, 5, &read{claim: value, cell: 2, found: found{id: 4}}}}},
		{"stale", false, []op{
			{1, 2, do(act{kind: "Update", at: 0, ids: [2]uint32{3}})},
			{3, 4, &read{claim: value, cell: 0, found: found{id: 1}}}}},
		{"after an ended wait", false, []op{
			{1, 2, do(act{kind: "Remove", lo: 0, hi: 2, outcome: ended})},
			{3, 4, &read{claim: one, cell: 0}}}},
		{"next behind a gap", true, []op{{1, 2, &read{claim: next, cell: 3, end: cells, found: found{9, wall, cells}}}}},
		{"next that leaves one out", false, []op{{1, 2, &read{claim: next, cell: 2, end: cells, found: found{9, wall, cells}}}}},
		{"cut", false, []op{{1, 2, do(act{kind: "Retire", lo: 0, hi: 1, n: 0})}}},
		{"overlap that was none", false, []op{{1, 2, do(act{kind: "Insert", lo: 3, hi: 4, outcome: overlap})}}},
		{"extract", true, []op{{1, 2, do(act{kind: "Extract", at: 1, found: []found{{1, 0, 2}}}, act{kind: "Find", at: 0, found: []found{{}}})}}},
		{"extract that leaves it", false, []op{{1, 2, do(act{kind: "Extract", at: 1, found: []found{{1, 0, 2}}}, act{kind: "Find", at: 0, found: []found{{1, 0, 2}}})}}},
		{"extract of another", false, []op{{1, 2, do(act{kind: "Extract", at: 1, found: []found{{2, 2, 3}}})}}},
		{"merge", true, []op{{1, 2, do(act{kind: "Merge", at: 2, ids: [2]uint32{3}}, act{kind: "Find", at: 0, found: []found{{3, 0, 3}}})}}},
		{"moved", true, []op{
			{1, 2, do(act{kind: "Resize", at: 0, lo: 4, hi: 6})},
			{3, 4, &read{claim: all, all: []found{{2, 2, 3}, {1, 4, 6}, {9, wall, cells}}}}}},
		{"unlocked reader", false, []op{{1, 2, &turn{kind: "RUnlock", ok: true}}}},
		{"two writers", false, []op{{1, 2, &turn{kind: "Lock", ok: true}}, {3, 4, &turn{kind: "TryLock", ok: true}}}},
		{"reader beside a writer", false, []op{{1, 2, &turn{kind: "Lock", ok: true}}, {3, 4, &turn{kind: "TryRLock", ok: true}}}},
		{"downgraded", true, []op{{1, 2, &turn{kind: "Lock", ok: true}}, {3, 4, &turn{kind: "Downgrade", ok: true}},
			{5, 6, &turn{kind: "TryRLock", ok: true}}, {7, 8, &turn{kind: "Speculate", ok: true, seq: 2}}}},
		{"even under a writer", false, []op{{1, 2, &turn{kind: "Lock", ok: true}}, {3, 4, &turn{kind: "Speculate", ok: true, seq: 0}}}},
		{"valid across a writer", false, []op{{1, 2, &turn{kind: "Lock", ok: true}}, {3, 4, &turn{kind: "Unlock", ok: true}},
			{5, 6, &turn{kind: "Validate", ok: true, seq: 0}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var h history
			for i, o := range c.ops {
				h.add(i, o.call, o.ret, o.what)
			}
			model := mapModel(start)
			if _, sem := c.ops[0].what.(*turn); sem {
				model = semModel
			}
			if got := porcupine.CheckOperations(model, h); got != c.ok {
				t.Errorf("linearizable: %v, want %v", got, c.ok)
			}
		})
	}
}
