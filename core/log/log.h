/*
 * The log: the one way in which what happened in a module reaches anything else. A table in each module's
 * database; an entry is appended in the transaction that makes the change, and carries the state of the
 * record, so that applying it twice, late or elsewhere gives the same rows. Readers follow it and keep their
 * position in the transaction of their effect.
 *
 * Order. A position is (transaction, sequence). On SQLite there is one writer, so `sequence` alone orders and
 * `transaction` is 0. On PostgreSQL transactions commit out of the order of their sequence numbers; an entry
 * also carries the id of its transaction, and readers see only entries of transactions below
 * pg_snapshot_xmin: all of those have ended, so nothing can slip in below a position once read.
 */
#ifndef FOLKMOOT_LOG_H
#define FOLKMOOT_LOG_H

#include "core/db/db.h"

typedef struct log_position {
    int64_t transaction;
    int64_t sequence;
} log_position_t;

#define LOG_START ((log_position_t){0, 0})
enum { LOG_POSITION_TEXT_SIZE = 44 };

static inline int log_position_compare(log_position_t left, log_position_t right)
{
    if (left.transaction != right.transaction)
        return left.transaction < right.transaction ? -1 : 1;
    return left.sequence < right.sequence ? -1 : left.sequence > right.sequence;
}

void log_position_format(log_position_t position, char out[LOG_POSITION_TEXT_SIZE]); /* "812" or "7401.812" */
bool log_position_parse(str_t text, log_position_t *position) MUST_CHECK;

typedef enum log_scope { SCOPE_PRIVATE, SCOPE_TRUSTED_PEERS, SCOPE_PUBLIC } log_scope_t;

typedef struct log_entry {
    log_position_t position; /* of what was read; set by the log */
    uuid_t id;               /* set by log_append when none */
    str_t type;              /* "post.created" */
    uuid_t record;           /* which record changed */
    int64_t version;         /* the record's version after the change */
    log_scope_t scope;       /* private unless set */
    uuid_t actor;            /* who did it; none: the program */
    uuid_t subject;          /* the person it is about; none: nobody in particular */
    int64_t time;            /* set by log_append when 0 */
    int64_t schema;          /* version of the form of `data`; set to 1 when 0 */
    str_t data;              /* JSON: the state of the record; none is written as null */
    str_t topics; /* live topics, separated by blanks: "board/<id> post/<id>"; none: nobody is told */
    str_t live;   /* JSON: what those who follow a topic are told; needs topics */
} log_entry_t;

/* Appends in the transaction; readers are nudged after the commit. */
void log_append(tx_t *tx, const log_entry_t *entry);

/* Appends many, in their order, by one statement. */
void log_append_each(tx_t *tx, const log_entry_t *entries, size_t count);

/* Up to `limit` (1..1000) entries after `position`, in order, of the log of `module` (not only
 * req->module's). May wait. */
size_t log_read(req_t *req, const struct module *module, log_position_t position, size_t limit,
                log_entry_t **entries);

/* The position of the last entry that readers may see; LOG_START when there is none. May wait. */
log_position_t log_head(req_t *req, const struct module *module);

/* The last position before `time` (µs UTC, by the entries' own times; exact enough to start a reader that
 * tolerates old entries). */
log_position_t log_position_before(req_t *req, const struct module *module, int64_t time);

/* ---- readers ---- */

/* A reader that a module keeps: applies entries of `source`'s log (another module or itself) to the module's
 * own rows, in a transaction that also moves its position: so it neither skips nor repeats, wherever it is
 * killed. `apply` gets some entries in their order, so that it can write by a few statements for all of them;
 * it may ignore types it does not know. It may run more than once for an entry whose transaction
 * is run again. It must not fail() for an entry that will never succeed: a reader that fails is tried again
 * with growing pauses, named in the log lines and in /readyz. */
typedef struct log_reader {
    const char *name; /* "forum.members" */
    const char
        *source; /* name of the module whose log it reads; when that is not enabled, the reader rests */
    void (*apply)(tx_t *tx, const log_entry_t *entries, size_t count);
} log_reader_t;

/* Starts the module's readers of all modules of the host, each in a fiber of the calling thread's loop. */
typedef struct log_readers log_readers_t;
log_readers_t *log_readers_start(struct host *host);
void log_readers_stop(
    log_readers_t *readers); /* cancels and waits (in a fiber, or by turning the loop) until all have ended */

/* Applies everything that is in the logs now and returns; for commands and tests. In a fiber, with no readers
 * running in this process. */
void log_readers_catch_up(struct host *host);

typedef struct log_reader_status {
    const char *name;
    log_position_t position, head;
    int64_t lag_entries;   /* -1: not known */
    int64_t failing_since; /* 0: well */
} log_reader_status_t;

size_t log_readers_status(log_readers_t *readers, log_reader_status_t *out, size_t most);

#endif
