package mapfile_test

import (
	"math/rand/v2"
	"testing"
)

// choices is a source of random numbers that takes two bytes of the fuzzer's input for each
// number.
type choices struct {
	input []byte
	after rand.PCG // used when the input is exhausted; with a constant, a loop that rejects this number would never end
}

func (c *choices) Uint64() uint64 {
	if len(c.input) < 2 {
		c.input = nil
		return c.after.Uint64()
	}
	n := uint64(c.input[0])<<8 | uint64(c.input[1])
	c.input = c.input[2:]
	return n * 0x0001_0001_0001_0001 // some uses take the high bits, others the low bits
}

// FuzzFile does the operations of TestModel to a file and to a slice, with the fuzzer's input in
// place of random numbers.
//
// It kills 259_swap_keeps_file.
func FuzzFile(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 1))
	for k := range kinds() {
		f.Add(byte(k), []byte(nil))
		for range 8 {
			input := make([]byte, 40+rng.IntN(400))
			for i := range input {
				input[i] = byte(rng.Uint32())
			}
			f.Add(byte(k), input)
		}
	}
	f.Fuzz(func(t *testing.T, which byte, input []byte) {
		if len(input) > 600 {
			return // longer inputs find no more
		}
		k := kinds()[int(which)%len(kinds())]
		k.here(t)
		c := &choices{input: input}
		m := &model{t: t, rng: rand.New(c), k: k, dir: t.TempDir()}
		m.runWhile(func() bool { return len(c.input) > 0 })
	})
}
