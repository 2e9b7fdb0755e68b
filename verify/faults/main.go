// Command faults breaks the module on purpose and requires that a test notices.
//
// Each file NN_name.patch beside this program puts one fault into the product's code:
// one that once shipped in a similar lock, or that a model checker found in a draft of
// this one. It begins with two kinds of lines:
//
//	# what: the retire stamp is read before the unlink is visible
//	# killed by: go test ./rangelock -run '^TestStampAfterUnlink$' -count=1 -timeout 60s
//
// For each patch, faults copies the module to a temporary directory and runs the
// command there, which must pass. Then it applies the patch and runs the command
// again. Now the named test must fail; a failure of the build, of vet or of something
// outside the test does not count. A patch that no longer applies is a failure too,
// and so is a number of -require that has neither a patch nor a line in EXPECTED.
//
// Run it in the directory verify:
//
//	go run ./faults
//	go run ./faults -run grant -v
//	go run ./faults -part 1/3
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
)

// options are the command's flags.
type options struct {
	root     string         // the module's directory; "" searches upwards
	run      *regexp.Regexp // which patches, by file name; nil is all
	part     part           // which of those
	list     bool           // print the patches, run nothing
	parallel int            // how many commands at a time
	tries    int            // how often a command may miss before the fault has survived
	require  string         // numbers that must have a patch or a line in EXPECTED, as in "1-25,29"
	verbose  bool           // also print the output of kills
}

func main() {
	var o options
	flag.StringVar(&o.root, "root", "", "the module's `directory` (default: the nearest one upwards that has verify/faults)")
	run := flag.String("run", "", "run only the patches whose file name matches `regexp`")
	flag.Var(&o.part, "part", "run only one part of these: `k/n` is every nth patch, from the kth on, counted from 0")
	flag.BoolVar(&o.list, "list", false, "list the patches and run nothing")
	flag.IntVar(&o.parallel, "parallel", 2, "how many commands run at a time")
	flag.IntVar(&o.tries, "retries", 3, "how often a fault may be tried before it has survived")
	flag.StringVar(&o.require, "require", "1-51", "`numbers` of the faults that must have a patch or a line in EXPECTED; checked only without -run")
	flag.BoolVar(&o.verbose, "v", false, "print the end of every command's output, not only of failures")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: go run ./faults [flags]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() > 0 {
		usage(fmt.Errorf("unexpected argument %q", flag.Arg(0)))
	}
	if o.parallel < 1 || o.tries < 1 {
		usage(fmt.Errorf("-parallel and -retries must be at least 1"))
	}
	if *run != "" {
		re, err := regexp.Compile(*run)
		if err != nil {
			usage(fmt.Errorf("-run: %v", err))
		}
		o.run = re
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := faults(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

// usage reports a wrong command line and exits.
func usage(err error) {
	fmt.Fprintln(os.Stderr, "faults:", err)
	flag.Usage()
	os.Exit(2)
}

// faults does what the command says and prints the table to w. The error says what
// is wrong; the reasons have been printed.
func faults(ctx context.Context, o options, w io.Writer) error {
	root, err := moduleRoot(o.root)
	if err != nil {
		return err
	}
	patches, err := readPatches(root)
	if err != nil {
		return err
	}
	var incomplete error
	if o.run == nil && o.require != "" {
		incomplete = checkRequired(root, o.require, patches)
	}
	patches = o.part.of(selected(patches, o.run))
	switch {
	case o.list:
		list(w, patches)
	case len(patches) == 0:
		err = errors.New("no patch to run")
	default:
		err = runAll(ctx, o, root, patches, w)
	}
	return errors.Join(err, incomplete)
}

// selected returns the patches whose file name re matches; a nil re matches all.
func selected(patches []*patch, re *regexp.Regexp) []*patch {
	if re == nil {
		return patches
	}
	var out []*patch
	for _, p := range patches {
		if re.MatchString(p.file) {
			out = append(out, p)
		}
	}
	return out
}
