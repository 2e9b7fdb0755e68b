/*
 * Package rangelock: DrainRange, and the table of what is pending.
 *
 * Each atomic step is what the code does with pending.mu held; CONFORMANCE.md says where.
 *
 * T ranges leave the map one after another. Each may or may not overlap the keys of the calls.
 * A range that leaves is put into a free slot of the table; then its bits are set. After its
 * last guard is released, OnRetire runs for it; ranges may do so in any order. Then its slot is
 * free again for a range that leaves later. NC callers look at the slots one by one, with steps
 * of other processes in between, put a watch on each range that they must wait for, and park.
 *
 * The property: when a call returns without an error, OnRetire has returned for each range
 * over its keys that had left before the call. And every call returns.
 */
#ifndef T
#define T 3
#endif
#ifndef NC
#define NC 2
#endif
#define SLOTS 2
#define FREE 9

byte slot[SLOTS] = FREE;  /* which range is in it */
byte at[T] = FREE;        /* the slot of a range, as in its header */
bit  over[T];             /* it overlaps the keys of the calls */
bit  left[T];             /* its bits are set */
bit  through[T];          /* OnRetire has returned */
bit  watched[SLOTS * NC]; /* slot by caller */
byte count[NC];           /* how many ranges a caller still waits for */
bit  parked[NC], woken[NC];
byte written;             /* ranges that have begun to leave */

inline enter(r) {
	atomic {
		if
		:: slot[0] == FREE -> at[r] = 0
		:: slot[0] != FREE && slot[1] == FREE -> at[r] = 1
		fi;
		slot[at[r]] = r
	}
}

/* leave frees the slot of r, and wakes the callers that waited only for r. */
inline leave(r) {
	atomic {
		slot[at[r]] = FREE;
		for (i : 0 .. NC - 1) {
			if
			:: watched[at[r] * NC + i] ->
				watched[at[r] * NC + i] = 0;
				count[i]--;
				if
#ifdef BROKEN_WAKE_EACH
				:: parked[i] -> woken[i] = 1
#else
				:: parked[i] && count[i] == 0 -> woken[i] = 1
#endif
				:: else
				fi
			:: else
			fi
		}
	}
}

proctype Writer() {
	byte r;
	for (r : 0 .. T - 1) {
		if
		:: over[r] = 1
		:: skip
		fi;
#ifdef BROKEN_LATE
		left[r] = 1;
		enter(r);
#else
		enter(r);
		left[r] = 1;
#endif
		written++
	}
}

/* A goroutine that calls OnRetire, for the ranges of one parity, so that ranges end in any order. */
proctype Reaper(byte parity) {
	byte r, i;
	for (r : 0 .. T - 1) {
		if
		:: r % 2 == parity ->
			left[r] == 1;
			at[r] != FREE;
#ifdef BROKEN_EARLY
			leave(r);
			through[r] = 1
#else
			through[r] = 1;
			leave(r)
#endif
		:: else
		fi
	}
}

proctype Caller(byte me) {
	byte s, r;
	bit before[T];
	bit gaveUp;
	atomic {
		for (r : 0 .. T - 1) { before[r] = left[r] && over[r] };
		r = 0
	};
	for (s : 0 .. SLOTS - 1) {
		atomic {
			if
			:: slot[s] != FREE && over[slot[s]] -> watched[s * NC + me] = 1; count[me]++
			:: else
			fi
		}
	}
#ifdef BROKEN_PARK
	if
	:: count[me] == 0 -> goto done
	:: count[me] > 0 -> parked[me] = 1   /* two steps: the last range may leave in between */
	fi;
#else
	atomic {
		if
		:: count[me] == 0 -> goto done
		:: count[me] > 0 -> parked[me] = 1
		fi
	};
#endif
	if
	:: woken[me]
#ifdef CANCEL
	:: gaveUp = 1
#endif
	fi;
	atomic {
		gaveUp = gaveUp && count[me] > 0;   /* the last range may have left at the last moment */
		for (s : 0 .. SLOTS - 1) { watched[s * NC + me] = 0 };
		parked[me] = 0
	};
done:	skip;
	d_step {
		for (r : 0 .. T - 1) { assert(gaveUp || !before[r] || through[r]) }
	}
}

init {
	byte p;
	atomic {
		run Writer();
		run Reaper(0);
		run Reaper(1);
		for (p : 0 .. NC - 1) { run Caller(p) }
	}
}
