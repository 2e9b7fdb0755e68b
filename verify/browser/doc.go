// Package browser holds tests that look at package inspect's page with a real browser, a
// Chromium without a window. They are skipped where none is installed, unless the
// environment variable BROWSER is "required", as it is in the step browser of .ci/run.
// With SHOTS=directory they leave their screenshots there.
package browser
