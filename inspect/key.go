package inspect

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spanlock/spanlock/internal/raw"
	"github.com/spanlock/spanlock/internal/shape"
)

// keyType describes the type of a map's keys.
type keyType struct {
	kind shape.Kind
	size int // of a key, in bytes
}

// key is a bound without its type. Its methods go by the kind of the type, and call no method of
// the type.
type key struct {
	word uint64 // the value of a number; 64 bits for a signed number or a float
	text string // a string or bytes, in the memory of the key; for an array valid until the next visit
}

// kept returns a copy of k with its own memory.
func (k key) kept() key { return key{k.word, strings.Clone(k.text)} }

// keysOf returns the keyType of K, and a function that reads a key.
func keysOf[K any]() (t keyType, read func(*K) key) {
	t.kind, t.size = shape.KindOf[K]()
	switch t.kind {
	case shape.Signed:
		switch t.size {
		case 1:
			return t, func(k *K) key { return key{word: uint64(raw.As[int8](k))} }
		case 2:
			return t, func(k *K) key { return key{word: uint64(raw.As[int16](k))} }
		case 4:
			return t, func(k *K) key { return key{word: uint64(raw.As[int32](k))} }
		}
		return t, func(k *K) key { return key{word: raw.Word(*k)} }
	case shape.Unsigned, shape.Address:
		return t, func(k *K) key { return key{word: raw.Word(*k)} }
	case shape.Float:
		if t.size == 4 {
			return t, func(k *K) key { return key{word: math.Float64bits(float64(raw.As[float32](k)))} }
		}
		return t, func(k *K) key { return key{word: raw.Word(*k)} }
	case shape.Text:
		return t, func(k *K) key { return key{text: raw.As[string](k)} }
	case shape.Bytes:
		return t, func(k *K) key { return key{text: raw.Text(raw.As[[]byte](k))} }
	case shape.Array:
		return t, func(k *K) key { return key{text: raw.Text(raw.Memory(k))} }
	}
	return t, func(*K) key { return key{} }
}

// float returns the value of a float.
func (k key) float() float64 { return math.Float64frombits(k.word) }

// plain returns the text of a key that is a number, a string or bytes.
func (t keyType) plain(k key) (string, bool) {
	switch t.kind {
	case shape.Signed:
		return strconv.FormatInt(int64(k.word), 10), true
	case shape.Unsigned:
		return strconv.FormatUint(k.word, 10), true
	case shape.Address:
		return fmt.Sprintf("%#x", k.word), true
	case shape.Float:
		return strconv.FormatFloat(k.float(), 'g', -1, 8*t.size), true
	case shape.Text, shape.Bytes, shape.Array:
		return quote(k.text), true
	}
	return "", false
}

// compare compares two keys by value, if they are numbers, strings or bytes. Other keys compare
// equal.
func (t keyType) compare(a, b key) int {
	switch t.kind {
	case shape.Signed:
		return cmp.Compare(int64(a.word), int64(b.word))
	case shape.Unsigned, shape.Address:
		return cmp.Compare(a.word, b.word)
	case shape.Float:
		return cmp.Compare(a.float(), b.float())
	}
	return strings.Compare(a.text, b.text)
}

// maxExact is the largest integer that every JSON parser holds exactly.
const maxExact = 1 << 53

// exact returns a key for JSON: a number if that loses nothing, else text.
func (t keyType) exact(k key, text string) any {
	switch i := int64(k.word); {
	case t.kind == shape.Signed && i >= -maxExact && i <= maxExact:
		return i
	case (t.kind == shape.Unsigned || t.kind == shape.Address) && k.word <= maxExact:
		return k.word
	case t.kind == shape.Float && !math.IsInf(k.float(), 0):
		return k.float()
	case t.kind == shape.Text:
		s, rest := shorten(k.text, maxKey)
		return s + rest
	}
	return text
}
