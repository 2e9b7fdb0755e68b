package rangelock

import "context"

// Do runs f in a transaction, and ends it when f returns or panics. It waits for its turn as
// [Map.LockContext] does: if ctx ends first its error is a [WaitError], and on a closed map
// [ErrClosed]; then f is not called. Otherwise its error is that of f. There is no rollback:
// what f has done before it failed stands. f must not end the transaction itself.
func (m *Map[K, V]) Do(ctx context.Context, f func(w Writer[K, V]) error) error {
	w, err := m.lockFor(ctx, "Do", Range[K]{})
	if err != nil {
		return err
	}
	defer w.Unlock()
	return f(w)
}

// Insert is a transaction with one [Writer.Insert] in it: as [Map.LockContext] it
// waits for its turn as a writer, which ctx ends, fails at once when ctx is done at
// the call, with a [WaitError], and returns [ErrClosed] on a closed map. Its other errors
// are those of [Writer.Insert].
func (m *Map[K, V]) Insert(ctx context.Context, r Range[K], v V) error {
	w, err := m.lockFor(ctx, "Insert", r)
	if err != nil {
		return err
	}
	defer w.Unlock() // compare may panic
	return w.Insert(r, v)
}

// Remove is a transaction with one [Writer.Remove] in it. It waits for its turn as a
// writer, and then, keeping other writers out, for the guards on the ranges; where
// Options.WaitForRoom says so it waits for room before that, holding nothing. ctx ends
// each of these waits, with a [WaitError]. It fails at once when ctx is done at the call,
// and returns [ErrClosed] on a closed map. Its other errors are those of [Writer.Remove].
func (m *Map[K, V]) Remove(ctx context.Context, r Range[K]) (int, error) {
	return m.takeOut(ctx, "Remove", r, true)
}

// Retire is a transaction with one [Writer.Retire] in it. It waits for its turn as a
// writer, and where Options.WaitForRoom says so for room before that, holding nothing;
// ctx ends both waits, with a [WaitError]. It waits for no reader. It fails at once when
// ctx is done at the call, and returns [ErrClosed] on a closed map. Its other errors are
// those of [Writer.Retire].
func (m *Map[K, V]) Retire(ctx context.Context, r Range[K]) (int, error) {
	return m.takeOut(ctx, "Retire", r, false)
}

// takeOut is Remove or Retire; wait says whether to wait for guards.
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

// Swap is a transaction with one [Writer.Swap] in it. It waits for its turn as a
// writer, and where Options.WaitForRoom says so for room before that, holding nothing;
// ctx ends both waits, with a [WaitError]. It waits for no reader. It fails at once when
// ctx is done at the call, and returns [ErrClosed] on a closed map. Its other errors are
// those of [Writer.Swap].
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
