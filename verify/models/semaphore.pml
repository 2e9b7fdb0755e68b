/*
 * Package rwsem: one word, one queue, cancellation, downgrade, sequence.
 *
 * Each step is one atomic operation of the code, or what the code does under
 * Sem.mu between two of them; CONFORMANCE.md says which line is which step.
 *
 * NR readers and NW writers make any number of calls, and may stop when they
 * hold nothing. One reader calls RLock, the other RLockContext and TryRLock; one writer
 * calls Lock, Unlock and Downgrade, the other LockContext and Unlock. With -DALL all call
 * everything. With -DHOLDER there is one more reader, which has the
 * lock from the beginning and never releases it: every waiter that this reader admits must
 * be admitted, although no release follows.
 */
#ifndef NR
#define NR 2
#endif
#ifndef NW
#define NW 2
#endif
#define N (NR + NW)

#ifdef HOLDER
#define HELD 1
#else
#define HELD 0
#endif

#define WRITER  32
#define WAITERS 16

byte state = HELD;     /* the state word; the low four bits count */
bit  seq;              /* the sequence, modulo 2 */
bit  mu;               /* Sem.mu */
byte q[N];             /* the queue, head first; under mu */
byte qlen;
bit  granted[N];       /* waiter.granted; under mu */
bit  woken[N];         /* the parker's wake-up */

byte readers = HELD;   /* how many hold the lock: for the properties only */
byte writers;
byte parked;

/* The calls of each process. With -DALL every process makes all calls. */
#ifdef ALL
#define does(i) 1
#else
#define does(i) (me == (i))
#endif

#define isReader(i) ((i) < NR)
#define held        (readers + writers)

inline pop(who) {
	who = q[0]; granted[who] = 1; woken[who] = 1;
	for (i : 0 .. N - 2) { q[i] = q[i + 1] }
	q[N - 1] = 0;
	qlen--
}

/* grantLocked, with mu held, within an atomic step. */
inline grantLocked() {
	d_step {
		if
		:: qlen == 0
		:: qlen > 0 && !isReader(q[0]) ->
			/* The compare-and-swap from exactly waiters, and the hand-over. */
			if
			:: state == WAITERS ->
#ifdef BROKEN_09
				state = WRITER;
#else
				state = WRITER + (qlen > 1 -> WAITERS : 0);
#endif
				pop(k)
			:: else
			fi
		:: qlen > 0 && isReader(q[0]) ->
			/* The look, and one add for the batch. */
			if
			:: state & WRITER
			:: !(state & WRITER) ->
				do
				:: qlen > 0 && isReader(q[0]) -> state++; pop(k)
				:: else -> break
				od;
				if
				:: qlen == 0 -> state = state - WAITERS
				:: else
				fi
			fi
		fi;
		k = 0; i = 0
	}
}

inline grant() { atomic { mu == 0 -> grantLocked() } }

inline push() { q[qlen] = me; qlen++ }

/* wait: got says whether the lock was granted. canc: the context may end at any time. */
inline wait(canc) {
	if
	:: /* Two operations on the word; other processes find mu taken between them. */
		atomic {
			mu == 0 && qlen == 0 ->
			assert(!(state & WAITERS));
			state = state + WAITERS;
			push();
			mu = 1
		};
		atomic {
#ifndef BROKEN_31
			grantLocked();
#endif
			mu = 0; got = granted[me]; parked++
		}
	:: /* The bit is set already: one operation. */
		atomic {
			mu == 0 && qlen > 0 ->
			assert(state & WAITERS);
			push();
#ifndef BROKEN_31
			grantLocked();
#endif
			got = granted[me]; parked++
		}
	fi;
	if
	:: got
	:: !got ->
end_parked:
		if
		:: atomic { woken[me] -> got = 1 }
		:: canc && !woken[me] ->
			/* mu, and everything that is done under it. */
			atomic {
				mu == 0 ->
				if
				:: granted[me] ->
#ifdef BROKEN_12
					skip
#else
					got = 1
#endif
				:: else ->
					/* dropLocked. Either the bit is cleared, or the head may be
					   granted: one operation on the word. */
					i = 0;
					do
					:: q[i] != me -> i++
					:: else -> break
					od;
					do
					:: i < N - 1 -> q[i] = q[i + 1]; i++
					:: else -> break
					od;
					q[N - 1] = 0; i = 0;
					qlen--;
					if
					:: qlen == 0 -> assert(state & WAITERS); state = state - WAITERS
					:: else ->
#ifdef BROKEN_30
						skip
#else
						grantLocked()
#endif
					fi
				fi
			}
		fi
	fi;
	d_step { granted[me] = 0; woken[me] = 0; parked-- }
}

/* The add of minusOne by a release or an undo, and what it owes. */
inline readerGone() {
	atomic { assert((state & 15) > 0); state--; n = state };
	if
	:: n == WAITERS -> n = 0; grant()
	:: else -> n = 0
	fi
}

inline undo() {
#ifdef BROKEN_UNDO
	atomic { assert((state & 15) > 0); state-- }
#else
	readerGone()
#endif
}

/* A reader is in: no writer is in, and on the fast path the queue was empty. */
inline readerIn(fast) {
	assert(writers == 0);
	assert(!fast || qlen == 0);
	readers++
}

/* The add of a reader. Its result says whether the reader is in. */
inline addOne() {
	atomic {
#if defined(BROKEN_08)
		/* Admitted by a look at another word. */
		n = (seq == 0 -> 1 : WRITER + 1);
		state++;
#elif defined(BROKEN_10)
		state++;
		n = state & ~WAITERS;
#else
		state++;
		n = state;
#endif
		if
		:: n < WAITERS -> readerIn(1); got = 1
		:: else -> got = 0
		fi;
		n = 0
	}
}

inline tryRLock() {
	got = 0;
#ifdef BROKEN_32
	busy = (qlen > 0);
	addOne();
	if
	:: got
	:: !got ->
		/* A waiter was queued before this call began: the call must not touch the count.
		   Otherwise a loop of such calls could hold the count above zero forever. */
		assert(!busy);
		undo()
	fi;
	busy = 0
#else
	if
	:: state >= WAITERS
	:: state < WAITERS ->
		addOne();
		if
		:: got
		:: !got -> undo()
		fi
	fi
#endif
}

proctype Reader(byte me) {
	byte n, i, k;
	bit got;
#ifdef BROKEN_32
	bit busy;
#endif
	do
	:: break
	:: does(0) -> /* RLock */
		addOne();
		if
		:: got
		:: !got -> undo(); wait(0); atomic { assert(got); readerIn(0) }
		fi;
		atomic { readers--; got = 0 };
		readerGone()
	:: does(1) -> /* RLockContext; the context ends */
		tryRLock();
		if
		:: got
		:: !got ->
			wait(1);
			if
			:: atomic { got -> readerIn(0) }
			:: !got
			fi
		fi;
		if
		:: atomic { got -> readers--; got = 0 }; readerGone()
		:: !got
		fi
	:: does(1) -> /* TryRLock, perhaps in a loop */
		tryRLock();
		if
		:: atomic { got -> readers--; got = 0 }; readerGone()
		:: !got
		fi
	od
}

/* The compare-and-swap of the fast path. */
inline tryLock() {
	atomic {
		if
		:: state == 0 -> state = WRITER; got = 1
		:: else -> got = 0
		fi
	}
}

inline leave() { seq = 1 - seq }

proctype Writer(byte me) {
	byte n, i, k;
	bit got, canc;
	do
	:: break
	:: /* Lock, or LockContext whose context ends; TryLock is the first step of both */
		if
		:: does(NR) -> canc = 0
		:: does(NR + 1) -> canc = 1
		fi;
		tryLock();
		if
		:: got
		:: !got ->
			if
			:: canc -> canc = 0; goto over      /* TryLock has failed */
			:: skip
			fi;
			/* yieldToGranted: two loads, and then perhaps another swap. */
			if
			:: !(state & WRITER)
			:: state & WRITER ->
				if
				:: seq == 1
				:: seq == 0 -> tryLock()
				fi
			fi;
			if
			:: got
			:: !got -> wait(canc)
			fi
		fi;
		canc = 0;
		if
		:: !got
		:: got ->
			/* enter */
			atomic {
				seq = 1 - seq;
				got = 0;
				writers++;
				assert(writers == 1 && readers == 0)
			};
			/* The critical section ends with the first step of the release. The sequence
			   has been odd all the time. */
			if
			:: /* Unlock */
				atomic {
					assert(seq == 1);
					writers--;
#ifndef BROKEN_13
					leave();
				}
				atomic {
#endif
					assert(state & WRITER);
					state = state - WRITER;
					n = state
				};
#ifdef BROKEN_13
				leave();
#endif
				if
				:: n & WAITERS -> n = 0; grant()
				:: else -> n = 0
				fi
			:: does(NR) -> /* Downgrade, and later RUnlock */
				atomic {
					assert(seq == 1);
					writers--;
#ifndef BROKEN_13
					leave();
				}
				atomic {
#endif
					state = state - WRITER + 1;
					n = state;
					readerIn(0)
				};
#ifdef BROKEN_13
				leave();
#endif
				if
				:: n & WAITERS -> n = 0; grant()
				:: else -> n = 0
				fi;
				readers--;
				readerGone()
			fi
		fi;
over:		skip
	od
}

/*
 * When no step is left, each process has stopped and holds nothing, or it is parked for a
 * reason: the holders of the lock do not admit the head of the queue.
 */
active proctype Quiet() {
end_quiet:
	timeout ->
	assert(mu == 0);
	assert(parked == qlen);
	assert(state == (writers > 0 -> WRITER : 0) + readers + (qlen > 0 -> WAITERS : 0));
	if
	:: qlen > 0 && isReader(q[0]) -> assert(writers > 0)
	:: qlen > 0 && !isReader(q[0]) -> assert(held > 0)
	:: else
	fi
}

init {
	byte p;
	atomic {
		for (p : 0 .. N - 1) {
			if
			:: isReader(p) -> run Reader(p)
			:: else -> run Writer(p)
			fi
		}
	}
}
