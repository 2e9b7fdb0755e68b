package inspect

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// TestWindow compares the arithmetic of windows with that of big numbers, for windows of all
// sizes, including those at either end of the places.
func TestWindow(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	number := func() uint64 { // of any length, often with all bits or few bits set
		n := random.Uint64() >> random.IntN(64)
		if random.IntN(3) == 0 {
			n = 1 << random.IntN(64)
		}
		if random.IntN(3) == 0 {
			n--
		}
		if random.IntN(3) == 0 {
			n = ^n
		}
		return n
	}
	bigOf := func(p uint64) *big.Int { return new(big.Int).SetUint64(p) }
	one := big.NewInt(1)
	for range 100_000 {
		a, b := number(), number()
		w := window{min(a, b), max(a, b)}
		size := new(big.Int).Add(bigOf(w.last-w.lo), one)
		n := w.parts(1 + random.IntN(240))
		if big.NewInt(int64(n)).Cmp(size) > 0 || n < 1 {
			t.Fatalf("seed %d: %v in %d parts", seed, w, n)
		}
		// Parts are adjacent, and their sizes differ by one place at most.
		i := random.IntN(n)
		p := w.part(i, n)
		if p.lo > p.last || i == 0 && p.lo != w.lo || i == n-1 && p.last != w.last || i > 0 && w.part(i-1, n).last != p.lo-1 {
			t.Fatalf("seed %d: %v, part %d of %d is %v", seed, w, i, n, p)
		}
		whole := new(big.Int).Mul(size, big.NewInt(int64(i)))
		rest := new(big.Int)
		whole.DivMod(whole, big.NewInt(int64(n)), rest)
		if rest.Sign() > 0 {
			whole.Add(whole, one)
		}
		if whole.Cmp(bigOf(p.lo-w.lo)) != 0 {
			t.Fatalf("seed %d: %v, part %d of %d begins at %d", seed, w, i, n, p.lo)
		}
		// A place is in the part that cells returns.
		x, y := w.clamp(number()), w.clamp(number())
		x, y = min(x, y), max(x, y)
		first, last := w.cells(x, y, n)
		at := new(big.Int).Mul(bigOf(x-w.lo), big.NewInt(int64(n)))
		end := new(big.Int).Mul(new(big.Int).Add(bigOf(y-w.lo), one), big.NewInt(int64(n)))
		if got := at.Div(at, size); got.Cmp(big.NewInt(int64(first))) != 0 {
			t.Fatalf("seed %d: %v in %d: %d is in %d, want %v", seed, w, n, x, first, got)
		}
		end.Add(end, size).Sub(end, one).Div(end, size) // rounded up
		if end.Cmp(big.NewInt(int64(last+1))) != 0 || last >= n {
			t.Fatalf("seed %d: %v in %d: %d ends in %d, want %v", seed, w, n, y, last, end)
		}
		if q := w.part(first, n); first != last && w.has(x, x) && x > q.last {
			t.Fatalf("seed %d: %v in %d: %d is not in part %d, %v", seed, w, n, x, first, q)
		}
		if from, to := w.span(x, y); !(0 <= from && from <= to && to <= 1) || y == w.last && to != 1 || x == w.lo && from != 0 {
			t.Fatalf("seed %d: %v: %d to %d spans %v to %v", seed, w, x, y, from, to)
		}
		// A cut lies in whole and is not empty; the middle of a small window is exact.
		c, d := random.NormFloat64()*math.Exp2(float64(random.IntN(20))), random.ExpFloat64()
		v := window{x, y}
		cut := v.cut(c, c+d, w)
		if cut.lo > cut.last || cut.lo < w.lo || cut.last > w.last {
			t.Fatalf("seed %d: %v.cut(%v, %v, %v) = %v", seed, v, c, c+d, w, cut)
		}
		if got := v.cut(0, 1, w); got.size() < v.size() || v.last-v.lo < 1<<50 && got != v {
			t.Fatalf("seed %d: all of %v in %v is %v", seed, v, w, got)
		}
	}
}
