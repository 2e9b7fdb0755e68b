// Package raw is the one place of the module that uses unsafe: five things that the
// language cannot say, each of a few lines.
package raw
