/*
 * Package rangelock: range objects, their readers, transactions, retiring and recycling,
 * around one key.
 *
 * The tree is one pointer: the range object that covers the key, or none. NR readers
 * acquire under a pin, and release; all count in the word. NW writers, one at a time, make
 * TXNS transactions in all, of the kinds that -DSWAPS, -DRETIRES and -DREMOVES choose.
 */
#ifndef NR
#define NR 2
#endif
#ifndef NW
#define NW 2
#endif
#ifndef TXNS
#define TXNS 3
#endif
/* Whether the key ever has no range. */
#if defined(RETIRES) || defined(REMOVES)
#define GAPS
#endif
#define H    3              /* range objects in all */
#define NONE 3

/* The flags; count and generation are words of their own that change with them. */
#define EXCL 1
#define DET  2
#define RET  4

byte flags[H], cnt[H], gen[H];
byte link;                  /* the tree */
byte pub;                   /* the publication sequence */

bit  semW;                  /* the semaphore: a transaction holds it */
byte semR;                  /* readers that hold it */
byte txns = TXNS;

bit  waiter;                /* Map.waiter is set */
bit  woken;                 /* the waiter has been woken */

/* The grace period. Bit i: reader i is pinned. */
byte pinned;
bit  freed[H];              /* handed to the domain; it waits for ... */
byte pins[H];               /* ... these pins, and then for OnRetire */
bit  spare[H];              /* in the free list */

/* For the properties: */
byte guards[H];             /* guards held */
bit  present = 1;           /* the key had a range when the last transaction ended */
byte born = NONE;           /* the range that an unfinished transaction has inserted */
byte gapSeen;               /* bit i: the key had no range at some instant of reader i's call */

#define mine (1 << me)

inline pin()   { pinned = pinned | mine }
/* Unpin ends this reader's part in all grace periods that have begun. */
inline unpin() {
	d_step {
		pinned = pinned & ~mine;
		for (x : 0 .. H - 1) { pins[x] = pins[x] & ~mine }
		x = 0
	}
}

/* finish, with the generation g of the life that the caller knows. */
inline finish(h, g) {
#ifdef BROKEN_17
	if
	:: flags[h] == (EXCL + DET) && cnt[h] == 0 && gen[h] == g ->
		atomic { flags[h] = EXCL + DET + RET; won = 1 }
	:: else
	fi;
#else
	atomic {
		if
		:: flags[h] == (EXCL + DET) && cnt[h] == 0 && gen[h] == g ->
			flags[h] = EXCL + DET + RET; won = 1
		:: else
		fi
	};
#endif
	if
	:: won ->
		/* free and handOver: the stamp. */
		d_step {
			assert(!freed[h] && !spare[h]);
			freed[h] = 1; pins[h] = pinned; won = 0
		}
	:: else
	fi
}

/* left: f is the flags as they were when the count was seen at zero, or later. */
inline left(h, g, f) {
	if
	:: !(f & EXCL)
	:: (f & EXCL) && !(f & DET) ->
		d_step {
			if
			:: waiter -> woken = 1
			:: else
			fi
		}
	:: (f & DET) && !(f & RET) -> finish(h, g)
	:: (f & DET) && (f & RET)
	fi
}

/* The last instant of a guard, if the reader has one. */
inline lastUse(held) {
	if
	:: held ->
		assert(gen[h] == g && !(flags[h] & RET) && !freed[h] && !spare[h]);
		guards[h]--
	:: else
	fi
}

/* The subtraction of a release or an undo from the word, and what it owes. */
inline giveBack(held) {
	atomic {
		lastUse(held);
		assert(cnt[h] > 0 && gen[h] == g);
		cnt[h]--;
		last = (cnt[h] == 0);
		f = (last -> flags[h] : 0)
	};
	if
	:: last -> last = 0; left(h, g, f)
	:: else
	fi;
	f = 0
}


/* A guard is held: its range is alive, and no writer owns it. */
inline guarded() {
	assert(!(flags[h] & (RET | EXCL)) && !freed[h] && !spare[h] && h != born);
	guards[h]++;
	g = gen[h]
}

#define busy   0
#define entered 1
#define missed 2
#define refused 3

proctype Reader(byte me) {
	byte h, g, f, x, seq, a;
	bit last, won;
	do
	:: break
	:: true ->
		/* enter: the publication sequence; then the pin and the search. */
#ifdef GAPS
		atomic {
			seq = pub;
			gapSeen = gapSeen & ~mine;
			if
			:: !present -> gapSeen = gapSeen | mine
			:: else
			fi
		};
#endif
		atomic { h = link; pin() };
		if
		:: h == NONE ->
			/* unpin, proveMiss */
			atomic {
				unpin();
				if
#if defined(BROKEN_18)
				:: true ->
#elif defined(BROKEN_36_ODD)
				:: pub == seq ->
#elif defined(BROKEN_36_CHANGED)
				:: seq % 2 == 0 ->
#else
				:: seq % 2 == 0 && pub == seq ->
#endif
					a = missed
				:: else
				fi
			}
		:: else ->
			/* The look, and the unpin if the range may not be entered. */
			atomic {
				f = flags[h];
				if
				:: f & EXCL -> f = 0; a = refused; unpin()
				:: else
				fi
			};
			if
			:: a == refused -> a = busy
			:: else ->
				atomic {
					cnt[h]++;
					f = flags[h];
					if
					:: !(f & EXCL) -> guarded(); a = entered; unpin()
					:: else -> g = gen[h]
					fi
				};
				if
				:: a == entered -> f = 0
				:: else ->
#ifdef BROKEN_53
					f = 0;
#elif defined(BROKEN_16)
					atomic { assert(cnt[h] > 0); cnt[h]--; f = 0 };
#else
					giveBack(0);
#endif
					g = 0;
					unpin()
				fi
			fi
		fi;
		if
		:: a != busy
		:: a == busy ->
			/* The slow path: the semaphore, and the search again. */
			if
			:: goto over            /* TryAcquire, or the context ends */
			:: atomic { !semW -> semR++ };
#ifndef BROKEN_14
				h = link;
#endif
				if
				:: h == NONE -> a = missed
				:: else -> atomic { cnt[h]++; guarded(); a = entered }
				fi;
				semR--
			fi
		fi;
		if
		:: a == missed ->
			/* The key had no range at some instant of the call. */
			atomic { assert(gapSeen & mine); a = busy }
		:: else ->
			/* Release */
			a = busy; giveBack(1)
		fi;
over:		atomic { h = 0; g = 0; seq = 0 }
	od
}

/* An And keeps the count of a reader that is about to take it back. */
inline open(h) {
#ifdef BROKEN_28
	flags[h] = flags[h] & ~EXCL; cnt[h] = 0
#else
	flags[h] = flags[h] & ~EXCL
#endif
}

/* occupied */
inline look(h) { inUse = (cnt[h] > 0) }

/* Excludes the range o and waits; got says whether that has succeeded. canc: the
   context may end at any time. */
inline exclude(canc) {
	atomic { assert(!(flags[o] & EXCL)); flags[o] = flags[o] | EXCL };
	look(o);
	if
	:: !inUse
	:: inUse ->
		waiter = 1;
		do
		:: look(o);
			if
			:: !inUse -> break
			:: inUse ->
				if
				:: atomic { woken -> woken = 0 }
				:: canc && !woken ->
					look(o);
					break
				fi
			fi
		od;
		atomic { waiter = 0; woken = 0 }
	fi;
	got = !inUse;
	if
	:: got -> assert(guards[o] == 0)
	:: else -> atomic { inUse = 0; open(o) }
	fi
}

inline publishing() {
	if
	:: begun
	:: !begun -> atomic { pub++; begun = 1 }
	fi
}

/* newHeader, the first one that is free. It is born excluded. */
inline newHeader() {
	d_step {
		n = 0;
		do
		:: !spare[n] -> n++
		:: else -> break
		od;
		spare[n] = 0;
		assert(cnt[n] == 0);
#ifndef BROKEN_70
		gen[n]++;
#endif
#ifdef BROKEN_19
		flags[n] = 0;
#else
		flags[n] = EXCL;
#endif
		born = n
	}
}

/* detach, and finish. */
inline detach() {
	atomic { g = gen[o]; flags[o] = flags[o] | EXCL | DET };
	finish(o, g);
	g = 0
}

#define someSpare (spare[0] || spare[1] || spare[2])

proctype Writer() {
	byte o, n, g, f, x;
	bit begun, got, inUse, won, canc;
	do
	:: break
	:: atomic { txns > 0 && !semW && semR == 0 -> semW = 1; txns--; o = link };
		if
		:: o == NONE && someSpare ->            /* Insert */
			publishing(); newHeader(); link = n
#ifdef SWAPS
		:: o != NONE && someSpare ->            /* Swap */
			publishing(); newHeader();
#ifdef BROKEN_27
			detach(); link = n
#else
			link = n; detach()
#endif
#endif
#ifdef RETIRES
		:: o != NONE ->                         /* Retire, and perhaps Insert */
			publishing();
#ifdef BROKEN_27
			detach(); link = NONE;
#else
			link = NONE; detach();
#endif
			if
			:: skip
			:: someSpare -> publishing(); newHeader(); link = n
			fi
#endif
#ifdef REMOVES
		:: o != NONE ->                         /* Exclude, and perhaps Remove */
			if
			:: canc = 0
			:: canc = 1
			fi;
			exclude(canc);
			canc = 0;
			if
			:: !got
			:: got -> assert(guards[o] == 0)
			:: got -> publishing(); link = NONE; detach()
			fi;
			got = 0
#endif
		:: skip
		fi;
		/* commit */
		if
		:: atomic { link != NONE && (flags[link] & EXCL) -> born = NONE; open(link) }
		:: else
		fi;
		if
		:: begun ->
			atomic {
				pub++; begun = 0;
#ifdef GAPS
				present = (link != NONE);
#endif
				if
				:: !present -> gapSeen = (1 << NR) - 1
				:: else
				fi
			}
		:: else
		fi;
		atomic { semW = 0; o = 0; n = 0; born = NONE }
	od
}

/* The domain's callbacks: OnRetire, when no reader is still pinned that was pinned at the
   stamp, and then the next life. */
inline bury(h) {
	assert(guards[h] == 0 && h != link && flags[h] == EXCL + DET + RET);
	freed[h] = 0; spare[h] = 1
}

active proctype Domain() {
end_domain:
	do
	:: atomic { freed[0] && pins[0] == 0 -> bury(0) }
	:: atomic { freed[1] && pins[1] == 0 -> bury(1) }
	:: atomic { freed[2] && pins[2] == 0 -> bury(2) }
	od
}


/* When no step is left, each range object is in the tree, without readers, or in the free
   list. */
active proctype Quiet() {
	byte i;
end_quiet:
	timeout ->
	assert(!semW && semR == 0);
	for (i : 0 .. H - 1) {
		assert(cnt[i] == 0 && guards[i] == 0);
		assert(spare[i] || (i == link && !(flags[i] & (EXCL | DET | RET))))
	}
}

init {
	byte p;
	atomic {
		spare[1] = 1; spare[2] = 1;
		for (p : 0 .. NR - 1) { run Reader(p) }
		for (p : 1 .. NW) { run Writer() }
	}
}
