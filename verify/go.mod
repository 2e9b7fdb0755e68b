module github.com/spanlock/spanlock/verify

go 1.25.0

replace github.com/spanlock/spanlock => ../

require (
	github.com/anishathalye/porcupine v1.3.1
	github.com/spanlock/spanlock v0.0.0-00010101000000-000000000000
)

require (
	go.uber.org/atomic v1.12.0 // indirect
	golang.org/x/sync v0.22.0 // indirect
)
