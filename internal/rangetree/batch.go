package rangetree

// Batch is the number of keys that one call of [Tree.FindBatch] can search for.
const Batch = 16

// Found is what FindBatch has found for a key, as [Tree.Find] returns it.
type Found[K any] struct {
	Entry *Entry[K]
	State uint64
}

// FindBatch is Find for each of keys, of which there are at most [Batch]. Where keys are
// integers, all searches descend together, level by level: the cache lines that one search
// waits for arrive while the others wait for theirs.
func (t *Tree[K]) FindBatch(keys []K, found *[Batch]Found[K]) {
	if t.kind != words || t.float {
		for i, key := range keys[:min(len(keys), Batch)] {
			found[i].Entry, found[i].State = t.find(t, key)
		}
		return
	}
	var code [Batch]uint64
	var nodes [Batch]*inner[K]
	var leaves [Batch]*leaf[K]
	n := min(len(keys), Batch)
	root := t.root.Load()
	for i, key := range keys[:n] {
		code[i&(Batch-1)], nodes[i&(Batch-1)] = t.code(key), root
	}
	for level := root.level; level > 1; level-- {
		for i := range n {
			in := nodes[i&(Batch-1)]
			nodes[i&(Batch-1)] = in.kids[in.codes.child(code[i&(Batch-1)])&(fanout-1)].Load()
		}
	}
	for i := range n {
		in := nodes[i&(Batch-1)]
		leaves[i&(Batch-1)] = in.leaves[in.codes.child(code[i&(Batch-1)])&(fanout-1)].Load()
	}
	var at [Batch]*Entry[K]
	for i := range n {
		l := leaves[i&(Batch-1)]
		r := rank(&l.keys, code[i&(Batch-1)])
		p := l.now()
		at[i&(Batch-1)] = nil
		if r = min(r, p.n()); r > 0 {
			at[i&(Batch-1)] = l.entries[p.slot(r-1)].Load()
		}
	}
	for i := range n {
		e := at[i&(Batch-1)]
		x := &found[i&(Batch-1)]
		if x.Entry = nil; e == nil {
			continue
		}
		x.State = e.State.Load()
		flags := e.Flags.Load()
		if c := code[i&(Batch-1)]; t.load(&e.Lo)^t.sign <= c && (c < t.load(&e.Hi)^t.sign || flags&Unbounded != 0) {
			x.Entry = e
		}
	}
}
