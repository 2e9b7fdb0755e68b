package rangelock

// chain is a first-in first-out list of headers, linked by their field next. Only its owner uses
// it.
type chain[K, V any] struct {
	head, tail *header[K, V]
	n          int
}

// push adds h at the end.
func (c *chain[K, V]) push(h *header[K, V]) {
	h.next = nil
	if c.tail == nil {
		c.head = h
	} else {
		c.tail.next = h
	}
	c.tail = h
	c.n++
}

// pop removes the first header and returns it, or returns nil.
func (c *chain[K, V]) pop() *header[K, V] {
	h := c.head
	if h == nil {
		return nil
	}
	c.head = h.next
	if c.head == nil {
		c.tail = nil
	}
	h.next = nil
	c.n--
	return h
}

// moveTo appends c to to and leaves c empty, in constant time.
func (c *chain[K, V]) moveTo(to *chain[K, V]) {
	if c.head == nil {
		return
	}
	if to.tail == nil {
		to.head = c.head
	} else {
		to.tail.next = c.head
	}
	to.tail = c.tail
	to.n += c.n
	*c = chain[K, V]{}
}
