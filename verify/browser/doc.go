// Package browser holds tests of package inspect's page with a real browser, a Chromium
// without a window. The tests are skipped if none is installed, unless the environment
// variable BROWSER is "required", as in the step browser of .ci/run. With SHOTS=directory
// they save their screenshots there.
package browser
