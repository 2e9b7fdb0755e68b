/*
 * The flag announced, of engine.pml, which includes this file; with -DADAPT.
 *
 * While a range's flag is clear, readers count in its word. A reader may set the flag by a swap
 * from the word that it has loaded, if that was open. A reader with a guard may set it from any
 * open word. From then on readers announce, until the header's next life. An announcement is the
 * header and its generation. A writer looks at the slots only if the word that its Or left behind
 * has the flag. A range that was excluded and waited for is retired by one swap, without another
 * look.
 *
 * Here the swap that sets the flag compares everything except the count, and may fail for no
 * reason.
 *
 * Variants that are different, but not broken: with -DKEEPS a birth keeps the flag. With -DNAMELESS
 * an announcement is the header only. With -DOWNLIFE a reader that retracts or releases an
 * announcement owes nothing to a life other than its own. With -DCOLD also a range that is not
 * announced and was not waited for is retired by one swap.
 */
#ifdef BROKEN_OWN_LIFE
#define NAMELESS
#define OWNLIFE
#endif
#if defined(ADAPT) && !defined(NAMELESS)
#define shown(h, g) ((h) + 1 + 4 * (g))
#else
#define shown(h, g) ((h) + 1)
#endif
#ifdef OWNLIFE
#define owed (gen[h] == g)
#else
#define owed true
#endif
#ifdef KEEPS
#define kept(n) (flags[n] & ANN)
#else
#define kept(n) 0
#endif
#define same(f, s) (((f) & ~ANN) == ((s) & ~ANN))

#ifndef ADAPT
#define ann 1
#define forget skip
inline orExcluded() { flags[o] = flags[o] | EXCL }
#else
#define forget ann = 0

/* An Or sets the flag excluded. The word that it leaves behind says whether to look at the slots. */
inline orExcluded() {
#ifdef BROKEN_LOOK_BEFORE_OR
	ann = ((flags[o] & ANN) != 0);
	atomic { flags[o] = flags[o] | EXCL; g = gen[o] };
#else
	atomic { flags[o] = flags[o] | EXCL; g = gen[o]; ann = ((flags[o] & ANN) != 0) };
#endif
#ifdef BROKEN_NO_SCAN
	ann = 0
#endif
}

/* W6: load the word, look at the slots if it has the flag, swap from exactly this word. */
inline finish(h, g) {
	atomic { w = flags[h]; inUse = ((w & ~ANN) != EXCL + DET || count[h] > 0 || gen[h] != g) };
	if
#ifdef BROKEN_FINISH_NO_SCAN
	:: true
#else
	:: inUse || !(w & ANN)
	:: else -> occupied(h, g, 1)
#endif
	fi;
	if
	:: inUse -> inUse = 0           /* the last user finishes */
	:: else ->
		atomic {
			if
			:: flags[h] == w && count[h] == 0 && gen[h] == g ->
				flags[h] = w + RET; won = 1;
				assert(guards[h] == 0 && !spare[h])
			:: else
			fi
		};
		if
		:: won -> recycle(h)
		:: else
		fi
	fi;
	w = 0
}

/* From the hint to the guard, or to a count or mark that must be taken back. */
inline enterAdapt() {
	/* A3: the word, and then the bounds. */
	atomic {
		f = flags[h]; g = gen[h];
		if
		:: f & EXCL -> f = 0; g = 0; barred = 1
		:: else
		fi
	};
	covers = (bound[h] == k);
	if
	:: barred || !covers -> goto refused
	:: else
	fi;
	if
	:: f & ANN
	:: !(f & ANN) -> counted = 1
#ifdef BROKEN_SET_BY_OR
	:: atomic {
			!(f & ANN) -> f = flags[h]; flags[h] = flags[h] | ANN;
			if
			:: f & EXCL -> barred = 1; goto refused
			:: else -> f = f | ANN
			fi
		}
#else
	:: atomic { !(f & ANN) && flags[h] == f && gen[h] == g -> flags[h] = f | ANN; f = f | ANN }
#endif
#ifdef BROKEN_SET_FAILED
	:: !(f & ANN)
#endif
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
	/* A4: the word again; a reader that counts gets it from its Add. */
	atomic {
		if
		:: counted -> count[h]++; covers = (!(flags[h] & EXCL) && gen[h] == g)
#ifdef BROKEN_NO_SECOND_LOAD
		:: else
#else
		:: else -> covers = (flags[h] == f && gen[h] == g)
#endif
		fi;
		f = 0;
		if
		:: covers -> guarded()
		:: else -> barred = (flags[h] & EXCL); covers = 1
		fi
	};
	/* A reader that has met others may set the flag while it holds its guard. */
	if
	:: true
	:: atomic { held && counted && !(flags[h] & (EXCL + ANN)) -> flags[h] = flags[h] | ANN }
	fi
}
#endif
