//go:build !spanlockdebug

package epoch

// debug says whether guards remember where they were pinned.
const debug = false

// mark is what a guard remembers: nothing.
type mark struct{}

// pinRegister is what a domain remembers about its pins: nothing.
type pinRegister struct{}

func (*pinRegister) add() mark       { return mark{} }
func (*pinRegister) oldest() string  { return "" }
func (*pinRegister) checkBarrier()   {}
func (*pinRegister) enterCallbacks() {}
func (*Guard) unpinMark()            {}
