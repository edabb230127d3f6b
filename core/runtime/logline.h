/*
 * Log lines: one JSON object per line on standard error, buffered per thread and written at the end of a
 * loop's turn (at once for warnings and errors). No secret and no personal data goes in: ids, counts, names
 * of operations and problems.
 *
 *     logline(LINE_WARNING, "reader_stopped", "reader", reader->name, "reason", reason, NULL);
 */
#ifndef FOLKMOOT_LOGLINE_H
#define FOLKMOOT_LOGLINE_H

#include "core/runtime/base.h"

typedef enum line_level { LINE_DEBUG, LINE_INFO, LINE_WARNING, LINE_ERROR } line_level_t;

void logline_configure(line_level_t least, int fd);
bool logline_enabled(line_level_t level);

/* Pairs of a name (a literal) and a text value (NULL text writes null), ended by NULL. Adds time, level,
 * event, and the id of the request that runs in this fiber. Long values are cut at 1 KiB; control characters
 * are escaped. */
void logline(line_level_t level, const char *event, ...) __attribute__((sentinel));

/* The text form of a number for a logline pair, in one of a few buffers of this thread. */
const char *line_number(int64_t number);

/* The request whose id the lines of this fiber or thread carry; NULL for none. Set by the runtime. */
void logline_set_request(const char *request_id);
void logline_flush(void);

#endif
