package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A port is an existing program, and how it is rewritten, tested and measured.
type port struct {
	name               string // its files are in testdata, in a folder of this name
	path, version, sum string // the module, and the checksum that go.sum would have
	pkg                string // the folder of the package that is rewritten

	rewrite func(dir string) error
	added   []string // files that are added to that package: our code and tests
	own     string   // the prefix of the names of those tests

	packages []string  // the packages whose tests are run
	chosen   string    // the tests of the small size
	slow     string    // tests that write so much that on a slow disk they exceed their own time limits
	race     string    // the tests that are also run under the race detector
	env      []string  // for all tests
	variants []variant // the tests are run with each; the smaller sizes use only the first

	rows func(s size) []row
}

// A variant is an environment of the tests.
type variant struct {
	what string
	env  []string
}

// A row is a measurement.
type row struct {
	what []string // one text for each value of the answer
	request
	stall bool // measured beside a long reader: ours must not wait for it
}

func (r row) rounds(s size) int {
	if r.stall {
		return s.stalls
	}
	return s.rounds
}

var ports = []port{
	{
		name: "bbolt", path: "go.etcd.io/bbolt", version: "v1.5.0",
		sum: "h1:S7GAl7Fxv12yohbwFfIbQCGDWbQbtDGPET4P/bD4lxU=",
		pkg: ".", rewrite: rewriteBbolt, added: []string{"mapping.go", "remap_test.go"}, own: "TestRemap",

		// Not the packages in tests: they need failpoints compiled in, or a device mapper.
		packages: []string{".", "./internal/...", "./cmd/..."},
		// The tests that open, map, grow, read beside a writer, roll back and close.
		chosen: "^(TestOpen|TestDB_|TestDBUnmap|TestTx_C|TestTx_D|TestTx_R|TestTx_r|TestTx_F|TestTx_G|TestTx_S|TestTx_W" +
			"|TestMethodPage|TestConcurrent|TestBucket_Put_Large|TestBucket_Stats)",
		slow: "^(TestDB_Open_InitialMmapSize|TestDB_HugeValue)$",
		race: "^(TestDB_|TestTx_|TestConcurrent)",
		env:  []string{"BBOLT_VERIFY=all"},
		variants: []variant{
			{"its own tests, free list as a map", []string{"TEST_FREELIST_TYPE=hashmap"}},
			{"its own tests, free list as an array", []string{"TEST_FREELIST_TYPE=array"}},
		},
		rows: func(s size) []row {
			return []row{
				{[]string{
					fmt.Sprintf("a write that grows, beside a reader of %v", s.reader),
					"new readers meanwhile, median", "new readers meanwhile, 99th percentile",
				}, request{"grow", 1, s.reader}, true},
				{[]string{"empty `View`, 1 goroutine"}, request{"view", 1, s.slice}, false},
				{[]string{"empty `View`, 2 goroutines"}, request{"view", 2, s.slice}, false},
				{[]string{"`View` with one `Get`, 1 goroutine"}, request{"get", 1, s.slice}, false},
				{[]string{"`View` with one `Get`, 2 goroutines"}, request{"get", 2, s.slice}, false},
				{[]string{"`Update` with a small `Put`, not synced"}, request{"update", 1, s.slice}, false},
				{[]string{"`Batch` of 16 such"}, request{"batch", 16, s.slice}, false},
			}
		},
	},
	{
		name: "chunks", path: "github.com/prometheus/prometheus", version: "v0.309.1",
		sum: "h1:jutK6eCYDpWdPTUbVbkcQsNCMO9CCkSwjQRMLds4jSo=",
		pkg: "tsdb/chunks", rewrite: rewriteChunks, added: []string{"files.go", "guard_test.go"}, own: "TestGuard",

		packages: []string{"./tsdb/chunks"},
		chosen:   "^(TestChunkDiskMapper|TestHeadReadWriter)",
		slow:     "^$",
		race:     "^(TestChunkDiskMapper|TestHeadReadWriter|TestChunkWriteQueue)",
		variants: []variant{{"the package's own tests", nil}},
		rows: func(s size) []row {
			return []row{
				{[]string{
					fmt.Sprintf("a truncation, beside a reader that the disk delays for %v", s.reader),
					"new readers of other files meanwhile, median", "new readers of other files meanwhile, 99th percentile",
				}, request{"truncate", 1, s.reader}, true},
				{[]string{"`Chunk`, 1 goroutine"}, request{"chunk", 1, s.slice}, false},
				{[]string{"`Chunk`, 2 goroutines"}, request{"chunk", 2, s.slice}, false},
				{[]string{"`WriteChunk`"}, request{"write", 1, s.slice}, false},
			}
		},
	},
}

// portOf returns the port with a name.
func portOf(name string) (port, error) {
	i := slices.IndexFunc(ports, func(p port) bool { return p.name == name })
	if i < 0 {
		var names []string
		for _, p := range ports {
			names = append(names, p.name)
		}
		return port{}, fmt.Errorf("there is no program %q, only %s", name, strings.Join(names, " and "))
	}
	return ports[i], nil
}

// A size says how much is tested and measured.
type size struct {
	chosen   bool          // the chosen tests only
	limit    time.Duration // of all tests of a package together
	short    bool          // with -short
	variants int           // at most so many
	race     bool          // some tests also under the race detector
	reader   time.Duration // how long the long reader reads
	stalls   int           // rounds with a long reader
	slice    time.Duration // of all other measurements
	rounds   int           // of all other measurements
}

var (
	small = size{chosen: true, limit: 3 * time.Minute, short: true, variants: 1, reader: 300 * time.Millisecond, stalls: 3, slice: 10 * time.Millisecond, rounds: 21}
	usual = size{limit: 10 * time.Minute, short: true, variants: 1, reader: 2 * time.Second, stalls: 3, slice: 20 * time.Millisecond, rounds: 101}
	large = size{limit: time.Hour, variants: 2, race: true, reader: 2 * time.Second, stalls: 5, slice: 20 * time.Millisecond, rounds: 401}
)
