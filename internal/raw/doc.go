// Package raw is the one place of the module that uses unsafe: a few things that the
// language cannot say, each of a few lines.
package raw
