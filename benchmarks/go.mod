module github.com/spanlock/spanlock/benchmarks

go 1.25.0

replace github.com/spanlock/spanlock => ../

require (
	github.com/google/btree v1.1.3
	github.com/puzpuzpuz/xsync/v4 v4.5.0
	github.com/spanlock/spanlock v0.0.0-00010101000000-000000000000
	github.com/tidwall/btree v1.8.2
)

require (
	go.uber.org/atomic v1.12.0 // indirect
	golang.org/x/sync v0.22.0 // indirect
)
