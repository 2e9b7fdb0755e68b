/*
 * The second engine in maps whose keys are not words: what the epoch protects.
 *
 * By default the map is one of NewFunc: under the domain's pin, a search reads the low bounds of
 * headers, which are plain memory. A header is cleared and written again only when its cookie is
 * done: when no reader is still pinned that was pinned when the header was retired. With -DTEXTS
 * keys are texts: there is no pin, a header is reused at once, and a reader compares its text
 * after A4 has found the word open, when its announcement protects the header.
 *
 * There is one key, one leaf with two slots, and three headers. NR readers make ROUNDS calls,
 * each with a slot of its own in the lines; a writer makes OPS changes. By default A6 looks again
 * through perm only; with -DNIL it looks at both slots, and an unlink empties the slot before the
 * header is detached.
 *
 * Asserted: no reader reads a bound while it is written, or in a life other than the one in
 * which it found the header. No header with a guard is retired or written. At the end no header
 * is lost.
 *
 * Left out: the count, the semaphore, whether a miss is right (engine.pml), nodes, which are
 * reused by the same rule as headers, and the pin of a search by texts that was refused.
 */
#ifndef NR
#define NR 2
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#ifndef OPS
#define OPS 2
#endif
#define HEADERS 3
#define NONE 9
#define mine (1 << me)

#define EXCL 1
#define DET  2
#define RET  4

byte flags[HEADERS], gen[HEADERS];
byte perm;                  /* the slot of the range, or NONE */
byte range[2];
byte pub;
byte slot[NR];              /* 0, or a header plus one */
byte pinned;                /* bits of readers */
bit  retired[HEADERS];      /* its cookie waits for ... */
byte pins[HEADERS];         /* ... these readers */
bit  spare[HEADERS];

/* For the properties. */
byte looks[HEADERS];        /* readers that read the bounds */
bit  written[HEADERS];      /* the bounds are being written */
byte guards[HEADERS];

inline pin() { pinned = pinned | mine }
inline unpin() {
	d_step {
		pinned = pinned & ~mine;
		pins[0] = pins[0] & ~mine; pins[1] = pins[1] & ~mine; pins[2] = pins[2] & ~mine
	}
}

inline finish(h, g) {
	inUse = (slot[0] == h + 1);
#if NR > 1
	if
	:: inUse
	:: !inUse -> inUse = (slot[1] == h + 1)
	fi;
#endif
	if
	:: inUse -> inUse = 0
	:: else ->
		atomic {
			if
			:: flags[h] == EXCL + DET && gen[h] == g -> flags[h] = EXCL + DET + RET; won = 1; assert(guards[h] == 0)
			:: else
			fi
		};
		if
		:: won -> d_step { won = 0; assert(!retired[h] && !spare[h]); retired[h] = 1; pins[h] = pinned }
		:: else
		fi
	fi
}

/* A read of the bounds, which takes two steps. */
inline compare(h) {
	atomic { assert(!written[h] && !spare[h]); life = gen[h]; looks[h]++ };
	atomic { assert(!written[h] && gen[h] == life); looks[h]--; life = 0 }
}

/* From a hint: the search's look at it, A3 and A4, and R or A5. */
inline try(h) {
#ifndef TEXTS
	compare(h);
#endif
	slot[me] = h + 1;
#ifdef BROKEN_TEXT_EARLY
	compare(h);
#endif
	atomic {
		f = flags[h]; g = gen[h];
		if
		:: !(f & EXCL) -> guards[h]++; held = 1; entered = 1; assert(!retired[h] && !spare[h] && !written[h])
		:: else
		fi
	};
	if
	:: held ->
#if defined(TEXTS) && !defined(BROKEN_TEXT_EARLY)
		compare(h);
#endif
		unpin()
	:: else
	fi;
	atomic {
		slot[me] = 0;
		if
		:: held -> held = 0; guards[h]--; assert(gen[h] == g && !(flags[h] & RET))
		:: else
		fi
	};
	atomic { f = flags[h]; g = gen[h] };
	if
	:: (f & DET) && !(f & RET) -> finish(h, g)
	:: else
	fi;
	atomic { h = 0; f = 0; g = 0; p = 0 }
}

proctype Reader(byte me) {
	byte h, f, g, life, seq, p, i, rounds;
	bit inUse, won, held, entered;
	do
	:: rounds < ROUNDS -> rounds++;
		atomic { pin(); seq = pub };                    /* A1 */
		p = perm;                                       /* A2 */
		h = (p == NONE -> NONE : range[p]);
		if
		:: h != NONE -> try(h)
		:: else
		fi;
		if
		:: entered || (seq % 2 == 0 && pub == seq)
		:: else ->
			/* A6, still pinned */
#if defined(NIL) || defined(BROKEN_FREE_SLOTS)
			do
			:: i < 2 && !entered ->
				h = range[i]; i++;
				if
				:: h != NONE -> try(h)
				:: else
				fi
			:: else -> break
			od
#else
			p = perm;
			h = (p == NONE -> NONE : range[p]);
			if
			:: h != NONE -> try(h)
			:: else
			fi
#endif
		fi;
		unpin();
		atomic { h = 0; f = 0; g = 0; seq = 0; p = 0; i = 0; entered = 0 }
	:: break
	od
}

#define someSpare (spare[0] || spare[1] || spare[2])

inline birth() {
	atomic { n = 0; do :: !spare[n] -> n++ :: else -> break od };
	atomic { assert(looks[n] == 0); written[n] = 1; spare[n] = 0 };
	atomic { assert(looks[n] == 0); written[n] = 0 };
	atomic { gen[n]++; flags[n] = 0 }
}

#define exclude(f) flags[o] = flags[o] | (f)

proctype Writer() {
	byte o, n, g, s, ops;
	bit inUse, won;
	do
	:: ops < OPS -> ops++;
		if
		/* Swap */
		:: atomic { perm != NONE && someSpare -> o = range[perm] };
			pub++;
#ifdef BROKEN_DETACHED_FIRST
			exclude(EXCL + DET);
#else
			exclude(EXCL);
#endif
			birth();
			range[perm] = n;
			atomic { exclude(EXCL + DET); g = gen[o] };
			finish(o, g);
			pub++
		/* Retire */
		:: atomic { perm != NONE -> o = range[perm]; s = perm };
			pub++;
#ifdef BROKEN_DETACHED_FIRST
			exclude(EXCL + DET);
#else
			exclude(EXCL);
#endif
			perm = NONE;
#ifdef NIL
			range[s] = NONE;
#endif
			atomic { exclude(EXCL + DET); g = gen[o] };
			finish(o, g);
			pub++
		/* Insert, in either slot */
		:: atomic { perm == NONE && someSpare -> skip };
			pub++;
			birth();
			if
			:: s = 0
			:: s = 1
			fi;
			range[s] = n;
			perm = s;
			pub++
		fi;
		atomic { o = 0; n = 0; g = 0; s = 0 }
	:: break
	od
}

/* The domain: the bounds are cleared, and the header goes to the free list. */
inline recycle(h) {
	atomic { assert(looks[h] == 0 && guards[h] == 0); retired[h] = 0; written[h] = 1 };
	atomic { assert(looks[h] == 0); written[h] = 0; spare[h] = 1 }
}

#if defined(BROKEN_COOKIE) || defined(TEXTS)
#define done(h) retired[h]
#else
#define done(h) (retired[h] && pins[h] == 0)
#endif

active proctype Domain() {
end_domain:
	do
	:: atomic { done(0) -> skip }; recycle(0)
	:: atomic { done(1) -> skip }; recycle(1)
	:: atomic { done(2) -> skip }; recycle(2)
	od
}

active proctype Quiet() {
	byte i;
end_quiet:
	timeout ->
	for (i : 0 .. HEADERS - 1) {
		assert(guards[i] == 0);
		assert(spare[i] || (perm != NONE && range[perm] == i && flags[i] == 0))
	}
}

init {
	byte p;
	atomic {
		range[0] = 0; range[1] = NONE;
		spare[1] = 1; spare[2] = 1; flags[1] = EXCL + DET + RET; flags[2] = EXCL + DET + RET;
		for (p : 0 .. NR - 1) { run Reader(p) }
		run Writer()
	}
}
