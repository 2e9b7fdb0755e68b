/*
 * The flag announced, of engine.pml, which includes this file; with -DADAPT.
 *
 * While a range's flag is clear, readers count in its word. A reader may set it, by a swap from
 * the word that it has loaded, which was open; or while it has a guard, from any open word. From
 * then on readers announce, until the header's next life. An announcement is the header and its
 * generation. A writer looks at the slots only if the word that its Or left behind has the flag,
 * and a range that was excluded and waited for is retired by one swap, without another look.
 *
 * The swap that sets the flag compares everything but the count here, and may fail for no reason.
 *
 * Not broken, but other: with -DKEEPS a birth leaves the flag. With -DNAMELESS an announcement is
 * the header only. With -DOWNLIFE a reader that retracts or releases an announcement owes nothing
 * to another life than its own. With -DCOLD a range that is not announced is retired by one swap
 * without having been waited for, too.
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

/* The flag excluded comes by an Or. What it leaves behind says whether to look at the slots. */
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

/* From the hint to the guard, or to what has to be taken back. */
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
	/* A4: the word again, which the Add shows to the one that counts. */
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
	/* One that has met others may set the flag with the guard in its hand. */
	if
	:: true
	:: atomic { held && counted && !(flags[h] & (EXCL + ANN)) -> flags[h] = flags[h] | ANN }
	fi
}
#endif
