module github.com/spanlock/spanlock/verify/adopt

go 1.25.0

require golang.org/x/tools v0.42.0
