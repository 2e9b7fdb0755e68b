/*
 * The second engine's pass over the lines for several ranges at once (W5, W6).
 *
 * There are two headers, SLOTS slots and a count in each word. NR readers announce or count
 * either header ROUNDS times, from a hint of any age. By default a writer detaches all
 * ranges that are open, in the order of W4, and hands them to the goroutine that retires, LIVES
 * times; a header that is retired is born again. That goroutine makes one pass for the ranges
 * that it was handed, retires those that no reader shows or counts, and leaves the others to
 * their last users. With -DEXCLUDES the writer excludes both ranges instead, with one pass,
 * waits, owns them, and opens them. With -DAPART each range is detached by an operation of its
 * own. With -DADAPT readers count until one has set the flag announced, as in engine_adapt.pml:
 * then a pass is made only if a word had that flag when its Or was made. With -DLEAVE as well,
 * the writer detaches in the order of the code, and makes the pass itself.
 *
 * Asserted: a range has no guard when it is retired, and none while it is owned. At the end
 * each header is retired or open, and no process waits.
 *
 * Left out: the search, so no reader knows whether a range is in the tree; the look of A3.
 */
#ifndef NR
#define NR 2
#endif
#ifndef ROUNDS
#define ROUNDS 2
#endif
#ifndef LIVES
#define LIVES 1
#endif
#ifndef SLOTS
#define SLOTS 1
#endif
#define EXCL 1
#define DET  2
#define RET  4
#define ANN  8              /* announced, with ADAPT */
#ifdef ADAPT
#define shown(h, g) ((h) + 1 + 4 * (g))
#else
#define shown(h, g) ((h) + 1)
#endif

byte flags[2], count[2], gen[2];
byte slot[SLOTS];           /* 0, or what shown gives */
byte guards[2];
bit  owned[2];
bit  waiter, woken;

bit  handed[2];             /* to the goroutine that retires */
byte handedGen[2];

/* A range that is open, or is born again here, is added to those to detach. */
inline choose(h) {
	atomic {
		if
		:: (flags[h] & ~ANN) == EXCL + DET + RET -> gen[h]++; flags[h] = 0; set[h] = 1
		:: (flags[h] & ~ANN) == 0 -> set[h] = 1
		:: else
		fi
	}
}

#ifdef ADAPT
#include "pass_adapt.pml"
#else
/* The swap from exactly this word. */
inline retire(h, g) {
	atomic {
		if
#ifdef BROKEN_GENERATION
		:: flags[h] == EXCL + DET && count[h] == 0 ->
#else
		:: flags[h] == EXCL + DET && count[h] == 0 && gen[h] == g ->
#endif
			flags[h] = EXCL + DET + RET; assert(guards[h] == 0)
		:: else
		fi
	}
}

/* W6, of a reader: one range. */
inline finish(h, g) {
	inUse = (count[h] > 0);
	if
	:: inUse
	:: !inUse -> inUse = (slot[0] == h + 1);
#if SLOTS > 1
		if
		:: inUse
		:: !inUse -> inUse = (slot[1] == h + 1)
		fi
#endif
	fi;
	if
	:: inUse -> inUse = 0
	:: else -> retire(h, g)
	fi
}
#endif

proctype Reader() {
	byte h, f, g, i, rounds;
	bit counted, held, inUse;
	do
	:: rounds < ROUNDS -> rounds++;
		if
		:: h = 0
		:: h = 1
		fi;
#ifdef ADAPT
		enterAdapt();
#else
		/* A3 */
		if
		:: atomic { slot[0] == 0 -> slot[0] = h + 1; i = 0 }
#if SLOTS > 1
		:: atomic { slot[0] != 0 && slot[1] == 0 -> slot[1] = h + 1; i = 1 }
		:: atomic { slot[0] != 0 && slot[1] != 0 -> counted = 1; count[h]++ }
#else
		:: atomic { slot[0] != 0 -> counted = 1; count[h]++ }
#endif
		fi;
		/* A4. The Add of a reader that counts shows the word; a separate, later step allows more. */
		atomic {
			if
			:: !(flags[h] & EXCL) -> assert(!owned[h]); guards[h]++; held = 1
			:: else
			fi
		};
#endif
		/* A5 or R */
		atomic {
			if
			:: held -> assert(!(flags[h] & RET) && !owned[h]); guards[h]--; held = 0
			:: else
			fi;
			if
			:: counted -> count[h]--; counted = 0; f = (count[h] == 0 -> flags[h] : 0); g = gen[h]; goto owing
			:: else -> slot[i] = 0
			fi
		};
		atomic { f = flags[h]; g = gen[h] };
owing:		if
		:: (f & EXCL) && !(f & DET) -> d_step { if :: waiter -> woken = 1 :: else fi }
		:: (f & DET) && !(f & RET) -> finish(h, g)
		:: else
		fi;
over:		atomic { h = 0; f = 0; g = 0; i = 0 }
	:: break
	od
}

#ifndef ADAPT
/* One pass over the counts of both and the lines. */
inline pass() {
	seen[0] = (count[0] > 0);
	seen[1] = (count[1] > 0);
	atomic { seen[0] = seen[0] || slot[0] == 1; seen[1] = seen[1] || slot[0] == 2 };
#if SLOTS > 1
	atomic { seen[0] = seen[0] || slot[1] == 1; seen[1] = seen[1] || slot[1] == 2 };
#endif
}
#endif

#ifdef EXCLUDES
proctype Writer() {
	bit seen[2];
#ifdef ADAPT
	byte word[2], gens[2];
#define exclude(h) atomic { flags[h] = flags[h] | EXCL; word[h] = flags[h] }
#else
#define exclude(h) flags[h] = flags[h] | EXCL
#endif
	exclude(0);
#ifdef BROKEN_PASS_FIRST
	pass();
	exclude(1);
#else
	exclude(1);
	pass();
#endif
	if
	:: !seen[0] && !seen[1]
	:: else ->
		waiter = 1;
		do
		:: pass();
			if
			:: !seen[0] && !seen[1] -> break
			:: else -> atomic { woken -> woken = 0 }
			fi
		od;
		atomic { waiter = 0; woken = 0 }
	fi;
	atomic { owned[0] = 1; owned[1] = 1; assert(guards[0] == 0 && guards[1] == 0) };
	atomic { owned[0] = 0; flags[0] = flags[0] & ~EXCL };
	atomic { owned[1] = 0; flags[1] = flags[1] & ~EXCL }
}
#else
inline mark(h, f) {
	if
	:: set[h] -> flags[h] = flags[h] | f
	:: else
	fi
}

inline hand(h) {
	if
	:: set[h] -> atomic { handed[h] = 1; handedGen[h] = gen[h] }
	:: else
	fi
}

#ifndef LEAVE
proctype Writer() {
	bit set[2];
	byte lives;
	do
	:: lives < LIVES -> lives++;
		choose(0); choose(1);
		/* W4: all are excluded, then out of the tree, and then all are detached. */
		mark(0, EXCL);
#ifdef APART
		mark(0, DET); hand(0);
#endif
		mark(1, EXCL);
#ifdef BROKEN_PASS_BEFORE_DETACH
		hand(0); hand(1);
#endif
		mark(0, DET); mark(1, DET);
#if defined(APART)
		hand(1);
#elif !defined(BROKEN_PASS_BEFORE_DETACH)
		hand(0); hand(1);
#endif
		atomic { set[0] = 0; set[1] = 0 }
	:: else -> break
	od
}

active proctype Retiring() {
	bit todo[2], seen[2];
	byte gens[2];
#ifdef ADAPT
	byte word[2];
#define retire(h, g) retireFrom(h, g, word[h])
#endif
end_idle:
	do
	:: atomic {
			handed[0] || handed[1] ->
			todo[0] = handed[0]; todo[1] = handed[1]; handed[0] = 0; handed[1] = 0;
			gens[0] = handedGen[0]; gens[1] = handedGen[1]; handedGen[0] = 0; handedGen[1] = 0
		};
#ifdef ADAPT
		/* After the Or the flag no longer changes in this life. */
		word[0] = (todo[0] && gen[0] == gens[0] -> flags[0] : 0);
		word[1] = (todo[1] && gen[1] == gens[1] -> flags[1] : 0);
#ifdef BROKEN_NO_PASS
		atomic { seen[0] = 0; seen[1] = 0 };
#else
		pass();
#endif
#else
		pass();
#endif
#ifdef BROKEN_JOINED_LATE
		/* Broken: ranges that were handed over during the pass count as looked for. */
		atomic {
			todo[0] = todo[0] || handed[0]; todo[1] = todo[1] || handed[1]; handed[0] = 0; handed[1] = 0;
			gens[0] = gens[0] + handedGen[0]; gens[1] = gens[1] + handedGen[1]; handedGen[0] = 0; handedGen[1] = 0
		};
#endif
		if
		:: todo[0] && !seen[0] -> retire(0, gens[0])
		:: else
		fi;
		if
		:: todo[1] && !seen[1] -> retire(1, gens[1])
		:: else
		fi;
		atomic {
#ifdef ADAPT
			word[0] = 0; word[1] = 0;
#endif
			todo[0] = 0; todo[1] = 0; seen[0] = 0; seen[1] = 0; gens[0] = 0; gens[1] = 0
		}
	od
}
#endif
#endif

active proctype Quiet() {
	byte i;
end_quiet:
	timeout ->
	assert(slot[0] == 0 && slot[SLOTS - 1] == 0 && !waiter);
	for (i : 0 .. 1) {
		assert(count[i] == 0 && guards[i] == 0);
#ifdef EXCLUDES
		assert((flags[i] & ~ANN) == 0)
#else
		assert((flags[i] & ~ANN) == EXCL + DET + RET)
#endif
	}
}

init {
	byte p;
	atomic {
		for (p : 1 .. NR) { run Reader() }
		run Writer()
	}
}
