//go:build !spanlockdebug

package rangelock

// debug says whether guards and transactions remember who took them.
const debug = false

// mark is what a guard remembers: nothing.
type mark struct{}

// watched is what a map, or a Reader's ticket, remembers about who holds it: nothing.
type watched struct{}

func (m *Map[K, V]) leaks() []Leak                      { return nil }
func (m *Map[K, V]) watch()                             { _ = m.watched }
func (*Map[K, V]) mayWait(string, intent)               {}
func (*Map[K, V]) mayDrain(Range[K])                    {}
func (*Map[K, V]) mayAcquire(string, intent, K)         {}
func (*Map[K, V]) readerMayAcquire(*ticket, K)          {}
func (*Map[K, V]) mayExclude(*header[K, V])             {}
func (*Map[K, V]) excludes()                            {}
func (m *Map[K, V]) remember(g Guard[K, V]) Guard[K, V] { return g }
func (m *Map[K, V]) rememberWriter()                    {}
func (m *Map[K, V]) forgetWriter()                      {}
func (m *Map[K, V]) rememberReader(*ticket)             {}
func forgetReader(t *ticket)                            { _ = t.watched }
func (m *Map[K, V]) handsOut(string)                    {}
func (mark) check(string)                               {}
func (mark) released()                                  {}
func (mark) downgraded()                                {}
