package rangelock

import "context"

// Insert is a transaction with one [Writer.Insert] in it: as [Map.LockContext] it
// waits for its turn as a writer, which ctx ends, fails at once when ctx is done at
// the call, and returns [ErrClosed] on a closed map.
func (m *Map[K, V]) Insert(ctx context.Context, r Range[K], v V) error {
	w, err := m.LockContext(ctx)
	if err != nil {
		return err
	}
	defer w.Unlock() // compare may panic
	return w.Insert(r, v)
}

// Remove is a transaction with one [Writer.Remove] in it. It waits for its turn as a
// writer, and then, keeping other writers out, for the guards on the ranges; ctx
// ends both waits. It fails at once when ctx is done at the call, and returns
// [ErrClosed] on a closed map.
func (m *Map[K, V]) Remove(ctx context.Context, r Range[K]) (int, error) {
	w, err := m.LockContext(ctx)
	if err != nil {
		return 0, err
	}
	defer w.Unlock()
	return w.Remove(r)
}

// Retire is a transaction with one [Writer.Retire] in it. It waits for its turn as a
// writer, which ctx ends, and for no reader. It fails at once when ctx is done at
// the call, and returns [ErrClosed] on a closed map.
func (m *Map[K, V]) Retire(ctx context.Context, r Range[K]) (int, error) {
	w, err := m.LockContext(ctx)
	if err != nil {
		return 0, err
	}
	defer w.Unlock()
	return w.Retire(r)
}

// Swap is a transaction with one [Writer.Swap] in it. It waits for its turn as a
// writer, which ctx ends, and for no reader. It fails at once when ctx is done at
// the call, and returns [ErrClosed] on a closed map.
func (m *Map[K, V]) Swap(ctx context.Context, r Range[K], v V) error {
	w, err := m.LockContext(ctx)
	if err != nil {
		return err
	}
	defer w.Unlock()
	return w.Swap(r, v)
}
