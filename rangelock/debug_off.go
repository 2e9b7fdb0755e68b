//go:build !spanlockdebug

package rangelock

// debug says whether maps remember what holds them. It is a constant, so the calls of the methods
// below are not compiled.
const debug = false

// mark is what a guard remembers: nothing.
type mark struct{}

// watched is what a map, or a Reader's ticket, remembers about what holds it: nothing.
type watched struct{}

func (*watched) leaks() []Leak          { return nil }
func (*watched) mayWait(string, intent) {}
func (*watched) excludes(string)        {}
func (*watched) rememberWriter()        {}
func (*watched) rememberReader(*ticket) {}
func (*watched) forgetOwner()           {}

func (m *Map[K, V]) watch()                             { _ = m.watched }
func (*Map[K, V]) mayDrain(Range[K])                    {}
func (*Map[K, V]) mayAcquire(string, intent, K)         {}
func (*Map[K, V]) readerMayAcquire(t *ticket, _ K)      { _ = t.watched }
func (*Map[K, V]) mayExclude(*header[K, V])             {}
func (m *Map[K, V]) remember(g Guard[K, V]) Guard[K, V] { return g }
func (m *Map[K, V]) handsOut(string)                    {}

func (mark) check(string) {}
func (mark) released()    {}
func (mark) downgraded()  {}
