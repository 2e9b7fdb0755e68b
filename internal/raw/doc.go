// Package raw is the one place of the module that uses unsafe. It has a few things that the
// language cannot express, each in a few lines.
package raw
