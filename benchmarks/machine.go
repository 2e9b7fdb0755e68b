package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// machine says on several lines what the program runs on.
func (r *report) machine() string {
	caches := r.Caches
	if caches == "" {
		caches = "unknown"
	}
	return fmt.Sprintf("processor   %s, %s/%s\ncores       %d\ncaches      %s\ngo          %s\nGOMAXPROCS  %d\ncommit      %s\ndate        %s\n",
		r.CPU, r.OS, r.Arch, r.Cores, caches, r.Go, r.Procs, r.Commit, r.Date)
}

// cacheSizes returns the caches of the first core, as in "L1d 48K, L2 2048K", if the kernel
// reports them.
func cacheSizes() string {
	return readCaches("/sys/devices/system/cpu/cpu0/cache")
}

func readCaches(dir string) string {
	var all []string
	for i := 0; ; i++ {
		read := func(name string) string {
			text, _ := os.ReadFile(filepath.Join(dir, "index"+strconv.Itoa(i), name))
			return strings.TrimSpace(string(text))
		}
		level, size := read("level"), read("size")
		if level == "" || size == "" {
			return strings.Join(all, ", ")
		}
		kind := map[string]string{"Data": "d", "Instruction": "i"}[read("type")]
		all = append(all, "L"+level+kind+" "+size)
	}
}
