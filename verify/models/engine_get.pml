/*
 * Get without a write, of engine.pml, which includes this file: a value is one word, and is read
 * with the bounds between two loads of the range's word.
 */

proctype Getter(byte me) {
	byte h, k, f, g, v, seq, told, absent, rounds;
	byte wanted, came;      /* value and birth at the first load, for the properties */
	bit covers, right;
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
#ifdef BROKEN_GET_VALUE_FIRST
		v = value[h];
#endif
		/* The word. If the range is open now, now is when Get takes effect. */
		atomic {
			f = flags[h]; g = gen[h];
			wanted = value[h]; came = born[h];
			right = (bound[h] == k && died[h] == 0 && came <= now)
		};
		if
		:: f & EXCL -> goto busy
		:: else
		fi;
#ifndef BROKEN_GET_VALUE_FIRST
		v = value[h];
#endif
		covers = (bound[h] == k);
		/* The word again: except for the count and announced it must be the same. */
		atomic {
			if
#if defined(BROKEN_GET_NO_SECOND_LOOK)
			:: covers ->
#elif defined(BROKEN_GET_NO_GENERATION)
			:: covers && same(flags[h], f) ->
#elif defined(BROKEN_GET_NO_FLAGS)
			:: covers && gen[h] == g ->
#else
			:: covers && same(flags[h], f) && gen[h] == g ->
#endif
				assert(right && v == wanted);
				latest = (came > latest -> came : latest);
				goto over
			:: !covers -> goto none
			:: else -> goto busy
			fi
		};
none:		atomic {
			if
			:: seq % 2 == 0 && pub == seq -> missed(); goto over
			:: else
			fi
		};
		/* The code announces, as Acquire does, or waits; here Get takes the semaphore. */
busy:		atomic {
			!semW ->
			h = link[k];
			if
			:: h == NONE -> missed()
			:: else ->
				assert(!(flags[h] & EXCL) && bound[h] == k && (died[h] == 0 || died[h] > told));
				latest = (born[h] > latest -> born[h] : latest)
			fi
		};
over:		atomic {
			h = 0; k = 0; f = 0; g = 0; v = 0; seq = 0; told = 0; absent = 0; wanted = 0; came = 0;
			covers = 0; right = 0; asked[me] = 0; gap = gap & ~mine
		}
	:: break
	od
}
