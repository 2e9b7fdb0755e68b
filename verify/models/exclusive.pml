/*
 * The second engine's exclusive guards, and the line of waiters of one range.
 *
 * SHARERS readers take shared guards, ALONES take exclusive ones, ROUNDS times each, and
 * wait in the line of the range if it is in use. By default a reader announces the range in a
 * slot of its own; with -DCOUNTS it counts in the word, and with -DMIXED it does either. With
 * -DADAPT, as in the code, readers count until one has set the flag announced, as in
 * engine_adapt.pml, and the slots are looked at only if the word has that flag. WRITES
 * transactions exclude the range, wait for its guards or give up, and open it; with -DDETACH a
 * transaction may detach it. With -DRETIRES a transaction retires it instead, without excluding
 * or waiting. With -DLEAVE any waiter in line may leave early, with -DLEAVEALONE only exclusive
 * ones. With -DADAPT and -DCLONE a holder of a shared guard may clone it, once, and releases the
 * two in either order. With -DDOWNGRADE an exclusive guard may become a shared one, and with
 * -DKEPT that shared guard may never be released. With -DHOLDER a reader has a shared guard from
 * the beginning and never releases it: then only exclusive waiters may be left in line.
 *
 * The flag reserved is set while there is a line and keeps readers from entering. The flag alone
 * is set with an exclusive guard, which counts SOLE in the word. The steps are those of the
 * line's rules, 1 to 6.
 *
 * Asserted: no other guard and no writer that owns the range is beside an exclusive guard. A
 * range is retired once, with no guard. At the end no caller is in line, and no flag and no
 * count is left. While a guard is held, the word is as Release requires it.
 *
 * Left out: the search, lives (a range that is detached ends the run), the bound of the count,
 * and the semaphore to which a waiter is sent back.
 */
#ifndef SHARERS
#define SHARERS 2
#endif
#ifndef ALONES
#define ALONES 1
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#ifndef WRITES
#define WRITES 1
#endif
#ifdef HOLDER
#define HELD 1
#else
#define HELD 0
#endif
#define ALL (SHARERS + ALONES)
#define exclusive(p) ((p) >= SHARERS)

/* The flags of the word. */
#define EXCL     1
#define DET      2
#define RET      4
#define RESERVED 8
#define ALONE    16
#define ANN      32         /* announced, with ADAPT */
#define BARRED   (EXCL + RESERVED + ALONE)
#define SOLE     8          /* in the count */

byte flags, count = HELD;
bit  slot[ALL];             /* reader i announces the range */
bit  mu;                    /* turns.mu; it protects the line */
byte line[ALL], inLine;
mtype = { nobody, waiting, granted, sentBack };
mtype turn[ALL] = nobody;
bit  woken[ALL];
bit  waiter, writerWoken;

/* For the properties. */
byte shared = HELD, alone;  /* guards held */
bit  owned, retired;
bit  kept;                  /* the guard of a downgrade stays */

inline scan() {
	inUse = slot[0];
	if
	:: inUse
	:: !inUse -> inUse = slot[1]
	fi
#if SHARERS > 2
	;
	if
	:: inUse
	:: !inUse -> inUse = slot[2]
	fi
#endif
}

inline guarded(p) {
	assert(!owned && !(flags & RET) && alone == 0 && (!exclusive(p) || shared == 0));
	if
	:: exclusive(p) -> alone++
	:: else -> shared++
	fi
}

inline lock() { atomic { !mu -> mu = 1 } }

inline remove(at) {
	for (x : at .. ALL - 2) { line[x] = line[x + 1] }
	x = 0; inLine--; line[inLine] = 0
}

inline pop(how) { turn[line[0]] = how; woken[line[0]] = 1; remove(0) }

inline nextTurn() { lock(); grantLocked(); mu = 0 }

/* W6. With ADAPT the swap is from exactly the word that said whether to scan. */
#ifdef ADAPT
inline finish() {
	atomic { was = flags; inUse = ((was & ~ANN) != EXCL + DET || count > 0) };
	if
	:: inUse || !(was & ANN)
	:: else -> scan()
	fi;
	if
	:: inUse -> inUse = 0
	:: else ->
		atomic {
			if
			:: flags == was && count == 0 ->
				flags = was | RET; assert(!retired && shared == 0 && alone == 0); retired = 1
			:: else
			fi
		}
	fi;
	was = 0
}
#else
#define ann 1
inline finish() {
	scan();
	if
	:: inUse -> inUse = 0
	:: else ->
		atomic {
			if
			:: flags == (EXCL + DET) && count == 0 ->
				flags = EXCL + DET + RET; assert(!retired && shared == 0 && alone == 0); retired = 1
			:: else
			fi
		}
	fi
}
#endif

/* The duties after a count or a slot was given back: w is the word at that time or later. */
inline duties() {
	if
	:: !(w & EXCL) ->
		if
#ifndef BROKEN_108
		:: w & RESERVED -> nextTurn()
#endif
		:: else
		fi
	:: (w & EXCL) && !(w & DET) -> d_step { if :: waiter -> writerWoken = 1 :: else fi }
	:: (w & DET) && !(w & RET) -> finish()
	:: (w & DET) && (w & RET)
	fi;
	w = 0
}

/* One Add takes back the count of one guard, or of an exclusive one. */
inline uncount(one) {
	count = count - one;
	flags = (one == SOLE -> flags & ~ALONE : flags);
	w = (count == 0 -> flags : 0)
}

#define refused 1
#define held    2
#define claimed 3

/* The claim of an exclusive guard: the word first, then the lines, then the count again. A clone
   may have moved a reader from the lines to the count meanwhile. */
inline claim() {
#ifdef ADAPT
#ifdef BROKEN_CLAIM_LOOK_FIRST
	ann = ((flags & ANN) != 0);
#endif
	atomic {
		if
		:: !(flags & ~ANN) && count == 0 ->
#ifndef BROKEN_CLAIM_LOOK_FIRST
			ann = ((flags & ANN) != 0);
#endif
			flags = flags | ALONE; count = SOLE; got = claimed
		:: else
		fi
	};
#ifdef BROKEN_CLAIM_NO_SCAN
	ann = 0;
#endif
	if
	:: got == claimed && ann ->
		scan();
#ifndef BROKEN_CLAIM_NO_SECOND_LOOK
		inUse = inUse || count != SOLE;
#endif
		ann = 0
	:: else -> ann = 0
	fi;
#elif defined(BROKEN_CLAIM_SCAN_FIRST)
	scan();
	atomic { if :: flags == 0 && count == 0 -> flags = ALONE; count = SOLE; got = claimed :: else fi };
#else
	atomic { if :: flags == 0 && count == 0 -> flags = ALONE; count = SOLE; got = claimed :: else fi };
	if
	:: got == claimed -> scan()
	:: else
	fi;
#endif
	if
	:: got == claimed && inUse -> inUse = 0; got = 0; atomic { uncount(SOLE) }
	:: got == claimed && !inUse -> atomic { guarded(me); got = held }
	:: else -> inUse = 0
	fi
}

#include "exclusive_line.pml"

#ifdef ADAPT
/* A3, A4 */
inline enterAdapt() {
	f = flags;
	if
	:: f & BARRED -> goto owing
	:: else
	fi;
	if
	:: f & ANN
	:: !(f & ANN) -> counted = 1
	:: atomic { !(f & ANN) && flags == f -> flags = f | ANN; f = f | ANN }
	fi;
	if
	:: counted
	:: !counted -> slot[me] = 1
	:: !counted -> counted = 1      /* the slots are taken */
	fi;
	/* The word again; a reader that counts gets it from its Add. */
	atomic {
		if
		:: counted -> count++; got = (flags & BARRED -> 0 : held)
#ifdef BROKEN_LOOK_AT_EXCLUDED
		:: else -> got = (flags & EXCL -> 0 : held)
#else
		:: else -> got = (flags == f -> held : 0)
#endif
		fi;
		f = flags;
		if
		:: got == held -> shared++; assert(alone == 0 && !owned)
		:: else
		fi
	};
	if
	:: true
	:: atomic { got == held && counted && !(flags & (BARRED + ANN)) -> flags = flags | ANN }
	fi
}
#endif

#ifdef CLONE
/* The range is held, so it is in use. A clone counts, whatever the word says. */
inline clone() {
	if
	:: atomic {
			got == held ->
			assert(!owned && !retired && alone == 0);
			count++; shared++; cloned = 1
		}
	:: true
	fi
}

/* Release: another process may have set the flag alone to look at the lines, while an announced
   guard is held. */
inline releaseClone() {
	atomic {
#ifdef BROKEN_CLONE_NOT_HELD
		assert(!(flags & ALONE));
#endif
		assert(count > 0 && !(flags & ALONE) || (flags & ANN) && count > SOLE);
		assert(!(flags & RET));
		shared--; cloned = 0; uncount(1)
	};
	duties()
}
#endif

proctype Shared(byte me) {
	byte f, c, w, x, got, rounds;
	bit inUse, counted;
#ifdef CLONE
	bit cloned;
#endif
#ifdef ADAPT
	byte was;
	bit ann;
#endif
	do
	:: rounds < ROUNDS -> rounds++;
#ifdef ADAPT
		enterAdapt();
#else
		/* A3, A4 */
		if
#if defined(COUNTS) || defined(MIXED)
		:: atomic { count++; f = flags; counted = 1 }
#endif
#ifndef COUNTS
		:: slot[me] = 1; f = flags
#endif
		fi;
		atomic {
			if
			:: !(f & BARRED) -> shared++; got = held; assert(alone == 0 && !owned)
			:: else
			fi
		};
#endif
#ifdef CLONE
		clone();
		if
		:: cloned -> releaseClone()     /* first */
		:: true
		fi;
#endif
		/* A5 or R */
		atomic {
			shared = (got == held -> shared - 1 : shared);
			if
			:: counted -> uncount(1); counted = 0; goto owing
#ifdef BROKEN_LOAD_CLEAR
			:: else -> w = flags
			fi
		};
		slot[me] = 0;
#else
			:: else -> slot[me] = 0
			fi
		};
		w = flags;
#endif
owing:		duties();
		if
		:: !got && !(f & EXCL) ->
			f = 0;
			lineUp();
			if
#ifdef CLONE
			:: got == held -> clone(); atomic { shared--; uncount(1) }; duties()
#else
			:: got == held -> got = 0; atomic { shared--; uncount(1) }; duties()
#endif
			:: else
			fi
		:: true
		fi;
#ifdef CLONE
		if
		:: cloned -> releaseClone()
		:: else
		fi;
#endif
		atomic { f = 0; c = 0; w = 0; got = 0; inUse = 0 }
	:: break
	od
}

proctype Alone(byte me) {
	byte f, c, w, x, got, rounds;
	bit inUse;
#ifdef ADAPT
	byte was;
	bit ann;
#endif
	do
	:: rounds < ROUNDS -> rounds++;
		/* TryAcquireExclusive */
		if
		:: claim();
#ifdef BROKEN_CLAIM_NO_DUTIES
			w = 0;
#endif
			duties()
		:: true
		fi;
		if
		:: got == held
		:: !got -> lineUp()
		:: !got
		fi;
		if
#ifdef DOWNGRADE
		:: got == held -> got = 0;
			atomic {
				alone--; assert(alone == 0 && shared == 0 && !owned);
				w = flags; flags = flags & ~ALONE; count = count - SOLE + 1; shared++
			};
			if
#ifndef BROKEN_DOWNGRADE_NO_TURN
			:: (w & RESERVED) && !(w & EXCL) -> nextTurn()
#endif
			:: else
			fi;
			w = 0;
			if
			:: atomic { shared--; uncount(1) }; duties()
#ifdef KEPT
			:: kept = 1
#endif
			fi
#endif
		:: got == held -> got = 0; atomic { alone--; assert(alone == 0 && shared == 0); uncount(SOLE) }; duties()
		:: else
		fi;
		atomic { f = 0; c = 0; w = 0; got = 0; inUse = 0 }
	:: break
	od
}

/* Rule 6: the line goes back to the semaphore. It may be empty, with the flag left. */
inline sendBack() {
#ifndef BROKEN_104
	lock();
	do
	:: inLine > 0 -> atomic { pop(sentBack) }
	:: else -> break
	od;
#ifndef BROKEN_106
	flags = flags & ~RESERVED;
#endif
	mu = 0
#else
	skip
#endif
}

#ifdef RETIRES
/* A range that was not excluded leaves the map, although guards may be on it and callers in its
   line: the order of pass_adapt.pml. got says whether a guard may be on it. */
inline retire() {
	before = flags;
	if
	:: (before & (ANN + EXCL)) == ANN -> flags = flags | EXCL
	:: else
	fi;
	atomic { before = flags; got = (count > 0) };
	if
	:: got || !(before & ANN)
	:: !got && (before & ANN) && !(before & EXCL) -> got = 1
	:: !got && (before & ANN) && (before & EXCL) -> scan(); got = inUse; inUse = 0
	fi;
	if
#ifdef BROKEN_STRAIGHT_LINE
	:: got
#else
	:: got || (before & RESERVED)
#endif
	:: else ->
		atomic {
			if
			:: flags == before && count == 0 ->
				assert(!retired && shared == 0 && alone == 0);
				flags = flags | EXCL | DET | RET; retired = 1; goto over
			:: else -> got = 1
			fi
		}
	fi;
	atomic { flags = flags | EXCL | DET; f = flags; c = count };
	if
	:: f & RESERVED -> sendBack(); f = f & ~RESERVED
	:: else
	fi;
	if
	:: !got && !((f ^ before) & ANN) && c == 0 ->
		atomic {
			if
			:: flags == f && count == 0 ->
				flags = flags | RET; assert(!retired && shared == 0 && alone == 0); retired = 1
			:: else
			fi
		}
	:: else ->
		was = flags;
		if
		:: was & ANN -> scan()
		:: else
		fi;
		inUse = inUse || count > 0;
		if
		:: inUse -> inUse = 0
		:: else -> finish()
		fi
	fi
}
#endif

proctype Writer() {
	byte f, c, x, writes;
	bit inUse, got;
#ifdef ADAPT
	byte was, before;
	bit ann;
#endif
	do
#ifdef RETIRES
	:: writes < WRITES -> writes++;
		retire();
		goto over
#else
	:: writes < WRITES -> writes++;
#ifdef ADAPT
		atomic { flags = flags | EXCL; ann = ((flags & ANN) != 0) };
#else
		flags = flags | EXCL;
#endif
		waiter = 1; got = 1;
		do
#ifdef BROKEN_COUNT_FIRST
		:: inUse = (count > 0);
			if
			:: inUse || !ann
			:: else -> scan()
			fi;
#else
		:: if
			:: ann -> scan()
			:: else
			fi;
			inUse = inUse || count > 0;
#endif
			if
			:: !inUse -> break
			:: inUse ->
				if
				:: atomic { writerWoken -> writerWoken = 0 }
				:: got = 0; break
				fi
			fi
		od;
		atomic {
			inUse = 0; waiter = 0; writerWoken = 0;
			if
			:: got -> assert(shared == 0 && alone == 0); owned = 1
			:: else
			fi
		};
#ifdef DETACH
		if
#ifdef ADAPT
		/* Waited for: one swap retires it, unless there is a line or a count about to be taken back. */
		:: atomic {
#ifdef BROKEN_STRAIGHT_LINE
				got && (flags & ~(ANN + RESERVED)) == EXCL && count == 0 ->
#else
				got && (flags & ~ANN) == EXCL && count == 0 ->
#endif
				assert(!retired && shared == 0 && alone == 0);
				flags = flags | DET | RET; owned = 0; retired = 1; goto over
			}
#endif
		:: flags = flags | DET; owned = 0;
			sendBack();
			finish();
			goto over
		:: true
		fi;
#endif
		/* Rule 5 */
		atomic { owned = 0; flags = flags & ~EXCL; got = ((flags & RESERVED) != 0) };
#ifndef BROKEN_107
		if
		:: got -> nextTurn()
		:: else
		fi;
#endif
		got = 0
#endif
	:: break
	od;
over:	skip
}

active proctype Quiet() {
end_quiet:
	timeout ->
	assert(!mu && count == HELD + kept);
#ifdef KEPT
	assert(inLine == 0 && ((flags & ~ANN) == 0 || (flags & ~(ANN + RET)) == EXCL + DET && retired == !kept) ||
		kept && inLine > 0 && exclusive(line[0]) && (flags & ~ANN) == RESERVED)
#elif defined(HOLDER)
	assert(inLine == 0 && !(flags & ~ANN) || inLine > 0 && exclusive(line[0]) && (flags & ~ANN) == RESERVED)
#else
	assert(inLine == 0 && ((flags & ~ANN) == 0 || (retired && (flags & ~ANN) == EXCL + DET + RET)))
#endif
}

init {
	byte p;
	atomic {
		for (p : 0 .. SHARERS - 1) { run Shared(p) }
		for (p : SHARERS .. ALL - 1) { run Alone(p) }
#if WRITES > 0
		run Writer()
#endif
	}
}
