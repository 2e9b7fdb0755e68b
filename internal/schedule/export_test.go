package schedule

// ExploreAll is Explore that goes on after failures; each is told how each execution
// ended, "" for well.
func ExploreAll(program func(*Program), o Options, each func(failure string)) *Report {
	e := newExplorer(program, o)
	e.each = each
	return e.all()
}
