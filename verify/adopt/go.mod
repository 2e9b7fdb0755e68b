module github.com/spanlock/spanlock/verify/adopt

go 1.26.0

require golang.org/x/tools v0.51.0
