/*
 * The flag announced, of pass.pml, which includes this file; with -DADAPT. See engine_adapt.pml.
 */

/* The swap from the word that said whether to look. */
inline retireFrom(h, g, w) {
	atomic {
		if
#ifdef BROKEN_GENERATION
		:: (flags[h] & ~ANN) == EXCL + DET && count[h] == 0 ->
#else
		:: (w & ~ANN) == EXCL + DET && flags[h] == w && count[h] == 0 && gen[h] == g ->
#endif
			flags[h] = flags[h] | RET; assert(guards[h] == 0)
		:: else
		fi
	}
}

/* W6, of a reader: one range. */
inline finish(h, g) {
	atomic { f = flags[h]; inUse = ((f & ~ANN) != EXCL + DET || count[h] > 0 || gen[h] != g) };
	if
	:: inUse || !(f & ANN)
	:: else -> inUse = (slot[0] == shown(h, g));
#if SLOTS > 1
		if
		:: inUse
		:: !inUse -> inUse = (slot[1] == shown(h, g))
		fi
#endif
	fi;
	if
	:: inUse -> inUse = 0
	:: else -> retireFrom(h, g, f)
	fi
}

/* A3 and A4, without the bounds. */
inline enterAdapt() {
	atomic { f = flags[h]; g = gen[h] };
	if
	:: f & EXCL -> goto over
	:: else
	fi;
	if
	:: f & ANN
	:: !(f & ANN) -> counted = 1
	:: atomic { !(f & ANN) && flags[h] == f && gen[h] == g -> flags[h] = f | ANN; f = f | ANN }
	fi;
	if
	:: counted
	:: atomic { !counted && slot[0] == 0 -> slot[0] = shown(h, g); i = 0 }
#if SLOTS > 1
	:: atomic { !counted && slot[0] != 0 && slot[1] == 0 -> slot[1] = shown(h, g); i = 1 }
	:: atomic { !counted && slot[0] != 0 && slot[1] != 0 -> counted = 1 }
#else
	:: atomic { !counted && slot[0] != 0 -> counted = 1 }
#endif
	fi;
	atomic {
		if
		:: counted -> count[h]++; held = (!(flags[h] & EXCL) && gen[h] == g)
		:: else -> held = (flags[h] == f && gen[h] == g)
		fi;
		if
		:: held -> assert(!owned[h]); guards[h]++
		:: else
		fi
	};
	/* A reader that has met others may set the flag while it holds its guard. */
	if
	:: true
	:: atomic { held && counted && !(flags[h] & (EXCL + ANN)) -> flags[h] = flags[h] | ANN }
	fi
}

/* One pass over the lines, for ranges whose word had the flag when they were barred. */
inline pass() {
	atomic { seen[0] = 0; seen[1] = 0 };
	if
	:: !((word[0] | word[1]) & ANN)
	:: else ->
		atomic {
			seen[0] = ((word[0] & ANN) && slot[0] == shown(0, gens[0]));
			seen[1] = ((word[1] & ANN) && slot[0] == shown(1, gens[1]))
		};
#if SLOTS > 1
		atomic {
			seen[0] = seen[0] || ((word[0] & ANN) && slot[1] == shown(0, gens[0]));
			seen[1] = seen[1] || ((word[1] & ANN) && slot[1] == shown(1, gens[1]))
		}
#endif
	fi;
#ifdef EXCLUDES
	seen[0] = seen[0] || count[0] > 0;
	seen[1] = seen[1] || count[1] > 0
#endif
}

#ifdef LEAVE
/*
 * The writer detaches by itself, in the order of the code: readers are shut out of announced
 * ranges, one look at the lines follows, and then each range leaves. With -DSINGLE each range is
 * detached separately, with a look of its own. With -DTOLD there is an OnRetire, so no range is
 * retired by one swap from the word before. With -DWAITED the transaction has excluded range 0
 * before, and has waited for its guards.
 */
#ifdef WAITED
inline excludeAndWait() {
	if
	:: set[0] ->
		atomic { flags[0] = flags[0] | EXCL; w = flags[0] };
		count[0] == 0;
		if
		:: !(w & ANN)
		:: else ->
			slot[0] != shown(0, gen[0]);
#if SLOTS > 1
			slot[1] != shown(0, gen[0])
#endif
		fi;
		atomic { assert(guards[0] == 0); owned[0] = 1; w = 0 }
	:: else
	fi
}
#else
#define excludeAndWait() skip
#endif

/* Readers are shut out only of announced ranges; one that this transaction has excluded is shut already. */
inline shutOut(h) {
	if
	:: set[h] -> w = flags[h];
		if
		:: (w & (ANN + EXCL)) == ANN -> flags[h] = flags[h] | EXCL; look = 1
		:: else
		fi;
		w = 0
	:: else
	fi
}

inline marks() {
	atomic { seen[0] = (slot[0] == shown(0, gen[0])); seen[1] = (slot[0] == shown(1, gen[1])) };
#if SLOTS > 1
	atomic { seen[0] = seen[0] || slot[1] == shown(0, gen[0]); seen[1] = seen[1] || slot[1] == shown(1, gen[1]) }
#endif
}

inline lookOnce() {
	if
	:: look -> look = 0; marks()
	:: else
	fi
}

/* occupied, in a life of its own: no writer is there to begin another. */
inline occupied(h) {
	atomic { f = flags[h]; inUse = (count[h] > 0) };
	if
	:: inUse || !(f & ANN)
	:: else -> inUse = (slot[0] == shown(h, g));
#if SLOTS > 1
		if
		:: inUse
		:: !inUse -> inUse = (slot[1] == shown(h, g))
		fi
#endif
	fi
}

inline leave(h) {
	atomic { before = flags[h]; g = gen[h]; in = (count[h] > 0); owned[h] = 0 };
	if
	:: in || !(before & ANN)
#ifndef BROKEN_LATE_FLAG
	:: !in && (before & ANN) && !(before & EXCL) -> in = 1     /* the flag was set meanwhile */
	:: !in && (before & ANN) && (before & EXCL) ->
#else
	:: else ->
#endif
#ifdef SINGLE
		lookOnce();
#endif
		in = seen[h]
	fi;
#ifndef TOLD
	if
	:: in
	:: !in ->
#ifdef BROKEN_RELOADED
		before = flags[h];
#endif
		atomic {
			if
			:: flags[h] == before && count[h] == 0 ->
				flags[h] = before | EXCL | DET | RET; assert(guards[h] == 0); goto left
			:: else -> in = 1
			fi
		}
	fi;
#endif
	atomic { flags[h] = flags[h] | EXCL | DET; w = flags[h]; c = count[h] };
	if
#ifdef BROKEN_NOT_COMPARED
	:: !in ->
#else
	:: !in && !((w ^ before) & ANN) && c == 0 ->    /* before had no count, or in would be set */
#endif
		atomic {
			if
			:: flags[h] == w && count[h] == c -> flags[h] = w | RET; assert(guards[h] == 0)
			:: else
			fi
		}
#ifdef BROKEN_NO_SECOND_LOOK
	:: else
#else
	:: else -> occupied(h);
		if
		:: inUse -> inUse = 0   /* the last user sees detached */
		:: else -> finish(h, g)
		fi
#endif
	fi;
left:	atomic { before = 0; w = 0; c = 0; g = 0; f = 0; in = 0; set[h] = 0 }
}

proctype Writer() {
	bit set[2], seen[2], look, in, inUse;
	byte lives, before, w, c, f, g;
	do
	:: lives < LIVES -> lives++;
		choose(0); choose(1);
		excludeAndWait();
#if defined(SINGLE)
		shutOut(0);
		if :: set[0] -> leave(0) :: else fi;
		atomic { look = 0; seen[0] = 0; seen[1] = 0 };
		shutOut(1);
		if :: set[1] -> leave(1) :: else fi;
		atomic { look = 0; seen[0] = 0; seen[1] = 0 }
#else
#ifdef BROKEN_MARKS_FIRST
		marks();
		shutOut(0); shutOut(1);
		look = 0;
#else
		shutOut(0); shutOut(1);
		lookOnce();
#endif
		if :: set[0] -> leave(0) :: else fi;
		if :: set[1] -> leave(1) :: else fi;
		atomic { seen[0] = 0; seen[1] = 0 }
#endif
	:: else -> break
	od
}
#endif
