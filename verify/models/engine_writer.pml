/*
 * The writers of engine.pml, which includes this file.
 */

/* For the properties: whether key q has a range changes. */
inline change(q, there) {
	present[q] = there;
	since[q] = now;
	if
	:: !there ->
		for (x : 0 .. NR - 1) { gap = gap | (asked[x] == q + 1 -> 1 << x : 0) }
		x = 0
	:: else
	fi
}

/* Excludes o and waits for its guards. */
inline exclude() {
	got = 1;
	if
	:: flags[o] & EXCL                      /* by this transaction */
	:: else ->
#ifdef BROKEN_SCAN_FIRST
		occupied(o, g, 1);
		flags[o] = flags[o] | EXCL;
#else
		orExcluded();
		occupied(o, g, ann);
#endif
		if
		:: !inUse
		:: inUse ->
			waiter = 1;
			do
#ifdef BROKEN_NO_SECOND_SCAN
			:: atomic { woken -> woken = 0 };
				occupied(o, g, ann);
				if
				:: !inUse -> break
				:: inUse
				fi
#else
			:: occupied(o, g, ann);
				if
				:: !inUse -> break
				:: inUse ->
					if
					:: atomic { woken -> woken = 0 }
#ifdef CANCEL
					:: atomic { !woken -> got = 0 }; break
#endif
					fi
				fi
#endif
			od;
			atomic { waiter = 0; woken = 0 }
		fi;
		inUse = 0;
		if
		:: got -> atomic { assert(guards[o] == 0); owned[o] = 1 }
		:: else ->
#ifdef BROKEN_UNDO_BY_STORE
			atomic { flags[o] = 0; count[o] = 0 }
#else
			flags[o] = flags[o] & ~EXCL
#endif
		fi
	fi
}

inline publishing() {
	if
	:: begun
	:: !begun -> atomic { pub++; begun = 1 }
	fi
}

/* W2: the bounds, and then the word by an Add, which keeps the counts of readers in it. */
inline birth(q) {
	atomic { n = 0; do :: !spare[n] -> n++ :: else -> break od; spare[n] = 0 };
	bound[n] = q;
#ifdef GETS
	atomic { values++; value[n] = values };
#endif
	atomic {
		gen[n]++; dying[n] = 0; died[n] = 0; owned[n] = 0; born[n] = BORN;
#ifdef BROKEN_STORE
		count[n] = 0;
#endif
#if PARTS == 1
		flags[n] = kept(n);
		tick; change(q, 1);
		if
		:: o != NONE && o != n -> died[o] = now /* if o == n it was retired and reborn */
		:: else
		fi
#elif defined(BROKEN_BORN_OPEN)
		flags[n] = 0
#else
		flags[n] = EXCL + kept(n); owned[n] = 1
#endif
	}
}

inline unlink(q) {
	atomic {
		link[q] = NONE;
#if PARTS == 1
		tick; died[o] = now; change(q, 0)
#else
		dying[o] = 1
#endif
	}
}

/* Excluded becomes retired by one swap. */
inline straight() {
	atomic {
		if
		:: (flags[o] & ~ANN) == EXCL && count[o] == 0 ->
			assert(guards[o] == 0);
			flags[o] = flags[o] | DET | RET; owned[o] = 0; won = 1
		:: else
		fi
	}
}

inline detach() { atomic { flags[o] = flags[o] | EXCL | DET; owned[o] = 0; dying[o] = 1; g = gen[o] } }

#if H > 2
#define someSpare (spare[0] || spare[1] || spare[2])
#else
#define someSpare (spare[0] || spare[1])
#endif

inline operation(q) {
	o = link[q];
	if
	:: o == NONE && someSpare ->            /* Insert: W2 */
#ifdef BROKEN_BIRTH_FIRST
		birth(q); publishing();
#else
		publishing(); birth(q);
#endif
		link[q] = n
#ifdef REMOVES
	:: o != NONE ->                         /* Remove: W3 */
		exclude();
		if
		:: !got
		:: got ->
			publishing(); unlink(q);
#if defined(ADAPT) || defined(BROKEN_RETIRED_BY_SWAP)
			/* No guard is on it. A count that is about to be taken back makes the swap fail. */
			straight();
			if
			:: won -> recycle(o)
			:: else
#ifndef BROKEN_RETIRED_BY_SWAP
				-> detach(); finish(o, g)
#endif
			fi
#else
			detach(); finish(o, g)
#endif
		fi
#endif
#ifdef RETIRES
	:: o != NONE ->                         /* Retire: W4 */
		publishing();
#ifndef UNLINKED
		flags[o] = flags[o] | EXCL;
#endif
		unlink(q);
#if defined(BROKEN_STRAIGHT_NOT_WAITED)
		straight();
		if
		:: won -> recycle(o)
		:: else -> detach(); finish(o, g)
		fi
#elif defined(COLD)
		if
		:: flags[o] & ANN
		:: !(flags[o] & ANN) -> straight()
		fi;
		if
		:: won -> recycle(o)
		:: else -> detach(); finish(o, g)
		fi
#elif defined(BROKEN_PASS_BEFORE_DETACH)
		occupied(o, g, 1);
		detach();
		if
		:: inUse -> inUse = 0
		:: else -> finish(o, g)
		fi
#else
		detach(); finish(o, g)
#endif
#endif
#ifdef SWAPS
	:: o != NONE && someSpare ->            /* Swap: W4 */
#if defined(BROKEN_SWAP_REVERSED)
		publishing(); birth(q); link[q] = n; detach(); finish(o, g)
#elif defined(BROKEN_BORN_BEFORE)
		publishing(); birth(q); detach(); link[q] = n; finish(o, g)
#elif defined(BROKEN_DETACHED_ON_EVEN)
		detach(); publishing(); birth(q); link[q] = n; finish(o, g)
#elif defined(UNLINKED)
		publishing(); birth(q); link[q] = n; detach(); finish(o, g)
#else
		publishing(); flags[o] = flags[o] | EXCL; birth(q); link[q] = n; detach(); finish(o, g)
#endif
#endif
#ifdef EXCLUDES
	:: o != NONE -> exclude()
#endif
	:: skip
	fi;
	atomic { o = 0; n = 0; g = 0; got = 0; forget }
}

/* For the properties: all of the transaction happens now. */
inline commit() {
	if
	:: !committed && begun ->
		committed = 1;
		tick;
		if :: present[0] != (link[0] != NONE) -> change(0, (link[0] != NONE)) :: else fi;
		if :: present[1] != (link[1] != NONE) -> change(1, (link[1] != NONE)) :: else fi;
		for (x : 0 .. H - 1) { died[x] = (dying[x] -> now : died[x]); dying[x] = 0 }
		x = 0
	:: else
	fi
}

/* The end of a transaction opens its ranges, one after the other, by an And. */
inline open(q) {
	atomic {
		if
		:: link[q] != NONE && (flags[link[q]] & EXCL) ->
#if PARTS > 1
			commit();
#endif
			owned[link[q]] = 0;
			flags[link[q]] = flags[link[q]] & ~EXCL
		:: else
		fi
	}
}

proctype Writer() {
	byte o, n, g, x;
	bit begun, got, inUse, won, committed;
#ifdef ADAPT
	byte w;
	bit ann;
#endif
	do
	:: atomic { txns < TXNS && !semW && !semR -> semW = 1; txns++ };
		if
		:: operation(0)
		:: operation(1)
		fi;
#if PARTS > 1
		if
		:: operation(0)
		:: operation(1)
		fi;
#endif
		open(0);
		open(1);
		if
		:: begun -> atomic {
#if PARTS > 1
				commit();
#endif
				pub++; begun = 0; committed = 0
			}
		:: else
		fi;
#ifdef DOWNGRADE
		if
		:: atomic { semW = 0; semR = 1 }; semR = 0
		:: semW = 0
		fi
#else
		semW = 0
#endif
	:: break
	od
}
