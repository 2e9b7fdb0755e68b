package main

import "slices"

// rewriteBbolt changes the package in dir so that its transactions hold a guard on the mapping
// that they began with, instead of the lock of all mappings:
//
//   - the fields of DB that describe a mapping become a type of their own, which DB embeds. The
//     embedded one is the writer's, so that the writer's code reads as before;
//   - a read transaction acquires the current mapping when it begins, finds its pages and its
//     meta page there, and releases it when it ends;
//   - a writer that grows maps the file again, swaps the mapping, and does not wait. Stock
//     unmaps first, so if mapping fails it has no mapping; here it keeps the old one;
//   - Close waits for the readers of all mappings, as before.
//
// The added file mapping.go has the rest. This works on systems that compile bolt_unix.go.
func rewriteBbolt(dir string) error {
	p, err := parse(dir)
	if err != nil {
		return err
	}
	const lock = "mmaplock"
	all := make([]string, 0, len(p.files))
	for name := range p.files {
		all = append(all, name)
	}
	slices.Sort(all)

	// These uses must be exactly the known ones, because the changes rely on them.
	p.uses("the lock", all, named(lock), "db.go", "DB.mmap", "DB.Close", "DB.beginTx", "DB.removeTx")
	unix := []string{"bolt_unix.go", "boltsync_unix.go", "bolt_linux.go", "bolt_openbsd.go", "mlock_unix.go"}
	core := []string{"bucket.go", "compact.go", "cursor.go", "db.go", "node.go", "tx.go", "tx_check.go"}
	p.uses("a field of the mapping", slices.Concat(core, unix), selects("dataref", "data", "datasz", "meta0", "meta1"),
		// Run by the writer, or by Open.
		"DB.mmap", "DB.munmap", "DB.invalidate", "DB.beginRWTx", "DB.allocate", "DB.grow", "Tx.rollback",
		"DB.mlock", "DB.munlock", "mmap", "munmap", "mlock", "munlock", "msync", "fdatasync",
		// Rewritten.
		"DB.beginTx", "DB.page", "DB.meta",
		// Takes no lock, before and after: its caller has to ensure that this is safe.
		"DB.Info")
	p.uses("a page by its number", core, calls("page"),
		// Run by the writer, or by Open, or in a read-only database, which never grows.
		"DB.mmap", "DB.loadFreelist", "Tx.Commit", "Tx.rollback",
		// Rewritten, or called by a rewritten function.
		"Tx.page", "Tx.Page", "Tx.check", "Tx.forEachPageInternal", "Tx.recursivelyCheckBucketInPage",
		"Tx.recursivelyCheckPageKeyOrderInternal", "Bucket.node", "Bucket.pageNode", "node.free", "node.spill")
	p.uses("the current meta page", core, calls("meta"),
		"DB.loadFreelist", "DB.hasSyncedFreelist", "DB.freepages", "Tx.rollback", "Tx.init")

	p.fields("db.go", "DB", []string{"dataref", "data", "datasz", "meta0", "meta1", lock}, "mapping\nreaders mappings")
	p.fields("tx.go", "Tx", nil, "mapped *mapping\nguard rangelock.Guard[uint64, *mapping]")

	p.function("db.go", "Open").
		before("flag := os.O_RDWR", "db.readers.open(lg)")
	p.function("db.go", "DB.mmap").
		replace(1, "db.mmaplock.Lock()", "").
		replace(1, "defer db.mmaplock.Unlock()", "").
		replace(1, "if err = db.munmap(); err != nil {}", "old := db.mapping").
		expression(1, "db.munmap()", "db.withdraw(old)").
		before("db.meta0 = db.page(0).Meta()", "db.mapping.pageSize = db.pageSize").
		replace(1, "return nil", "return db.publish()")
	p.function("db.go", "DB.munmap").
		expression(1, "munmap(db)", "db.readers.close()")
	p.function("bolt_unix.go", "munmap").argument("*DB", "*mapping")
	p.function("db.go", "DB.page").argument("*DB", "*mapping")
	p.function("db.go", "DB.meta").argument("*DB", "*mapping")

	// A reader takes the guard and reads the meta page under metalock. A writer swaps the mapping
	// before it writes its meta page, under metalock too. So no reader has a meta page that
	// refers to pages beyond the end of its mapping.
	p.function("db.go", "DB.beginTx").
		replace(1, "db.mmaplock.RLock()", "").
		replace(2, "db.mmaplock.RUnlock()", "").
		before("if db.data == nil {}", "guard, ok := db.readers.Acquire(0)").
		expression(1, "db.data == nil", "!ok").
		expression(1, "&Tx{}", "&Tx{guard: guard, mapped: guard.Value()}")
	p.function("db.go", "DB.removeTx").
		replace(1, "db.mmaplock.RUnlock()", "tx.guard.Release()")
	p.function("db.go", "DB.beginRWTx").
		expression(1, "&Tx{writable: true}", "&Tx{writable: true, mapped: &db.mapping}")
	p.function("db.go", "DB.Close").
		replace(1, "db.mmaplock.Lock()", "_ = db.readers.close()"). // close returns the error
		replace(1, "defer db.mmaplock.Unlock()", "")
	p.function("tx.go", "Tx.init").
		expression(1, "db.meta()", "tx.mapped.meta()")
	p.function("tx.go", "Tx.page").
		expression(1, "tx.db.page(id)", "tx.mapped.page(id)")
	p.function("tx.go", "Tx.Page").
		expression(1, "tx.db.page(common.Pgid(id))", "tx.mapped.page(common.Pgid(id))")
	p.function("tx.go", "Tx.close").
		before("tx.meta = nil", "tx.mapped = nil")
	p.imports("tx.go", "github.com/spanlock/spanlock/rangelock")

	p.uses("the lock", all, named(lock))
	return p.write("db.go", "tx.go", "bolt_unix.go")
}
