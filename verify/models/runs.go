package main

// A run is one search.
type run struct {
	model   string // the file, without .pml
	variant string
	defines string // macros, separated by spaces
	refuted bool   // a step is broken: the search has to find an error
}

var runs = []run{
	{"semaphore", "calls", "", false},
	{"semaphore", "holder", "HOLDER", false},
	{"semaphore", "08 two_words", "BROKEN_08", true},
	{"semaphore", "09 waiter_bit_lost", "BROKEN_09", true},
	{"semaphore", "10 handoff_lost", "BROKEN_10", true},
	{"semaphore", "12 grant_lost", "BROKEN_12", true},
	{"semaphore", "13 seq_after", "BROKEN_13", true},
	{"semaphore", "30 cancel_no_handoff", "HOLDER BROKEN_30", true},
	{"semaphore", "31 no_recheck", "BROKEN_31", true},
	{"semaphore", "32 refused_readers", "BROKEN_32", true},
	{"semaphore", "undo grants nobody", "BROKEN_UNDO", true},

	{"epoch", "grace", "NOSLEEP", false},
	{"epoch", "sleep", "NADV=1 MAXEPOCH=3", false},
	{"epoch", "sleep, one slot", "NADV=1 MAXEPOCH=3 ONESLOT", false},
	{"epoch", "01 announce_late", "NOSLEEP BROKEN_01", true},
	{"epoch", "02 stamp_early", "NOSLEEP BROKEN_02", true},
	{"epoch", "03 grace_short", "NOSLEEP BROKEN_03", true},
	{"epoch", "06 slot_missed", "NOSLEEP BROKEN_06", true},
	{"epoch", "34 grace_unwoken", "NADV=1 BROKEN_34", true},
	{"epoch", "35 advance_by_store", "NOSLEEP BROKEN_35", true},
	{"epoch", "72 no_second_look", "NADV=1 BROKEN_72", true},
	{"epoch", "no look after the bit", "NADV=1 BROKEN_LOOK", true},
	{"epoch", "pin not settled", "NOSLEEP BROKEN_SETTLE", true},
	{"epoch", "pin changes over", "NOSLEEP BROKEN_SWITCH", true},

	{"ranges", "swap and retire", "TXNS=2 SWAPS RETIRES", false},
	{"ranges", "exclude and remove", "TXNS=2 REMOVES", false},
	{"ranges", "three swaps", "TXNS=3 SWAPS", false},
	{"ranges", "14 slow_path_stale", "TXNS=2 SWAPS BROKEN_14", true},
	{"ranges", "16 wake_lost_undo", "TXNS=2 REMOVES BROKEN_16", true},
	{"ranges", "17 retire_twice", "TXNS=2 SWAPS BROKEN_17", true},
	{"ranges", "18 false_gap", "TXNS=2 SWAPS RETIRES BROKEN_18", true},
	{"ranges", "19 early_visible", "TXNS=2 SWAPS RETIRES BROKEN_19", true},
	{"ranges", "27 detach_before_unlink", "TXNS=2 RETIRES BROKEN_27", true},
	{"ranges", "28 clear_by_store", "TXNS=2 REMOVES BROKEN_28", true},
	{"ranges", "36 miss_on_odd", "TXNS=2 RETIRES BROKEN_36_ODD", true},
	{"ranges", "36 miss_on_changed", "TXNS=2 RETIRES BROKEN_36_CHANGED", true},
	{"ranges", "53 undo_left_out", "TXNS=2 REMOVES BROKEN_53", true},
	{"ranges", "29 stripes_before_bit", "TXNS=1 REMOVES STRIPES TRY BROKEN_29", true},
	{"ranges", "26 finish_no_generation", "TXNS=3 SWAPS STRIPES TRY HOTONLY NOSTOP BROKEN_26", true},
	{"ranges", "stripes, remove", "TXNS=1 REMOVES STRIPES TRY HOTS=1", false},
	{"ranges", "stripes, two swaps", "TXNS=2 SWAPS STRIPES TRY HOTONLY HOTS=1", false},

	{"load", "two retirements", "", false},
	{"load", "insertions", "INSERTS", false},
	{"load", "two writers", "NW=2 TXNS=1", false},
	{"load", "41 outcome_of_another", "BROKEN_41", true},
	{"load", "42 stale_load", "BROKEN_42", true},
	{"load", "42 stale_load_of_nothing", "BROKEN_NOTHING", true},
	{"load", "42 window_not_narrowed", "BROKEN_WINDOW", true},
	{"load", "42 failure_from_before", "BROKEN_BEFORE", true},
	{"load", "42 refused_after_commit", "INSERTS BROKEN_COMMIT", true},
	{"load", "91 landed_before_insert", "BROKEN_91", true},
}

// longer are larger sizes, too slow to be searched each time. All have to be verified.
var longer []run
