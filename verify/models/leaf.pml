/*
 * The tree of the second engine: leaves whose slots do not move, ordered by one word, and
 * inner nodes that are copied.
 *
 * A leaf has three slots. perm is its order: the number of ranges, and the slots in the order
 * of their keys. After them come the free slots, whose keys are the maximum. An inner node has
 * one child or two; only its child pointers change. A node without a second child has the
 * maximum as its separator. The keys are 0 to KEYS - 1. With -DTOP the last of them is the
 * maximum itself. A range covers one key, and with -DWIDE perhaps two. Two headers with the same
 * bounds take turns as the range of one key.
 *
 * One reader makes one call. It writes nothing, so a second one would not matter. One writer
 * makes OPS changes: it inserts, removes, splits a leaf (and a full inner node), and merges two
 * leaves. With -DWIDE it also raises or lowers a separator, either alone (a raise), or to insert
 * a range that crosses the separator, which is put to the left or to the right of it.
 * At the beginning the tree is one leaf with any ranges, with -DTREE two leaves below a root,
 * and with -DSTALE one leaf in which a range was removed and inserted again. Nodes are not
 * reused, as in a map whose keys are words. With -DQUIET a change of shape that changes no
 * content does not change pub; a raise for an insertion always does.
 *
 * Asserted: a miss is right (the key had no range at some instant of the call), and a reader
 * goes to the semaphore only if no range of its key was in the tree throughout (P4).
 *
 * Left out: words with a count, announcements and lives (engine.pml; here a header is open or
 * not), merges of inner nodes, more than two levels of them, leaves that become empty.
 */
#ifndef OPS
#define OPS 2
#endif
#ifdef TOP
#define KEYS 4
#else
#define KEYS 3
#endif
#define MAX     3
#define LEAVES  6
#define INNERS  5
#define INNER   16          /* nodes below are leaves */
#define NOWHERE 31

byte perm[LEAVES], key[LEAVES * 3], range[LEAVES * 3];
byte child0[INNERS], child1[INNERS], separator[INNERS];
byte root, leaves = 1, inners;
byte pub;

/* Header 1 + 2*lo and 2 + 2*lo cover lo; header 10 + lo covers lo and the next key. */
#define HEADERS 14
#define wide(lo) (10 + (lo))
#define covers(h, k) ((h) != 0 && ((h) < 10 -> ((h) - 1) / 2 == (k) : (h) - 10 == (k) || (h) - 9 == (k)))
#define low(h)  ((h) < 10 -> ((h) - 1) / 2 : (h) - 10)
bit  opened[HEADERS];       /* attached, and not excluded */
bit  linked[HEADERS];       /* in the tree */
byte version[4];            /* the next header of a key */
#define one(set, k) (set[1 + 2*(k)] || set[2 + 2*(k)] || set[10 + (k)] || set[9 + (k)])
#define covered(k)  one(opened, k)
#define there(k)    ((opened[1 + 2*(k)] && linked[1 + 2*(k)]) || (opened[2 + 2*(k)] && linked[2 + 2*(k)]) || \
	(opened[10 + (k)] && linked[10 + (k)]) || (opened[9 + (k)] && linked[9 + (k)]))

/* For the properties, of the reader's call. */
byte asked = 9;             /* its key */
bit  gap;                   /* it had no range at some instant */
bit  moved;                 /* no range of it was in the tree throughout */

#define n(p)     ((p) >> 6)
#define at(p, i) (((p) >> (2 * (i))) & 3)
#define EMPTY    (0 + 4 + 32)

#define child(i, k) ((k) >= separator[i] && child1[i] != NOWHERE -> child1[i] : child0[i])

proctype Reader() {
	byte k, seq, l, rank, p, h, todo, i;
	/* A1 */
	atomic {
		k = 0;
		do
		:: k < KEYS - 1 -> k++
		:: break
		od;
		seq = pub; asked = k; gap = !covered(k); moved = !there(k)
	};
	/* A2: down the tree, one child pointer in a step; then the keys of the slots, in any order. */
	l = root;
	do
#ifdef BROKEN_NO_MIN_INNER
	:: l >= INNER && l != NOWHERE -> l = (k >= separator[l - INNER] -> child1[l - INNER] : child0[l - INNER])
	:: l == NOWHERE -> goto none
#else
	:: l >= INNER -> l = child(l - INNER, k)
#endif
	:: else -> break
	od;
	todo = 7;
	do
	:: atomic { todo & 1 -> todo = todo - 1; rank = rank + (key[l*3] <= k -> 1 : 0) }
	:: atomic { todo & 2 -> todo = todo - 2; rank = rank + (key[l*3 + 1] <= k -> 1 : 0) }
	:: atomic { todo & 4 -> todo = todo - 4; rank = rank + (key[l*3 + 2] <= k -> 1 : 0) }
	:: todo == 0 -> break
	od;
	atomic {
		p = perm[l];
#ifndef BROKEN_NO_MIN
		rank = (rank > n(p) -> n(p) : rank)
#endif
	};
	if
	:: rank > 0 -> h = range[l*3 + at(p, rank - 1)]
	:: else
	fi;
	/* A3, A4 */
	if
	:: atomic { covers(h, k) && opened[h] -> goto over }
	:: else
	fi;
	/* A6: a hint that covers means busy, and is no miss. */
none:	if
#ifndef BROKEN_HINT_COVERS
	:: covers(h, k) -> goto wait
#endif
#if defined(BROKEN_MISS_ON_ODD)
	:: atomic { !covers(h, k) && pub == seq -> assert(gap); goto over }
#elif defined(BROKEN_MISS_ON_CHANGED)
	:: atomic { !covers(h, k) && seq % 2 == 0 -> assert(gap); goto over }
#elif defined(BROKEN_HINT_COVERS)
	:: atomic { seq % 2 == 0 && pub == seq -> assert(gap); goto over }
#else
	:: atomic { !covers(h, k) && seq % 2 == 0 && pub == seq -> assert(gap); goto over }
#endif
	:: else
	fi;
#ifndef BROKEN_NO_SECOND_LOOK
	/* The second look: all headers of the leaf that cover the key. */
	do
	:: i < 3 ->
		h = range[l*3 + i];
		if
		:: atomic { covers(h, k) && opened[h] -> goto over }
#ifdef BROKEN_ONE_ONLY
		:: atomic { covers(h, k) && !opened[h] -> goto wait }
#endif
		:: else
		fi;
		i++
	:: else -> break
	od;
#endif
wait:	assert(moved);
over:	atomic { k = 0; seq = 0; l = 0; rank = 0; p = 0; h = 0; todo = 0; i = 0; asked = 9; gap = 0; moved = 0 }
}

/* The leaf of key q, its parent and its grandparent. */
inline seek(q) {
	l = root; parent = NOWHERE; grand = NOWHERE;
	do
	:: l >= INNER -> grand = parent; parent = l; l = child(l - INNER, q)
	:: else -> break
	od
}

inline newInner(a, s, b) {
	child0[inners] = a; separator[inners] = s; child1[inners] = b; inners++
}

/* One store: the node that was made last, or node, replaces old below above. */
inline publish(above, old, node) {
	atomic {
		if
		:: above == NOWHERE -> root = node
		:: above != NOWHERE && child0[above - INNER] == old -> child0[above - INNER] = node
		:: else -> child1[above - INNER] = node
		fi
	}
}
#define newest (INNER + inners - 1)

/* v becomes a perm like p in which slot s has moved from one place to another. */
inline reorder(to, from) {
	v = 0; x = 0;
	for (y : 0 .. 2) {
		if
		:: y == to -> v = v | (s << (2*y))
		:: else ->
			x = (x == from -> x + 1 : x);
			v = v | (at(p, x) << (2*y)); x++
		fi
	}
	x = 0; y = 0
}

/* Adds ranges of a leaf, from one place up to another, to a leaf that is not published yet. */
inline copy(from, begin, end, to) {
	x = begin;
	do
	:: x < end ->
		key[to*3 + n(perm[to])] = key[from*3 + at(perm[from], x)];
		range[to*3 + n(perm[to])] = range[from*3 + at(perm[from], x)];
		perm[to] = perm[to] + 64; x++
	:: else -> break
	od;
	x = 0
}

/* The separator between l and the next leaf, if it has ranges: the node is r, below above. */
inline nearest() {
	r = NOWHERE; above = NOWHERE; next = NOWHERE;
	if
	:: parent != NOWHERE && child1[parent - INNER] != NOWHERE && child0[parent - INNER] == l ->
		r = parent; above = grand; next = child1[parent - INNER]
	:: else ->
		if
		:: grand != NOWHERE && child1[grand - INNER] != NOWHERE && child0[grand - INNER] == parent ->
			r = grand; next = child0[child1[grand - INNER] - INNER]
		:: else
		fi
	fi
}
#define first(l) key[(l)*3 + at(perm[l], 0)]

/* A copy of node r with another separator: the next leaf's first range, or q. */
inline move(s) {
	atomic { newInner(child0[r - INNER], s, child1[r - INNER]); i = newest };
	publish(above, r, i)
}
inline raise() { move(first(next)) }
inline lower() { move(q) }

inline odd() { pub++ }
#ifdef QUIET
#define shape skip
#else
#define shape odd()
#endif

/* Whether header h may be inserted at q, and whether it crosses the next separator. */
#define crosses (h >= 10 && next != NOWHERE && q + 1 >= separator[r - INNER])
#define gap_fits (!covered(q) && (h < 10 || !covered(q + 1)) && (!crosses || n(perm[next]) > 0))
#define right   (crosses && n(perm[next]) < 3)

proctype Writer() {
	byte l, parent, grand, r, above, next, q, i, j, s, p, h, v, x, y, ops;
	bit lowers;
	do
	:: ops < OPS -> ops++;
		atomic {
			q = 0;
			do
			:: q < KEYS - 1 -> q++
			:: break
			od;
			seek(q); nearest(); p = perm[l];
			h = 1 + 2*q + version[q];
#ifdef WIDE
			if
			:: q + 1 < KEYS -> h = wide(q)
			:: skip
			fi;
#endif
			/* the ranges at or below q */
			do
			:: i < n(p) && key[l*3 + at(p, i)] <= q -> i++
			:: else -> break
			od
		};
		if
		/* Insert: W2 */
		:: atomic {
				gap_fits && (n(p) < 3 || right) ->
				if
				:: h < 10 -> version[q] = 1 - version[q]
				:: else
				fi;
				if
				:: !crosses -> next = NOWHERE
				:: crosses && n(p) < 3
				:: right -> lowers = 1; l = next; p = perm[l]; i = 0
				fi;
				s = at(p, n(p));
				reorder(i, n(p));
				v = v + 64 * (n(p) + 1)
			};
			odd();
			opened[h] = 1;
			if
#ifndef BROKEN_NO_RAISE
			:: next != NOWHERE && !lowers -> raise()
#endif
#ifndef BROKEN_NO_LOWER
			:: lowers -> lower()
#endif
			:: else
			fi;
			range[l*3 + s] = h;
			key[l*3 + s] = q;
			atomic { perm[l] = v; linked[h] = 1 };
			odd()
		/* Remove: W3 */
		:: atomic {
				i > 0 && covers(range[l*3 + at(p, i - 1)], q) ->
				s = at(p, i - 1); h = range[l*3 + s];
				reorder(n(p) - 1, i - 1);
				v = v + 64 * (n(p) - 1)
			};
			/* Excluded: a reader of the range waits. The key has a range until pub is odd. */
			atomic { opened[h] = 0; moved = moved | covers(h, asked) };
			odd();
			atomic { perm[l] = v; linked[h] = 0; gap = gap | covers(h, asked); moved = moved | gap };
#ifndef BROKEN_NO_MAX
			key[l*3 + s] = MAX;
#endif
			odd()
		/* a leaf is split, and its parent with it if that is full */
		:: atomic {
				n(p) >= 2 && leaves + 2 <= LEAVES && inners + 3 <= INNERS &&
				(parent == NOWHERE || child1[parent - INNER] == NOWHERE || grand == NOWHERE) ->
				i = leaves; j = leaves + 1; leaves = leaves + 2;
				if
				:: v = 1
				:: n(p) > 2 -> v = 2
				fi;
				copy(l, 0, v, i); copy(l, v, n(p), j);
				if
				:: parent == NOWHERE || child1[parent - INNER] == NOWHERE -> newInner(i, key[j*3], j)
				:: else ->
					r = parent - INNER;
					if
					:: child0[r] == l -> newInner(i, key[j*3], j); newInner(child1[r], MAX, NOWHERE); newInner(newest - 1, separator[r], newest)
					:: else -> newInner(child0[r], separator[r], i); newInner(j, MAX, NOWHERE); newInner(newest - 1, key[j*3], newest)
					fi
				fi;
				above = (parent == NOWHERE -> NOWHERE : grand)
			};
			shape;
#ifdef BROKEN_SPLIT_MOVES
			s = at(p, n(p) - 1);
			range[l*3 + s] = 0;
			key[l*3 + s] = MAX;
#endif
			publish(above, parent, newest);
			shape
		/* two leaves are merged */
		:: atomic {
				parent != NOWHERE && child1[parent - INNER] != NOWHERE && leaves < LEAVES && inners < INNERS &&
				n(perm[child0[parent - INNER]]) + n(perm[child1[parent - INNER]]) <= 3 ->
				i = leaves; leaves++;
				j = child0[parent - INNER]; copy(j, 0, n(perm[j]), i);
				j = child1[parent - INNER]; copy(j, 0, n(perm[j]), i);
				if
				:: grand == NOWHERE -> j = i
				:: else -> newInner(i, MAX, NOWHERE); j = newest
				fi
			};
			shape;
			publish(grand, parent, j);
			shape
#ifdef WIDE
		/* a raise alone, which makes room: the content does not change */
		:: atomic { next != NOWHERE && n(perm[next]) > 0 && first(next) > separator[r - INNER] && inners < INNERS -> skip };
			shape;
			raise();
			shape
#endif
		:: skip
		fi;
		atomic { l = 0; parent = 0; grand = 0; r = 0; above = 0; next = 0; q = 0; i = 0; j = 0; s = 0; p = 0; h = 0; v = 0; lowers = 0 }
	:: break
	od
}

/* Puts the range of key k into leaf l, or does not. */
inline maybe(l, k) {
	if
	:: range[l*3 + n(perm[l])] = 1 + 2*k; key[l*3 + n(perm[l])] = k; perm[l] = perm[l] + 64;
		opened[1 + 2*k] = 1; linked[1 + 2*k] = 1; version[k] = 1
	:: skip
	fi
}

init {
	byte i;
	atomic {
		for (i : 0 .. LEAVES*3 - 1) { key[i] = MAX }
		for (i : 0 .. LEAVES - 1) { perm[i] = EMPTY }
#if defined(STALE)
		/* Key 1: slot 0 has a dead header, slot 1 the live one; slot 2 is taken next. */
		range[0] = 3; range[1] = 4; key[1] = 1; opened[4] = 1; linked[4] = 1; perm[0] = 64 + 1 + 8;
#elif defined(TREE)
		leaves = 2; maybe(0, 0);
		if
		:: maybe(0, 1); maybe(1, 2); newInner(0, 2, 1)
		:: maybe(1, 1); maybe(1, 2); newInner(0, 1, 1)
		fi;
#ifdef TOP
		maybe(1, 3);
#endif
		root = INNER;
#else
		for (i : 0 .. KEYS - 1) {
			if
			:: n(perm[0]) < 3 -> maybe(0, i)
			:: else
			fi
		}
#endif
		i = 0;
		run Reader();
		run Writer()
	}
}
