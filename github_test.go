package spanlock_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestWorkflows checks that the workflows of GitHub call steps that .ci/run has, that the
// workflow for each change calls all of them, and that the programs that the workflows run exist.
func TestWorkflows(t *testing.T) {
	script, err := os.ReadFile(".ci/run")
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	for _, m := range regexp.MustCompile(`(?m)^step_(\w+)\(\)`).FindAllStringSubmatch(string(script), -1) {
		steps = append(steps, m[1])
	}
	if len(steps) < 20 {
		t.Fatalf("found %d steps in .ci/run: %v", len(steps), steps)
	}
	files, err := filepath.Glob(".github/workflows/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		called := calledSteps(string(text))
		for _, s := range called {
			if !slices.Contains(steps, s) {
				t.Errorf("%s calls .ci/run %s, which is not a step", file, s)
			}
		}
		for _, s := range steps {
			if filepath.Base(file) == "ci.yml" && !slices.Contains(called, s) {
				t.Errorf("%s leaves out the step %s", file, s)
			}
		}
		for _, dir := range calledDirs(string(text)) {
			if found, err := filepath.Glob(filepath.Join(dir, "*.go")); len(found) == 0 {
				t.Errorf("%s runs %s, where no Go file is: %v", file, dir, err)
			}
		}
	}
}

// calledSteps returns the arguments of all calls of .ci/run in a workflow.
func calledSteps(workflow string) (steps []string) {
	for _, m := range regexp.MustCompile(`(?m)^[^#\n]*\.ci/run ([\w ]+)$`).FindAllStringSubmatch(workflow, -1) {
		steps = append(steps, strings.Fields(m[1])...)
	}
	return steps
}

// calledDirs returns the directories of the programs that a workflow runs with go run.
func calledDirs(workflow string) (dirs []string) {
	for _, m := range regexp.MustCompile(`go (?:-C (\w+) )?run (?:-tags \w+ )?(\./[\w/]+)`).FindAllStringSubmatch(workflow, -1) {
		dirs = append(dirs, filepath.Join(m[1], m[2]))
	}
	return dirs
}
