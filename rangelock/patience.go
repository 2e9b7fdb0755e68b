//go:build !schedule

package rangelock

// spins is how often the writer looks before it parks: about the time that a
// reader in passing takes to leave.
const spins = 32

// pollEvery is how many headers come into limbo between two attempts to take
// some out. An attempt scans the slots of the domain, which readers write.
const pollEvery = 24
