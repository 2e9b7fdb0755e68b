/*
 * The line of waiters of exclusive.pml, which includes this file.
 */

/* Rule 3, with mu: the head is granted if that is possible; an empty line ends. */
inline grantLocked() {
	do
	:: atomic { f = flags; c = count };
		if
		:: !(f & RESERVED) || (f & EXCL) -> break
		:: else
		fi;
		if
		:: inLine == 0 ->
			atomic {
				if
				:: flags == f && count == c -> flags = flags & ~RESERVED; break
				:: else
				fi
			}
		:: inLine > 0 && exclusive(line[0]) ->
			if
			:: c != 0 -> break
			:: else
			fi;
#ifndef BROKEN_117
#ifdef ADAPT
			if
			:: f & ANN -> scan()
			:: else
			fi;
#else
			scan();
#endif
			if
			:: inUse -> inUse = 0; break    /* the last to leave comes here */
			:: else
			fi;
#endif
			atomic {
				if
				:: flags == f && count == c ->
					guarded(line[0]);
					flags = (inLine == 1 -> flags & ~RESERVED : flags) | ALONE; count = count + SOLE;
					pop(granted);
					break
				:: else
				fi
			}
		:: inLine > 0 && !exclusive(line[0]) ->
#ifndef BROKEN_103
			if
			:: f & ALONE -> break
			:: else
			fi;
#endif
			atomic {
				if
				:: flags == f && count == c ->
					do
					:: inLine > 0 && !exclusive(line[0]) -> guarded(line[0]); count++; pop(granted)
					:: else -> break
					od;
					flags = (inLine == 0 -> flags & ~RESERVED : flags);
					break
				:: else
				fi
			}
		fi
	od;
	atomic { f = 0; c = 0; inUse = 0 }
}

/* Rules 1, 2, 4 and 6: lineUp and awaitTurn. */
inline lineUp() {
	lock();
	do
	:: atomic { f = flags; c = count };
		if
		:: f & EXCL -> got = refused; break
		:: else
		fi;
		if
		:: !(f & (RESERVED + ALONE)) && !exclusive(me) ->
			atomic { if :: flags == f && count == c -> count++; guarded(me); got = held :: else fi }
		:: !(f & (RESERVED + ALONE)) && exclusive(me) && c == 0 ->
			claim();
			/* With mu no other process sets reserved, so only a writer may be owed something. */
			assert((w & EXCL) || !(w & RESERVED));
			if
			:: w & EXCL -> duties()
			:: else -> w = 0
			fi
		:: else
		fi;
		if
		:: got == held -> break
		:: else
		fi;
		if
		:: f & RESERVED -> break
		:: else -> atomic { if :: flags == f && count == c -> flags = flags | RESERVED; break :: else fi }
		fi
	od;
	atomic { f = 0; c = 0 };
	if
	:: got
	:: !got ->
		atomic { line[inLine] = me; inLine++; turn[me] = waiting; woken[me] = 0 };
#ifndef BROKEN_101
		grantLocked()
#endif
	fi;
	mu = 0;
	if
	:: got == held
	:: got == refused -> got = 0
	:: !got ->
		if
		:: atomic { woken[me] -> skip }
#ifdef LEAVE
		:: true
#endif
#ifdef LEAVEALONE
		:: exclusive(me)
#endif
		fi;
		lock();
		if
		:: turn[me] == waiting ->
			atomic {
				c = 0;
				do
				:: line[c] != me -> c++
				:: else -> break
				od;
				remove(c); c = 0
			};
#ifndef BROKEN_115
			grantLocked();
#endif
			got = 0
		:: turn[me] == granted -> got = held
		:: turn[me] == sentBack
		fi;
		atomic { mu = 0; turn[me] = nobody; woken[me] = 0 }
	fi
}
