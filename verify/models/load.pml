/*
 * Package rangelock: AcquireOrLoad, and what is invalidated while a load runs.
 *
 * Each step is what the code does at once: under the semaphore, under loads.mu, or by
 * itself. CONFORMANCE.md says which line is which step.
 *
 * The keys are 0 and 1, two cells of one gap; the source has a version of each. A load for
 * one key reads one cell or both, in either order, and inserts one range, or fails because
 * of either cell. Writers change a cell, or both with -DBOTH, and then retire it; with
 * -DINSERTS they may also insert a range. Each of NC callers asks once for its key: caller 0
 * for either, the others for 0.
 *
 * The property is this rule: a caller that begins after a Retire has returned gets nothing
 * that was read before the Retire, neither a value nor a failure. Also, no caller gets the
 * failure of another key's load, no two loads run at once, and no caller is left waiting.
 */
#ifndef NC
#define NC 2
#endif
#ifndef NW
#define NW 1
#endif
#ifndef TXNS
#define TXNS 2
#endif

#define has(s, k) ((s) & (1 << (k)))
#define NONE 4

byte source[2];        /* versions */
byte settled[2];       /* versions up to this one are invalidated: set when Retire has returned */
byte cuts[2];          /* how often a cell was retired, in the transaction */
byte cutsDone[2];      /* the same, when Retire has returned */

bit  writer;           /* Map.sem; joining and its look are one step with it for reading */

byte attached[2];      /* the version plus one; 0 is a gap */
bit  wide;             /* both cells are one range */

/* The call in the list. A gap holds one at most. */
byte key = NONE;
byte waiters;          /* a set of callers */
byte own, late;        /* sets of them */
bit  stale, narrow;    /* narrow: the window ends between the cells */
bit  staleNext, narrowNext; /* planned */
bit  start;            /* its goroutine may begin */

byte running;          /* loads between their start and their completion; for the property */

/* What the callers are told. */
mtype = { nothing, again, guard, failed, overlap };
mtype told[NC] = nothing;
byte toldAt[2 * NC];   /* the versions read of both cells, or the cuts seen; 255 is unread */
byte toldKey[NC];      /* the caller's key */
byte toldOf[NC];       /* the load's */

#define UNREAD 255

/* A transaction that makes one Retire of the cells in s. */
inline retire() {
	/* The source first. */
	atomic {
		source[0] = source[0] + (has(s, 0) -> 1 : 0);
		source[1] = source[1] + (has(s, 1) -> 1 : 0);
		now[0] = source[0]; now[1] = source[1]
	};
	/* planStale. A range that would be cut is removed whole. */
	atomic {
		writer == 0 ->
		writer = 1;
		t = (wide -> 3 : s);
		if
		:: key != NONE ->
			staleNext = stale || has(t, key);
			narrowNext = narrow || (has(t, 1 - key) -> 1 : 0)
		:: else
		fi
	};
	if
	:: writer = 0 /* It fails: ErrBacklog, or a context that ends its wait. */
	:: /* It has waited for guards, or not, and applies. */
		atomic {
			skip;
			if
#if defined(BROKEN_42)
			:: 0
#elif defined(BROKEN_NOTHING)
			:: key != NONE && (has(t, 0) && attached[0] || has(t, 1) && attached[1]) ->
				stale = staleNext; narrow = narrowNext
#elif defined(BROKEN_WINDOW)
			:: key != NONE -> stale = staleNext
#else
			:: key != NONE -> stale = staleNext; narrow = narrowNext
#endif
			:: else
			fi;
			/* The transaction's end is a step of its own below. */
			if
			:: has(t, 0) -> attached[0] = 0; cuts[0]++
			:: else
			fi;
			if
			:: has(t, 1) -> attached[1] = 0; cuts[1]++
			:: else
			fi;
			wide = (t == 3 -> 0 : wide)
		};
		/* Retire has returned: the caller does nothing between that and the unlock. */
		atomic {
			writer = 0;
			if
			:: has(s, 0) && settled[0] < now[0] -> settled[0] = now[0]
			:: else
			fi;
			if
			:: has(s, 1) && settled[1] < now[1] -> settled[1] = now[1]
			:: else
			fi;
			cutsDone[0] = cuts[0]; cutsDone[1] = cuts[1]
		}
	fi
}

proctype Writer() {
	byte now[2];
	byte n, s, t;
	do
	:: n == TXNS -> break
	:: n < TXNS ->
		n++;
		if
		:: s = 1
		:: s = 2
#ifdef BOTH
		:: s = 3
#endif
#ifdef INSERTS
		:: atomic { writer == 0 && !attached[0] -> attached[0] = source[0] + 1 }; goto next
		:: atomic { writer == 0 && !attached[1] -> attached[1] = source[1] + 1 }; goto next
#endif
		fi;
		retire();
next:		atomic { now[0] = 0; now[1] = 0; s = 0; t = 0 }
	od
}

/* The goroutines of calls: while one tells its callers, the next may already have begun. */
inline take() { mine = waiters; ownOf = own; lateOf = late; wasStale = stale; key = NONE; waiters = 0; own = 0; late = 0; stale = 0; narrow = 0; staleNext = 0; narrowNext = 0 }

proctype Call() {
	byte k, mine, ownOf, lateOf, i;
	byte v[2];
	bit wasStale, both, completed;
	mtype why;
end_idle:
	do
	:: atomic { start -> start = 0; k = key; v[0] = UNREAD; v[1] = UNREAD };
		/* load */
		if
		:: v[k] = source[k]
		:: v[k] = source[k]; v[1 - k] = source[1 - k]; both = 1
		:: v[1 - k] = source[1 - k]; v[k] = source[k]; both = 1
		fi;
		if
		:: /* It fails, or panics. The call completes without a transaction. */
			atomic { take(); completed = 1; running--; why = failed }
		:: /* bring */
#ifdef BROKEN_91
			atomic { take(); completed = 1 };
#endif
			atomic { writer == 0 -> writer = 1 };
			atomic {
				if
				:: completed -> skip
				:: !completed && (stale || both && narrow) -> why = again; stale = 1
				:: else -> skip
				fi;
				if
				:: why == again
				:: else ->
					if
					:: attached[k] -> why = again        /* covered: the callers look again */
					:: !attached[k] && both && attached[1 - k] -> why = overlap
					:: else ->
						/* Insert; each caller in the range gets its guard. */
						attached[k] = v[k] + 1;
						if
						:: both -> attached[1 - k] = v[1 - k] + 1; wide = 1
						:: else
						fi;
						why = guard
					fi;
					if
					:: why == overlap -> v[0] = cuts[0]; v[1] = cuts[1]
					:: else
					fi
				fi;
#ifdef BROKEN_COMMIT
				if
				:: !completed && why != overlap -> take(); completed = 1; running--
				:: completed -> running--
				:: else
				fi
			};
			writer = 0;
			atomic {
				if
				:: !completed -> take(); completed = 1; running--
				:: else
				fi
			}
#else
				if
				:: !completed -> take(); completed = 1
				:: else
				fi;
				running--
			};
			writer = 0
#endif
		fi;
		/* tell */
		atomic {
			i = 0;
			do
			:: i == NC -> break
			:: else ->
				if
				:: !has(mine, i)
				:: else ->
					toldOf[i] = k; toldAt[2 * i] = v[0]; toldAt[2 * i + 1] = v[1];
					if
					:: why == guard ->
						if
						:: toldKey[i] == k || both -> told[i] = guard
						:: else -> told[i] = again
						fi
					:: wasStale && why != guard -> told[i] = again
#ifdef BROKEN_41
					:: !wasStale && (why == failed && has(lateOf, i)) -> told[i] = again
#else
					:: !wasStale && why != guard && (!has(ownOf, i) || why == failed && has(lateOf, i)) -> told[i] = again
#endif
					:: else -> told[i] = why
					fi
				fi;
				i++
			od;
			i = 0; k = 0; mine = 0; ownOf = 0; lateOf = 0; wasStale = 0; both = 0; completed = 0; why = nothing; v[0] = 0; v[1] = 0
		}
	od
}

proctype Caller(byte me) {
	byte k;
	byte least[2], seen[2];
	if
	:: me == 0 -> k = 1
	:: k = 0
	fi;
	toldKey[me] = k;
look:
	/* The caller comes, or looks again: join, or a hit. What it must see at least grows
	   stricter with time, so the latest requirement is taken. */
	atomic {
		writer == 0 ->
		least[0] = settled[0]; least[1] = settled[1];
		seen[0] = cutsDone[0]; seen[1] = cutsDone[1];
		if
		:: attached[k] -> assert(attached[k] > least[k]); goto done
		:: else ->
			if
			:: key == NONE ->
				assert(running == 0);
				running++;
				key = k; start = 1; own = own | (1 << me)
			:: else ->
				if
				:: key == k -> own = own | (1 << me)
				:: else
				fi;
#ifndef BROKEN_BEFORE
				if
				:: narrow -> late = late | (1 << me)
				:: else
				fi
#endif
			fi;
			waiters = waiters | (1 << me)
		fi
	};
	atomic {
		told[me] != nothing ->
		if
		:: told[me] == again -> told[me] = nothing; toldOf[me] = 0; toldAt[2 * me] = 0; toldAt[2 * me + 1] = 0; goto look
		:: told[me] == guard ->
			assert(toldAt[2 * me + k] != UNREAD && toldAt[2 * me + k] >= least[k])
		:: told[me] == failed ->
			assert(toldOf[me] == k);
			assert(toldAt[2 * me] >= least[0]);
			assert(toldAt[2 * me + 1] >= least[1])
		:: told[me] == overlap ->
			assert(toldOf[me] == k);
			assert(toldAt[2 * me + 1 - k] >= seen[1 - k])
		fi
	};
done:	atomic {
		told[me] = nothing; toldOf[me] = 0; toldAt[2 * me] = 0; toldAt[2 * me + 1] = 0;
		least[0] = 0; least[1] = 0; seen[0] = 0; seen[1] = 0
	}
}

init {
	byte p;
	atomic {
		run Call();
		run Call();
		for (p : 1 .. NW) { run Writer() }
		for (p : 0 .. NC - 1) { run Caller(p) }
	}
}
