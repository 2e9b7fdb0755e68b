package schedule

// ExploreAll is Explore that goes on after failures. It calls each with the failure of each
// execution, or with "".
func ExploreAll(program func(*Program), o Options, each func(failure string)) *Report {
	e := newExplorer(program, o)
	e.each = each
	return e.all()
}
