//go:build race || invariants || schedule || spanlockdebug

package epoch_test

// checking says whether this build is slow on purpose.
const checking = true
