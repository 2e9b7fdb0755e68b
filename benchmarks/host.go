package main

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// newReport returns a report without cells about this program on this machine. It asks git
// for the commit unless that is given.
func newReport(commit string, sc scale) *report {
	if commit == "" {
		commit = gitCommit()
	}
	return &report{
		Commit:  commit,
		Go:      runtime.Version(),
		OS:      runtime.GOOS,
		Arch:    runtime.GOARCH,
		CPU:     cpuModel(),
		Caches:  cacheSizes(),
		Cores:   runtime.NumCPU(),
		Procs:   runtime.GOMAXPROCS(0),
		Command: strings.Join(append([]string{"go run ."}, os.Args[1:]...), " "),
		Date:    time.Now().UTC().Format(time.RFC3339),
		Mode:    sc.name,
	}
}

// gitCommit returns the short name of the commit that is checked out, with a mark if
// something has been changed since.
func gitCommit() string {
	out, err := exec.Command("git", "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	commit := strings.TrimSpace(string(out))
	if changed, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no").Output(); err != nil || len(changed) > 0 {
		commit += "+"
	}
	return commit
}

// cpuModel returns the kernel's name of the processor, if that can be read from a file.
func cpuModel() string {
	all, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(all)) {
			name, value, ok := strings.Cut(line, ":")
			if ok && strings.TrimSpace(name) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return runtime.GOARCH + " processor"
}
