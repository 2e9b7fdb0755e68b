module github.com/spanlock/spanlock

go 1.25.0

require (
	github.com/google/btree v1.1.3
	go.uber.org/atomic v1.12.0
	golang.org/x/sync v0.22.0
)
