package rangelock

import "context"

// This file has the one-operation forms: methods of Map that run a transaction around one
// operation of a Writer. It owns no state.

// Do runs f in a transaction, and ends the transaction when f returns or panics. It waits for
// its turn as a writer, as [Map.LockContext] does. If ctx ends first Do returns a [WaitError], and
// on a closed map it returns [ErrClosed]; in both cases it does not call f. Otherwise it returns
// the error of f. There is no rollback: what f has changed before it failed stays changed. f must
// not end the transaction itself.
func (m *Map[K, V]) Do(ctx context.Context, f func(w Writer[K, V]) error) error {
	w, err := m.lockFor(ctx, "Do", Range[K]{})
	if err != nil {
		return err
	}
	defer w.Unlock()
	return f(w)
}

// Insert is a transaction of one [Writer.Insert]. It waits for its turn as a writer. If ctx ends
// before that, or has ended before the call, Insert returns a [WaitError]. On a closed map it
// returns [ErrClosed]. Its other errors are those of [Writer.Insert].
func (m *Map[K, V]) Insert(ctx context.Context, r Range[K], v V) error {
	w, err := m.lockFor(ctx, "Insert", r)
	if err != nil {
		return err
	}
	defer w.Unlock() // compare may panic
	return w.Insert(r, v)
}

// Remove is a transaction of one [Writer.Remove]. It waits for its turn as a writer, and then for
// the guards on the ranges; other writers are kept out meanwhile. If there is no room, and
// Options.WaitForRoom is set, it waits for room before that, and holds no lock meanwhile. If ctx
// ends during one of these waits, or has ended before the call, Remove returns a [WaitError]. On
// a closed map it returns [ErrClosed]. Its other errors are those of [Writer.Remove].
func (m *Map[K, V]) Remove(ctx context.Context, r Range[K]) (int, error) {
	return m.takeOut(ctx, "Remove", r, true)
}

// Retire is a transaction of one [Writer.Retire]. It waits for its turn as a writer, and never for
// a reader. If there is no room, and Options.WaitForRoom is set, it waits for room before that,
// and holds no lock meanwhile. If ctx ends during one of these waits, or has ended before the
// call, Retire returns a [WaitError]. On a closed map it returns [ErrClosed]. Its other errors
// are those of [Writer.Retire].
func (m *Map[K, V]) Retire(ctx context.Context, r Range[K]) (int, error) {
	return m.takeOut(ctx, "Retire", r, false)
}

// takeOut is Remove or Retire. wait says whether it waits for guards.
func (m *Map[K, V]) takeOut(ctx context.Context, method string, r Range[K], wait bool) (n int, err error) {
	for again := true; again; {
		n, err = m.takeOutOnce(ctx, method, r, wait)
		again, err = m.retry(ctx, subject[K]{op: method, r: r}, err)
	}
	return n, err
}

func (m *Map[K, V]) takeOutOnce(ctx context.Context, method string, r Range[K], wait bool) (int, error) {
	w, err := m.lockFor(ctx, method, r)
	if err != nil {
		return 0, err
	}
	defer w.Unlock()
	return w.remove(method, r, wait)
}

// Swap is a transaction of one [Writer.Swap]. It waits for its turn as a writer, and never for a
// reader. If there is no room, and Options.WaitForRoom is set, it waits for room before that, and
// holds no lock meanwhile. If ctx ends during one of these waits, or has ended before the call,
// Swap returns a [WaitError]. On a closed map it returns [ErrClosed]. Its other errors are those
// of [Writer.Swap].
func (m *Map[K, V]) Swap(ctx context.Context, r Range[K], v V) (err error) {
	for again := true; again; {
		err = m.swapOnce(ctx, r, v)
		again, err = m.retry(ctx, subject[K]{op: "Swap", r: r}, err)
	}
	return err
}

func (m *Map[K, V]) swapOnce(ctx context.Context, r Range[K], v V) error {
	w, err := m.lockFor(ctx, "Swap", r)
	if err != nil {
		return err
	}
	defer w.Unlock()
	return w.Swap(r, v)
}
