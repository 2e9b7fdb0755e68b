package main

import (
	"fmt"
	"sync"

	"github.com/puzpuzpuz/xsync/v4"
	"github.com/spanlock/spanlock/benchmarks/internal/stat"
	"github.com/spanlock/spanlock/rwsem"
)

// semaphore is row 9. every says that one operation in so many is a write; 0 means none.
func semaphore(b *bench) {
	var all []float64
	for _, every := range []int{0, 1, 10, 100} {
		for _, g := range []int{1, 2} {
			s := b.about("lock pair", "g", g, "writes", share(every))
			o := b.duel(g,
				locking("ours", new(rwsem.Sem), every),
				locking("rwmutex", new(sync.RWMutex), every),
				biased(xsync.NewRBMutex(), every))
			s.compare(o, map[string]*bound{"rwmutex": atMost(1.05)})
			all = append(all, stat.Summarize(o.ratios("ours", "rwmutex")).Median)
		}
	}
	b.about("lock pair, the medians of all of these").add("ours/rwmutex", "×", all, atMost(1))
}

// share says in words how many writes there are if one operation in every is one.
func share(every int) string {
	switch every {
	case 0:
		return "none"
	case 1:
		return "all"
	default:
		return fmt.Sprintf("1 in %d", every)
	}
}

// rwLock is what rwsem.Sem and sync.RWMutex have in common.
type rwLock interface {
	Lock()
	Unlock()
	RLock()
	RUnlock()
}

func locking(name string, l rwLock, every int) contender {
	return contender{name: name, run: func(worker, _, n int) {
		for i := range n {
			if every > 0 && (i+worker)%every == 0 {
				l.Lock()
				l.Unlock()
			} else {
				l.RLock()
				l.RUnlock()
			}
		}
	}}
}

func biased(l *xsync.RBMutex, every int) contender {
	return contender{name: "rbmutex", run: func(worker, _, n int) {
		for i := range n {
			if every > 0 && (i+worker)%every == 0 {
				l.Lock()
				l.Unlock()
			} else {
				l.RUnlock(l.RLock())
			}
		}
	}}
}
