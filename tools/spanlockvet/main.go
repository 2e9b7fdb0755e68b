// Spanlockvet reports misuse of guards of package rangelock: guards that are not
// released, or used after that, calls that may wait for their own caller, and values
// that are used next to OnRetire without a guard. Run it by
//
//	go vet -vettool=$(which spanlockvet) ./...
//
// The documentation of package checks says what each check reports and what it does not see.
package main

import (
	"golang.org/x/tools/go/analysis/unitchecker"

	"github.com/spanlock/spanlock/tools/spanlockvet/checks"
)

func main() { unitchecker.Main(checks.All()...) }
