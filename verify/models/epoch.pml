/*
 * Package epoch: pin, retire, advance, and the driver's sleep.
 *
 * NREAD readers pin, look for the one object, use it and unpin. A reclaimer unlinks
 * the object, stamps it, drives until its grace period is over, reclaims it and links
 * it again. NADV other processes advance too (Cookie.Done). All repeat this as often as
 * the bound of epochs allows, and every process may be slow at any step.
 *
 * With -DNOSLEEP the reclaimer waits for the advances of others, as a queued waiter does.
 * With -DONESLOT all readers hash to one slot, otherwise each to its own.
 */
#ifndef NREAD
#define NREAD 2
#endif
#ifndef NADV
#define NADV 2
#endif
#ifndef MAXEPOCH
#define MAXEPOCH 4          /* no process advances further: the wrap-around is not modelled */
#endif
#define WAITBIT 8

byte epoch;
byte pins[4];               /* slot s, parity p: pins[2*s + p] */

bit linked = 1;             /* the object can be found */
bit reclaimed;              /* the object must not be used */

bit sleeper;                /* waits.sleeper is set */
bit woken;                  /* the driver's parker has a wake-up */

/* For the properties: */
bit asleep;                 /* the driver parks ... */
byte asleepIn, asleepOn;    /* ... in this epoch, on this counter */
byte owed;                  /* wake-ups that are still to come */

/* The load of sleeper, and the Wake. */
inline wakeSleeper() {
	d_step {
		owed--;
		if
		:: sleeper -> woken = 1
		:: else
		fi
	}
}

/* The last use of the object that was found, and Unpin's subtraction from one counter. */
inline left(c) {
	atomic {
		assert(!(found && reclaimed));
		assert(pins[c] & 7);
		pins[c]--;
#ifndef BROKEN_34
		wake = (pins[c] == WAITBIT);
		owed = owed + wake
#endif
	};
	if
	:: wake -> wakeSleeper(); wake = 0
	:: else
	fi
}

proctype Reader(bit me) {
	byte e;
	bit s, both, found, wake;
	do
	:: /* Pin */
		atomic {
			e = epoch & 1;      /* only the parity is used */
#ifdef ONESLOT
			s = 0
#else
			s = me
#endif
		};
#ifdef BROKEN_01
		found = linked;         /* loaded before the pin is announced */
#endif
		pins[2*s + e]++;
		both = ((epoch & 1) != e);
#if defined(BROKEN_SETTLE)
		both = 0;               /* no second load */
#elif defined(BROKEN_SWITCH)
		if
		:: both ->              /* count in the other counter, and take the first count back */
			atomic { both = 0; pins[2*s + 1 - e]++; e = 1 - e };
			left(2*s + 1 - e)
		:: else
		fi;
#else
		if
		:: both -> pins[2*s + 1 - e]++
		:: else
		fi;
#endif
#ifndef BROKEN_01
		found = linked;
#endif
		if
		:: both -> left(2*s); found = 0; left(2*s + 1)
		:: else -> left(2*s + e)
		fi;
		atomic { both = 0; found = 0; e = 0; s = 0 }
	od
}

#define counter(s) (2*(s) + ((e + 1) & 1))

/* The compare-and-swap of step, and the wake-up that it owes. */
inline step() {
	atomic {
		if
#ifdef BROKEN_35
		:: true ->
#else
		:: epoch != e
		:: epoch == e ->
#endif
			epoch = e + 1;
#ifndef NOSLEEP
			owed++; moved = 1
#endif
		fi
	};
#ifndef NOSLEEP
	if
	:: moved -> wakeSleeper(); moved = 0
	:: else
	fi
#endif
}

#ifdef BROKEN_06
#define scanned(s) ((s) == 0)
#else
#define scanned(s) 1
#endif

#define pinnedIn(s) (scanned(s) && (pins[counter(s)] & 7))

proctype Poller() {
	byte e;
	bit moved;
	do
	:: epoch < MAXEPOCH ->
		e = epoch;
		/* scan */
		if
		:: atomic { pinnedIn(0) -> e = 0 }
		:: atomic { !pinnedIn(0) -> skip };
			if
			:: atomic { pinnedIn(1) -> e = 0 }
			:: atomic { !pinnedIn(1) -> skip };
				step();
				e = 0
			fi
		fi
	od
}

inline sleep(c) {
	sleeper = 1;
	atomic { pins[c] = pins[c] ^ WAITBIT; none = (pins[c] == WAITBIT) };
#ifdef BROKEN_LOOK
	none = 0;
#endif
	if
	:: none
	:: else ->
		if
#ifndef BROKEN_72
		:: epoch != e
#endif
		:: atomic {
#ifndef BROKEN_72
				epoch == e ->
#else
				true ->
#endif
				asleep = 1; asleepIn = e; asleepOn = c
			};
			atomic { woken -> woken = 0; asleep = 0; asleepIn = 0; asleepOn = 0 }
		fi
	fi;
	atomic { pins[c] = pins[c] ^ WAITBIT; none = 0 };
	sleeper = 0;
	e = 0
}

proctype Reclaimer() {
	byte e, target;
	bit moved, none;
	do
	:: epoch + 2 <= MAXEPOCH ->
#ifdef BROKEN_02
		target = epoch + 2;     /* stamped before the unlink */
		linked = 0;
#else
		linked = 0;
#ifdef BROKEN_03
		target = epoch + 1;
#else
		target = epoch + 2;
#endif
#endif
#ifdef NOSLEEP
		epoch >= target;
#else
		/* drive */
		do
		:: epoch >= target -> break
		:: epoch < target ->
			e = epoch;
			if
			:: atomic { pinnedIn(0) -> skip }; sleep(counter(0))
			:: atomic { !pinnedIn(0) -> skip };
				if
				:: atomic { pinnedIn(1) -> skip }; sleep(counter(1))
				:: atomic { !pinnedIn(1) -> skip };
					step();
					e = 0
				fi
			fi
		od;
#endif
		atomic { target = 0; reclaimed = 1 };
		/* Each drive makes a new parker. */
		atomic { woken = 0; reclaimed = 0; linked = 1 }
	od
}

/*
 * The driver does not sleep when no counter blocks it, nor on a counter that no longer
 * blocks it, unless a process is about to wake it. In the second case new pins, each
 * overlapping the next, could keep the counter above zero forever.
 */
active proctype Watch() {
end_watch:
	atomic {
		asleep && !woken && owed == 0 && (epoch != asleepIn || pins[asleepOn] == WAITBIT) ->
		assert(false)
	}
}

init {
	byte p;
	atomic {
		for (p : 1 .. NREAD) { run Reader(p - 1) }
		for (p : 1 .. NADV) { run Poller() }
		run Reclaimer()
	}
}
