/*
 * P5: new readers that keep coming do not delay a writer forever.
 *
 * NR readers call TryAcquire and Release in a loop, on one range that a writer has excluded;
 * each has a slot of its own, or with -DCOUNTED they count in the word. The writer scans,
 * parks, and scans again when it is woken. This is liveness: under weak fairness the writer
 * does not pass the label accept_waits infinitely often, so each of its waits has an end.
 *
 * The property depends on the look of A3: a reader that sees the word excluded does not
 * announce. Left out: everything else.
 */
#ifndef NR
#define NR 2
#endif

bit  excluded, waiter, woken, slot[2];
byte count;

proctype Reader(byte me) {
	bit last;
	do
	:: true;
#ifndef BROKEN_NO_LOOK
		if
		:: atomic { excluded -> goto next }     /* A3: busy */
		:: atomic { !excluded -> skip }
		fi;
#endif
		/* A3 and A4; then A5 or R, which are the same here. */
#ifdef COUNTED
		atomic { count++ };
		atomic { count--; last = (excluded && count == 0) };
#else
		slot[me] = 1;
		skip;                                   /* A4 */
		slot[me] = 0;
		last = excluded;
#endif
		if
		:: last -> d_step { if :: waiter -> woken = 1 :: else fi }
		:: else
		fi;
next:		last = 0
	od
}

proctype Writer() {
	bit inUse;
	excluded = 1;
	waiter = 1;
	do
	:: inUse = (count > 0);
		if
		:: !inUse -> inUse = slot[0]
		:: else
		fi;
		if
		:: !inUse -> inUse = slot[1]
		:: else
		fi;
		if
		:: !inUse -> break
		:: else
		fi;
accept_waits:	atomic { woken -> woken = 0 }
	od;
	waiter = 0
}

init {
	byte p;
	atomic {
		for (p : 0 .. NR - 1) { run Reader(p) }
		run Writer()
	}
}
