package rangelock

// nodes is memory that left the tree or is ready for it: one chain of each kind.
type nodes[K, V any] struct {
	leaves  chain[leaf[K, V], *leaf[K, V]]
	inners  chain[inner[K, V], *inner[K, V]]
	headers chain[header[K, V], *header[K, V]]
}

// count returns how many objects are in the chains.
func (n *nodes[K, V]) count() int { return n.leaves.n + n.inners.n + n.headers.n }

// moveTo appends all chains to those of to and leaves them empty.
func (n *nodes[K, V]) moveTo(to *nodes[K, V]) {
	n.leaves.moveTo(&to.leaves)
	n.inners.moveTo(&to.inners)
	n.headers.moveTo(&to.headers)
}

// linked is an object with a link in it.
type linked[T any] interface {
	*T
	link() **T
}

func (l *leaf[K, V]) link() **leaf[K, V]     { return &l.next }
func (p *inner[K, V]) link() **inner[K, V]   { return &p.next }
func (h *header[K, V]) link() **header[K, V] { return &h.next }

// chain is a first-in first-out list through the objects' own links. Its owner
// alone uses it.
type chain[T any, P linked[T]] struct {
	head, tail P
	n          int
}

// push adds x at the end.
func (c *chain[T, P]) push(x P) {
	*x.link() = nil
	if c.tail == nil {
		c.head = x
	} else {
		*c.tail.link() = x
	}
	c.tail = x
	c.n++
}

// pop takes the first object, or returns nil.
func (c *chain[T, P]) pop() P {
	x := c.head
	if x == nil {
		return nil
	}
	c.head = *x.link()
	if c.head == nil {
		c.tail = nil
	}
	*x.link() = nil
	c.n--
	return x
}

// moveTo appends c to to and leaves c empty, in constant time.
func (c *chain[T, P]) moveTo(to *chain[T, P]) {
	if c.head == nil {
		return
	}
	if to.tail == nil {
		to.head = c.head
	} else {
		*to.tail.link() = c.head
	}
	to.tail = c.tail
	to.n += c.n
	*c = chain[T, P]{}
}
