/*
 * Package rangelock, second engine: readers that announce a range or count in its word,
 * writers, headers that are recycled, and transactions.
 *
 * There are two keys, and a range is one key. The tree is one pointer for each key; leaf.pml
 * has the leaf. H headers have ids that never change and are recycled at once, as in a map
 * whose keys are words; pinned.pml has the other maps. There is one line of SLOTS slots; a
 * reader that finds no free slot counts in the word. NR readers make ROUNDS calls each. NW
 * writers, one at a time, make TXNS transactions in all, of PARTS operations each. With one
 * part they are the one-operation forms, in which a range is born open; with two parts it is
 * born excluded and opened at the end. SWAPS, REMOVES, RETIRES and EXCLUDES choose the kinds,
 * CANCEL lets the wait of an exclusion end early, and DOWNGRADE lets a transaction end as a
 * reader. To make a run smaller, KEY0 has readers look for key 0 only, and NOORDER leaves out
 * the order of what they see. NOLOOK leaves out the look of A3, so that more readers announce
 * in vain. With -DGETS=n the first n readers call Get instead, and values are words. With
 * -DADAPT readers count in the word until one has set the flag announced; see
 * engine_adapt.pml. With -DUNLINKED a range is excluded only when it is out of the tree; that
 * needs two parts.
 *
 * Asserted: from A4 to R, a guard is on a range of the key, in one life, that no writer owns
 * and that is not retired. A miss is right: the key had no range at some instant of the call.
 * No call gets a range that was gone when an earlier call had got a newer one. Get returns the
 * value of the range that covered the key when it first loaded the word. A header is retired
 * once, and with no guard on it. At the end no process waits, no header is lost, and no count
 * and no announcement is left.
 *
 * Left out: reserved and alone (exclusive.pml), the order in which the slots of a line are
 * tried, failures and panics.
 */
#ifndef NR
#define NR 2
#endif
#ifndef NW
#define NW 1
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#ifndef TXNS
#define TXNS 2
#endif
#ifndef PARTS
#define PARTS 1
#endif
#ifndef H
#define H 2
#endif
#ifndef SLOTS
#define SLOTS 1
#endif
#define NONE    9           /* no header */
#define NOBOUND 7           /* the bounds of a header in the free list */
#define mine    (1 << me)

/* The flags of the word; its count and its generation change with them. */
#define EXCL 1
#define DET  2
#define RET  4
#define ANN  8              /* announced, with ADAPT */

byte flags[H], count[H], gen[H];
byte bound[H];              /* the key */
#ifdef GETS
byte value[H] = 1, values = 1;  /* each life has its own; 0 is cleared */
#endif
byte link[2];               /* the tree */
byte pub;                   /* the publication sequence */
byte slot[SLOTS];           /* 0, or what shown gives */
bit  spare[H];              /* in the free list */
bit  semW, semR;            /* the semaphore: a transaction; one that is downgraded */
bit  waiter, woken;         /* the writer that waits for guards */
byte txns;

/* For the properties. now counts the changes of the map. */
#ifdef NOORDER
#define tick skip
#define BORN 0
#else
#define tick now++
#define BORN (now + 1)
#endif
#ifdef KEY0
#define OTHER 0
#else
#define OTHER 1
#endif
byte guards[H];             /* guards held */
byte now, born[H], died[H], since[2];
byte latest;                /* the newest range that any call was told */
byte gap;                   /* bit i: reader i's key had no range at some instant of its call */
byte asked[NR];             /* the key of its call, plus one */
bit  present[2];            /* the key has a range */
bit  owned[H];              /* a writer has excluded it and waited */
bit  dying[H];              /* it ends with the transaction */

#include "engine_adapt.pml"

#ifndef ADAPT
/* W6: count, then lines, then the swap from exactly this word. g is the generation. */
inline finish(h, g) {
	occupied(h, g, 1);
	if
	:: inUse -> inUse = 0           /* the last user finishes */
	:: else ->
		atomic {
			if
#ifdef BROKEN_GENERATION
			:: flags[h] == EXCL + DET && count[h] == 0 ->
#else
			:: flags[h] == EXCL + DET && count[h] == 0 && gen[h] == g ->
#endif
				flags[h] = EXCL + DET + RET; won = 1;
				assert(guards[h] == 0 && !spare[h])
			:: else
			fi
		};
		if
		:: won -> recycle(h)
		:: else
		fi
	fi
}
#endif

/* The count and, if the range may be announced, the slots. */
inline occupied(h, g, announced) {
	inUse = (count[h] > 0);
	if
	:: inUse || !(announced)
	:: else -> inUse = (slot[0] == shown(h, g));
#if SLOTS > 1
		if
		:: inUse
		:: !inUse -> inUse = (slot[1] == shown(h, g))
		fi
#endif
	fi
}

/* OnRetire has run: bounds and value are cleared, and the header goes to the free list. */
inline recycle(h) {
	won = 0;
	bound[h] = NOBOUND;
#ifdef GETS
	value[h] = 0;
#endif
	atomic { assert(!spare[h] && guards[h] == 0); spare[h] = 1 }
}

/* What a reader owes after it has released or retracted: f and g are flags and generation of
   the word at that time or later. */
#define owes(f) (((f) & EXCL) && !((f) & RET))
inline duties(h, g, f) {
	if
	:: !(f & DET) -> d_step { if :: waiter -> woken = 1 :: else fi }
	:: f & DET -> finish(h, g)
	fi;
	f = 0
}

/* The count is taken back, by an Add whose result is the word. */
inline uncount() {
	assert(count[h] > 0);
	count[h]--; counted = 0; g = gen[h];
	f = (count[h] == 0 && owes(flags[h]) -> flags[h] : 0)
}

inline guarded() {
	assert(gen[h] == g && !(flags[h] & RET) && !spare[h] && bound[h] == k && !owned[h]);
	assert(born[h] <= now);
	assert(died[h] == 0 || died[h] > told);
	guards[h]++; held = 1;
	latest = (born[h] > latest -> born[h] : latest)
}

inline missed() {
	assert(gap & mine);
	latest = (absent > latest -> absent : latest)
}

proctype Reader(byte me) {
	byte h, k, f, g, seq, i, rounds;
	byte told, absent;      /* latest when the call began; since when there is no range */
	bit counted, covers, barred, held, inUse, won;
#ifdef ADAPT
	byte w;
#endif
#ifdef BROKEN_OLD_GENERATION
	byte g4;
#endif
	do
	:: rounds < ROUNDS -> rounds++;
		/* A1 */
		atomic {
			if
			:: k = 0
			:: k = OTHER
			fi;
			seq = pub; told = latest; asked[me] = k + 1;
			if
			:: present[k] -> gap = gap & ~mine
			:: else -> gap = gap | mine; absent = since[k]
			fi
		};
		h = link[k];                    /* A2 */
		if
		:: h == NONE -> goto none
		:: else
		fi;
#ifdef ADAPT
		enterAdapt();
#else
		/* A3: the look, the announcement; the count is taken in A4. */
#ifndef NOLOOK
		f = flags[h];
		if
		:: f & EXCL ->
			f = 0; barred = 1;
			covers = (bound[h] == k);
			goto refused
		:: else
		fi;
#endif
#ifdef BROKEN_STATE_FIRST
		atomic { f = flags[h]; g = gen[h] };
#endif
		if
		:: atomic { slot[0] == 0 -> slot[0] = shown(h, g); i = 0 }
#if SLOTS > 1
		:: atomic { slot[0] != 0 && slot[1] == 0 -> slot[1] = shown(h, g); i = 1 }
		:: atomic { slot[0] != 0 && slot[1] != 0 -> counted = 1 }
#else
		:: atomic { slot[0] != 0 -> counted = 1 }
#endif
		fi;
#ifdef BROKEN_BOUNDS_FIRST
		covers = (bound[h] == k);
#endif
		/* A4: the word, and then the bounds. */
		atomic {
			if
			:: counted -> count[h]++; f = flags[h]; g = gen[h]
#ifdef BROKEN_STATE_FIRST
			:: else
#else
			:: else -> f = flags[h]; g = gen[h]
#endif
			fi
		};
		atomic {
#ifdef BROKEN_BOUNDS_FIRST
			covers = (counted -> bound[h] == k : covers);
#else
			covers = (bound[h] == k);
#endif
			if
			:: !(f & EXCL) && covers -> guarded()
			:: else -> barred = (f & EXCL)
			fi
		};
#endif
		if
		:: held -> goto release
		:: else
		fi;
		/* A5: retract, then the word, then the duties. */
#ifdef BROKEN_OLD_GENERATION
		g4 = g;
#endif
#ifdef BROKEN_LOAD_CLEAR
		atomic { f = flags[h]; g = gen[h] };
#endif
		if
		:: counted -> atomic { uncount() }
		:: else -> slot[i] = 0;
#ifndef BROKEN_LOAD_CLEAR
			atomic { f = (owes(flags[h]) && owed -> flags[h] : 0); g = gen[h] }
#endif
		fi;
#ifdef BROKEN_NO_DUTIES
		f = 0;
#endif
#ifdef BROKEN_OLD_GENERATION
		g = g4; g4 = 0;
#endif
		if
		:: owes(f) -> duties(h, g, f)
		:: else -> f = 0
		fi;
		/* A6 */
refused:	atomic {
			f = 0; g = 0; i = 0;
			if
#ifdef BROKEN_HINT_COVERS
			:: barred = 0; covers = 0; goto none
#else
			:: barred && covers -> barred = 0; covers = 0; goto busy
			:: else -> barred = 0; covers = 0; goto none
#endif
			fi
		};
none:		atomic {
			if
#if defined(BROKEN_MISS_ON_ODD)
			:: pub == seq ->
#elif defined(BROKEN_MISS_ON_CHANGED)
			:: seq % 2 == 0 ->
#else
			:: seq % 2 == 0 && pub == seq ->
#endif
				missed(); goto over
			:: else
			fi
		};
busy:		if
		:: goto over                    /* TryAcquire, or the context ends */
		:: atomic {
				/* With the semaphore: the search and the count in one step. */
				!semW ->
				h = link[k];
				if
				:: h == NONE -> missed(); goto over
				:: else -> assert(!(flags[h] & EXCL)); count[h]++; counted = 1; g = gen[h]; guarded()
				fi
			}
		fi;
		/* R */
release:	atomic {
			assert(gen[h] == g && !(flags[h] & RET) && !spare[h] && bound[h] == k && !owned[h]);
			guards[h]--; held = 0; covers = 0;
			if
			:: counted -> uncount(); goto owing
			:: else ->
				assert(slot[i] == shown(h, g));
#ifdef BROKEN_RELEASE_LOAD_CLEAR
				f = flags[h]
#else
				slot[i] = 0
#endif
			fi
		};
#ifdef BROKEN_RELEASE_LOAD_CLEAR
		slot[i] = 0;
#else
		atomic { f = (owed -> flags[h] : 0); g = gen[h] };
#endif
#ifdef BROKEN_RELEASE_NO_DUTIES
		f = 0;
#endif
owing:		if
		:: owes(f) -> duties(h, g, f)
		:: else
		fi;
over:		atomic {
			h = 0; k = 0; f = 0; g = 0; seq = 0; i = 0; told = 0; absent = 0; counted = 0;
			covers = 0; barred = 0; asked[me] = 0; gap = gap & ~mine
		}
	:: break
	od
}

#include "engine_writer.pml"
#ifdef GETS
#include "engine_get.pml"
#endif

/* When no step is left, each header is in the tree, open, or in the free list. */
active proctype Quiet() {
	byte i;
end_quiet:
	timeout ->
	assert(!semW && !semR && slot[0] == 0 && slot[SLOTS - 1] == 0);
	for (i : 0 .. H - 1) {
		assert(count[i] == 0 && guards[i] == 0);
		assert(spare[i] || ((link[0] == i || link[1] == i) && (flags[i] & ~ANN) == 0))
	}
}

init {
	byte p;
	atomic {
		link[0] = 0; bound[0] = 0; present[0] = 1;
		link[1] = NONE;
		for (p : 1 .. H - 1) { spare[p] = 1; flags[p] = EXCL + DET + RET; bound[p] = NOBOUND }
#ifdef GETS
		for (p : 0 .. GETS - 1) { run Getter(p) }
		for (p : GETS .. NR - 1) { run Reader(p) }
#else
		for (p : 0 .. NR - 1) { run Reader(p) }
#endif
		for (p : 1 .. NW) { run Writer() }
	}
}
