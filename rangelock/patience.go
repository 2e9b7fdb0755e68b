//go:build !schedule

package rangelock

// spins is how often the writer checks for readers before it parks. The checks take about as
// long as a reader that is refused needs to take its count back.
const spins = 32

// pollEvery is how many headers enter limbo between two attempts to take some out. An attempt
// reads the slots of the domain, which readers write.
const pollEvery = 24
