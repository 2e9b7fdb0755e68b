// Package epoch tells a writer when every reader that can still see an unlinked
// object has finished.
//
// A reader pins a [Domain], follows pointers, and unpins. A writer unlinks an object,
// so that no new reader finds it. Then it gives the domain a callback that reclaims
// the object ([Domain.Retire]), or waits ([Domain.Synchronize]), or polls
// ([Domain.Cookie]). The time until every reader that was pinned has unpinned is a
// grace period. Readers do not wait for writers, nor for each other.
//
// A program with a garbage collector does not need this for memory safety. It needs
// it where something is reused or torn down at a known time: a mapping to be
// unmapped, a file to be closed, a buffer to go back to its pool while the cache
// still holds it.
//
// # Blocking
//
// Pin, Unpin, Retire, Cookie, Done and Stats never wait for a pin or a callback.
// Unpin takes no lock at all, and neither does Pin after the domain's first use.
//
// Synchronize waits for pins. Barrier waits for callbacks, and therefore for the pins
// before them. RetireContext waits for room if MaxPending is set. These three take a
// context and park while they wait.
//
// A domain has no goroutine while it has nothing to run. It starts one for the first
// callback of a backlog; that goroutine exits when the backlog is empty.
//
// # Lineage
//
// Epoch-based reclamation is from Keir Fraser's thesis (Practical lock-freedom,
// 2004). Grace periods, callbacks and their barrier are those of read-copy-update, by
// Paul McKenney and John Slingwine. Two counters chosen by parity are those of
// Linux's SRCU, which also lets readers sleep. Pins as values, and callbacks instead
// of typed reclamation, are crossbeam-epoch's. This package was made for a memory
// block that may be reused under a reader which then checks that it is still the same
// object, as under Linux's SLAB_TYPESAFE_BY_RCU.
package epoch
