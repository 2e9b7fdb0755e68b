// Package inspect shows maps of package rangelock while they are in use: in a browser, as
// lines of text in the manner of /proc/PID/maps, and as JSON. It is used as
// net/http/pprof is:
//
//	http.Handle("/debug/spanlock", inspect.Handler(inspect.Named("segments", m, nil)))
//
// The page draws the ranges to scale over the space of the keys, coloured by their
// state, with gaps as gaps; one zooms by clicking, dragging, and the keys + - ← → 0. It
// says how many guards are held, who waits, how far the epoch and the backlog are, and
// what has happened per second. A map of a million ranges is drawn in cells. The page
// needs nothing but itself: no other host, and no script for all but the convenience.
//
// # Who may see it
//
// The page shows keys, and values where [Named] says how. Mount it where pprof would be
// mounted, and nowhere else: it has no access control. Keys and values may be hostile;
// they are escaped, shortened and cleared of what is not printable, and the browser is
// told to run no script but the page's own.
//
// # States
//
//	free       nobody is in it
//	held       guards are held
//	exclusive  the guard on it admits no other
//	excluded   a writer keeps readers out: it works there, waits until the guards are
//	           released ("a writer waits"), or has inserted the range and not ended its
//	           transaction
//	left       retired but held: out of the map, and alive only for its guards
//
// The page, the text and JSON use these words and no others. Ranges that have left are no
// part of what is in the map: they are listed first, those in view only, and counted by
// themselves; how many are outside the view is said beside it. Survey, and so the page,
// knows 1024 of them at most.
//
// # What it costs
//
// A request walks over the map with [rangelock.Map.Survey]: a leaf at a time, pinned only
// while the leaf is read, without guards and without a lock that anybody waits for long
// for. A writer that sits in its transaction, or waits in Exclude, does not stop it. A
// million ranges take a fifth of a second or so; the page asks once a second, or less
// often where the answer takes long. Between requests nothing runs. What is seen is no
// snapshot.
//
// A map is walked for one request at a time. When the context of a request ends, as it
// does when the client goes away, its walk stops and its wait for the walk of another
// ends; the answer, if anybody reads it, has the status 503. A map that panics in the walk
// because it finds that it was misused makes the answer 500, with the sentence of the
// panic. A query that cannot be understood is answered with 400.
//
// # Rates
//
// Requests leave a sample of the counters, half a second apart at least and kept for five
// minutes. Rates are averages of the last minute, or since the last look if that is longer
// ago, and say over how long; the line below each is of the last five minutes, as far as they
// are known, with a point for each five seconds. There is no goroutine that samples: when nobody has looked for five
// minutes the next look has no rates, the one after it has those of the time in between. Only
// slow paths are counted in a map, so there is no rate of reads. How much of the time a writer
// had the lock is the share of looks that have met one.
//
// # Alarms
//
// A wait that lasts, a range that has left long ago and is still held, a transaction that
// keeps the lock, a pin that keeps the epoch, and a backlog that is near MaxPending are
// alarms: they stand above everything else on the page, with a link to their range, and in
// the text and in JSON. [Alarms] has the bounds.
//
// # Scale
//
// Keys that are integers or floats lie where their value says. Strings and bytes lie
// where their first eight bytes say; where most ranges then have no width, because the
// keys begin alike, they lie by order, as do keys of other types and keys that are not
// ordered by value: each range is as wide as the next, there are no gaps, and a zoom
// shows other ranges when some come or go; the page says why. By order, ranges that have
// left have no place, and are listed with the whole map only.
//
// A range without an end is drawn as long as a tenth of the rest, but not beyond the last
// key of its type; the end of the picture is then ∞, and no number. Every range in the map
// is in the view of the whole map, be it at the last key that there can be. A picture of
// few keys has a part for each, so that what is drawn as a gap is one.
//
// # Queries
//
//	map=0          which of the handler's maps; text and JSON show all without it
//	from=a, to=b   the part in view, without b: numbers as they are, bytes as sixteen
//	               hexadecimal digits, otherwise the place in the order; to=∞ is the end
//	               of the map; what is outside of the map is moved to its edge
//	cut=0.25,0.5   a part of that; 0,1 is all of it
//	format=text    a line for each range: bounds, state, guards, notes, value, separated
//	               by tabs; lines that begin with # are about the map
//	format=json    the document below
//
// Where more than 256 ranges are in view, text and JSON list those that are not free, 256
// at most, and say of 240 equal parts of the view what begins there; of fewer parts where
// there are fewer places than that.
//
// # JSON
//
//	{"maps": [{
//	  "index": 0, "name": "…",
//	  "scale": "numbers",               or "bytes", "order"
//	  "whole": {"from": "0", "to": "9"}, as from= and to= take them; to is "∞" where the map has no end
//	  "view":  {"from": "0", "to": "9"},
//	  "counts": {"free": 7, "held": 2}, ranges by state, of the whole map
//	  "guards": 3, "announced": 1, "waiting": 0,   of the whole map; on the ranges
//	  "stats": {…},                     rangelock.Stats; times in nanoseconds
//	  "rates": {"over": 59.5, …},       per second, over so many seconds; null if unknown
//	  "alarms": [{"about": "wait", "text": "…"}],  or "left", "writer", "stalled", "pending"
//	  "inView": 9,                      ranges of the map, without those that have left
//	  "ranges": [{"index": 0, "lo": 0, "hi": 9, "state": "held", "guards": 1, …}],
//	  "cells": [{"from": "0", "to": "3", "ranges": 2, "guards": 0, "states": {"free": 2}}],
//	  "left": [{"lo": 0, "hi": 9, "state": "left", "guards": 1, "leftFor": 2.5}],
//	  "leftOutside": 0                  how many have left and are not in view, nor in "left"
//	}]}
//
// A bound is a number if a float64 holds it exactly, else text: integers beyond 2^53 are
// strings. It is null if it may not be shown, and hi also if "unbounded" is true. Further
// members of a range are "waiting", "writerWaits", "waitedFor" and "value"; they are absent
// if there is nothing to say. "cells" is empty where all ranges in view are listed. "ranges" of a cell
// counts those that begin in it, "states" those that reach into it. "leftFor" is in
// seconds, and so is "waitedFor", the age of the oldest wait for the range. The waits in
// "stats" have no range, because its keys may not be shown. Members may be added.
package inspect
