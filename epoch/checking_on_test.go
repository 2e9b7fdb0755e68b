//go:build race || invariants || schedule || spanlockdebug

package epoch_test

// checking says that this build makes everything slow.
const checking = true
