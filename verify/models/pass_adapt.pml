/*
 * The flag announced, of pass.pml, which includes this file; with -DADAPT. See engine_adapt.pml.
 */

/* The swap from the word that said whether to look. */
inline retireFrom(h, g, w) {
	atomic {
		if
		:: (w & ~ANN) == EXCL + DET && flags[h] == w && count[h] == 0 && gen[h] == g ->
			flags[h] = w | RET; assert(guards[h] == 0)
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
	}
}

/* One pass over the lines, for what has been barred with the flag in its word. */
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

#ifdef CLEAR
/* Both flags by one Or. What it leaves behind says whether there has to be a pass. */
inline bar(h) {
	if
	:: set[h] -> atomic { flags[h] = flags[h] | EXCL | DET; word[h] = flags[h]; gens[h] = gen[h] }
	:: else
	fi
}

proctype Writer() {
	bit set[2], seen[2];
	byte lives, word[2], gens[2];
	do
	:: lives < LIVES -> lives++;
		choose(0); choose(1);
		bar(0);
#ifdef BROKEN_PASS_BEFORE_ORS
		if
		:: set[1] -> atomic { word[1] = flags[1]; gens[1] = gen[1] }
		:: else
		fi;
		pass();
		bar(1);
#else
		bar(1);
		pass();
#endif
		if
		:: set[0] && !seen[0] -> retireFrom(0, gens[0], word[0])
		:: else
		fi;
		if
		:: set[1] && !seen[1] -> retireFrom(1, gens[1], word[1])
		:: else
		fi;
		atomic {
			set[0] = 0; set[1] = 0; seen[0] = 0; seen[1] = 0;
			word[0] = 0; word[1] = 0; gens[0] = 0; gens[1] = 0
		}
	:: else -> break
	od
}
#endif
