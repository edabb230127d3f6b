/*
 * Time. Inside, a time is int64 microseconds since 1970 UTC; a deadline is int64 microseconds of the
 * monotonic clock; outside, RFC 3339 text. A version is a hybrid logical clock in one int64: milliseconds
 * since 1970 in the upper 47 bits, a counter in the lower 16 (Kulkarni et al., "Logical Physical Clocks",
 * 2014); with the node's id beside it in the log it orders changes of all nodes.
 */
#ifndef FOLKMOOT_CLOCK_H
#define FOLKMOOT_CLOCK_H

#include "core/runtime/base.h"

int64_t clock_now(void);       /* µs since 1970 UTC */
int64_t clock_monotonic(void); /* µs of CLOCK_MONOTONIC, for deadlines and durations */

#define TIME_TEXT_SIZE 32 /* "2026-11-21T12:00:00.000000Z" and its NUL, with room */

/* Writes RFC 3339 text in UTC with microseconds; returns its length. `time` must lie in years 0001..9999. */
size_t time_format(int64_t time, char out[TIME_TEXT_SIZE]);

/* Reads RFC 3339 text (any offset, 0 to 9 digits of fraction; years 0001..9999). False when it is anything
 * else. */
bool time_parse(str_t text, int64_t *time) MUST_CHECK;

/* The next version of a record whose present version is `previous` (0 for a new one): later than `previous`
 * and than every version that this process has given out. Any thread. */
int64_t version_next(int64_t previous);

#endif
