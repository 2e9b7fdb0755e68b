package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
)

// A value that is being read is not evicted, and stays in place if its key is deleted.
func Example() {
	ctx := context.Background()
	c, err := newCache(32)
	if err != nil {
		fmt.Println(err)
		return
	}
	set := func(key, value string) {
		ok, err := c.Set(ctx, key, []byte(value))
		fmt.Println("set", key, ok, err)
	}
	set("a", "the first value.")
	set("b", "the second value")
	c.View("a", func(value []byte) {
		set("c", "the third")
		set("d", "no room for this one, ever")
		fmt.Println("delete", c.Delete(ctx, "a"))
		fmt.Printf("a is %q\n", value)
	})
	for _, key := range []string{"a", "b", "c"} {
		found := c.View(key, func(value []byte) { fmt.Printf("%s is %q\n", key, value) })
		fmt.Println(key, found)
	}
	fmt.Println("close", c.Close(ctx))
	// Output:
	// set a true <nil>
	// set b true <nil>
	// set c true <nil>
	// set d false <nil>
	// delete <nil>
	// a is "the first value."
	// a false
	// b false
	// c is "the third"
	// c true
	// close <nil>
}

func TestRun(t *testing.T) {
	for _, args := range []string{"", "-size 5000", "-workers 1", "-size 40"} {
		var out bytes.Buffer
		// The lines of this module are enough.
		all := append(strings.Fields("-dir ../.. -lines 2000 -size 40000 -duration 150ms"), strings.Fields(args)...)
		if err := run(t.Context(), all, &out); err != nil {
			t.Fatalf("%s: %v\n%s", args, err, &out)
		}
		if !strings.Contains(out.String(), "No byte was wrong.") {
			t.Errorf("%s: the report is\n%s", args, &out)
		}
	}
}

func TestErrors(t *testing.T) {
	for args, want := range map[string]string{
		"-duration 0s":          "-duration is 0s",
		"-workers 0":            "-workers is 0",
		"-size 0":               "-size 0",
		"x":                     "unexpected argument",
		"-dir . -lines 1000000": "lines, not 1000000",
		"-dir /no/such":         "cannot read the directory",
	} {
		if err := run(t.Context(), strings.Fields(args), new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want one with %q", args, err, want)
		}
	}
}
