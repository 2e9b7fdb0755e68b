module github.com/spanlock/spanlock/verify

go 1.25.0

replace github.com/spanlock/spanlock => ../
