// Package inspect serves the live state of rangelock maps over HTTP: in a browser, as lines of
// text in the manner of /proc/PID/maps, and as JSON. Use it as net/http/pprof:
//
//	http.Handle("/debug/spanlock", inspect.Handler(inspect.Named("segments", m, nil)))
//
// The page draws the ranges to scale over the space of the keys, coloured by their state, with
// gaps between them. Zoom by clicking, by dragging, or with the keys + - ← → 0. The page shows
// how many guards are held, what waits, the epoch and the backlog, and rates per second. A map of
// a million ranges is drawn in cells. The page loads nothing from other hosts, and works without
// its script.
//
// # Access
//
// The page shows keys, and values if [Named] gets a format for them. It has no access control:
// mount it only where you would mount pprof. Keys and values may be hostile. They are escaped and
// shortened, and unprintable characters are replaced. The browser is told to run no script but
// the page's own.
//
// # States
//
// A range is in one of these states:
//
//	free       no guard is held
//	held       guards are held
//	exclusive  an exclusive guard is held
//	excluded   a writer keeps readers out: it works there, waits until the guards are
//	           released ("a writer waits"), or has inserted the range and not ended its
//	           transaction
//	left       retired: out of the map, but guards are still held
//
// The page, the text and JSON use only these words. Ranges that have left are not part of the
// map. They are listed first, if they are in view, and counted separately; the number of those
// outside the view is given, too. Survey, and therefore the page, knows at most 1024 of them.
//
// # What it costs
//
// A request walks over the map with [rangelock.Map.Survey]: one leaf at a time, pinned only while
// the leaf is read, without guards, and without a lock that readers or writers would wait for
// long. A writer that keeps its transaction open, or waits in Exclude, does not stop it. A
// million ranges take about a fifth of a second. The page refreshes once a second, or less often
// if the answer takes long. Nothing runs between requests. The result is not a snapshot.
//
// One request at a time walks over maps. When the context of a request ends, as it does when the
// client disconnects, its walk or its wait for another walk ends, and the status of the answer is
// 503. If a map panics in the walk because it detects misuse, the status is 500, with the text of
// the panic. A query that cannot be parsed gets 400.
//
// # Rates
//
// Requests store samples of the counters, at least half a second apart, and keep them for five
// minutes. Rates are averages over the last minute, or since the last request if that is longer
// ago, and are shown with the time that they cover. The line below each rate covers the last five
// minutes as far as they are known, with a point for each five seconds. No goroutine takes
// samples: after five minutes without a request the next request has no rates, and the one after
// it has those of the time since then. A map counts only slow paths, so there is no rate of
// reads. The share of the time in which a writer had the lock is the share of requests that found
// one.
//
// # Alarms
//
// These are alarms: a long wait, a range that left long ago and is still held, a transaction that
// keeps the lock, a pin that stalls the epoch, and a backlog near MaxPending. Alarms are at the
// top of the page, with a link to their range, and in the text and in JSON. [Alarms] has the
// bounds.
//
// # Scale
//
// Integers and floats are drawn at their value. Strings and bytes are drawn at the value of their
// first eight bytes. Ranges are drawn by order if most of them would have no width, because their
// keys begin alike, and if the keys have another type or are not ordered by value. By order, each
// range is as wide as the next, there are no gaps, and a zoom shows other ranges when ranges come
// or go; the page gives the reason. By order, ranges that have left have no place, and are listed
// only with the whole map.
//
// A range without an end is drawn a tenth as long as the rest, but not beyond the last key of its
// type. The end of the picture is then ∞, and not a number. The view of the whole map includes
// every range of the map, even one at the last possible key. If there are few keys, each has its
// own part of the picture, so that whatever is drawn as a gap is a gap.
//
// # Queries
//
//	map=0          which of the handler's maps; without it, text and JSON show all maps
//	from=a, to=b   the part in view, without b: numbers as they are, bytes as sixteen
//	               hexadecimal digits, otherwise the position in the order; to=∞ is the end
//	               of the map; a bound outside of the map is moved to its edge
//	cut=0.25,0.5   a part of that; 0,1 is all of it
//	format=text    a line for each range: bounds, state, guards, notes, value, separated
//	               by tabs; lines that begin with # are about the map
//	format=json    the document below
//
// If more than 256 ranges are in view, text and JSON list only those that are not free, at most
// 256 of them. Then they divide the view into 240 equal parts, or fewer if it has fewer places,
// and give for each part the ranges that begin there.
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
// A bound is a number if a float64 holds it exactly, else text: integers beyond 2^53 are strings.
// It is null if it may not be shown; hi is also null if "unbounded" is true. Other members of a
// range are "waiting", "writerWaits", "waitedFor" and "value"; they are absent if they are zero
// or empty. "cells" is empty if all ranges in view are listed. "ranges" of a cell counts the
// ranges that begin in it, "states" those that overlap it. Times of a range are in seconds:
// "leftFor" is the time since it has left, and "waitedFor" the age of its oldest wait. The waits
// in "stats" have no range, because its keys may not be shown. Later versions may add members.
package inspect
