/*
 * Package announce: which lines a look must visit.
 *
 * There are two lines of SLOTS slots, each with a bit in used, and a word that the writer bars
 * and opens again. The first slot of a line holds FRESH until the line's bit is set. NR readers
 * make ROUNDS calls, each in either line: they announce, load the word, and are in if it is open.
 * The writer bars the word, and then looks at the lines whose bits are set, until a look shows
 * no reader; it does that LOOKS times.
 *
 * Asserted: when the writer owns the word no reader is in, and no reader finds its slot taken by
 * another. At the end no mark is left.
 *
 * Left out: which range a mark stands for (engine.pml), waits, and the packing of the bits into
 * words: here each bit is a word of its own, so that bits may be loaded at different times.
 */
#ifndef NR
#define NR 2
#endif
#ifndef ROUNDS
#define ROUNDS 2
#endif
#ifndef LOOKS
#define LOOKS 2
#endif
#ifndef SLOTS
#define SLOTS 2
#endif
#define FRESH 9

/* Slot j of line l is slot[l * SLOTS + j]. */
#define first(l) slot[(l) * SLOTS]

byte slot[2 * SLOTS];       /* 0, FRESH or the reader's number plus one */
bit  used[2];
bit  barred;

/* For the properties. */
byte inside;
bit  owned;

proctype Reader(byte me) {
	byte l, at, rounds;
	bit counts;             /* the line is full */
	do
	:: rounds < ROUNDS -> rounds++;
		/* Own */
		if
		:: l = 0
		:: l = 1
		fi;
		/* Announce */
		if
		:: atomic { first(l) == 0 -> first(l) = me + 1; at = l * SLOTS; goto announced }
		:: first(l) != 0
		fi;
		/* AnnounceBehind */
		if
		:: first(l) == FRESH ->
#if !defined(BROKEN_BIT_LATE) && !defined(BROKEN_FREE_FIRST)
			used[l] = 1;
#endif
			atomic { if :: first(l) == FRESH -> first(l) = 0 :: else fi };
#ifdef BROKEN_FREE_FIRST
			used[l] = 1
#endif
		:: first(l) != FRESH
		fi;
		if
		:: atomic { first(l) == 0 -> first(l) = me + 1; at = l * SLOTS; goto announced }
		:: first(l) != 0
		fi;
#if SLOTS > 1
		if
		:: atomic { slot[l * SLOTS + 1] == 0 -> slot[l * SLOTS + 1] = me + 1; at = l * SLOTS + 1; goto announced }
		:: slot[l * SLOTS + 1] != 0
		fi;
#endif
		goto over;
announced:	/* The word again. */
		if
		:: atomic { !barred -> assert(!owned); inside++ };
#ifdef BROKEN_BIT_LATE
			used[l] = 1;
#endif
			atomic { assert(!owned && inside > 0); inside-- }
		:: barred
		fi;
		/* Retract */
		atomic { assert(slot[at] == me + 1); slot[at] = 0 };
over:		atomic { l = 0; at = 0 }
	:: break
	od
}

/* Shows, for one line: the bit, then the slots. */
inline look(l) {
	if
#ifdef BROKEN_USED_FIRST
	:: !seen[l]
	:: seen[l] ->
#else
	:: !used[l]
	:: used[l] ->
#endif
		bare = 1;
		if
		:: first(l) == 0 || first(l) == FRESH
		:: atomic { first(l) != 0 && first(l) != FRESH -> bare = 0 }
		fi;
#if SLOTS > 1
		if
		:: slot[l * SLOTS + 1] == 0
		:: atomic { slot[l * SLOTS + 1] != 0 -> bare = 0 }
		fi;
#endif
		shown = shown || !bare;
#if defined(BROKEN_CLEARED) || defined(BROKEN_CLEARED_FRESH)
		if
		:: bare ->
#ifdef BROKEN_CLEARED_FRESH
			atomic { if :: first(l) == 0 -> first(l) = FRESH :: else -> bare = 0 fi };
			if :: bare -> used[l] = 0 :: else fi
#else
			used[l] = 0
#endif
		:: else
		fi;
#endif
		bare = 0
	fi
}

active proctype Writer() {
	byte looks;
	bit shown, bare;
#ifdef BROKEN_USED_FIRST
	bit seen[2];
#endif
	do
	:: looks < LOOKS -> looks++;
#ifdef BROKEN_USED_FIRST
		seen[0] = used[0]; seen[1] = used[1];
#endif
		barred = 1;
		do
		:: look(0); look(1);
			if
			:: shown -> shown = 0
			:: else -> break
			fi
		od;
		atomic { assert(inside == 0); owned = 1 };
		atomic { owned = 0; barred = 0 }
	:: else -> break
	od
}

active proctype Quiet() {
	byte i;
end_quiet:
	timeout ->
	assert(inside == 0 && !barred);
	for (i : 0 .. 2 * SLOTS - 1) { assert(slot[i] == 0 || slot[i] == FRESH) }
}

init {
	byte p;
	atomic {
		first(0) = FRESH; first(1) = FRESH;
		for (p : 0 .. NR - 1) { run Reader(p) }
	}
}
