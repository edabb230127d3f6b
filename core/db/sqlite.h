/*
 * Inside the SQLite driver. A database is a file in WAL mode: any number of connections read it, each used by
 * one thread; one connection writes, on the writer thread.
 *
 *   sqlite.c            the driver: opening, migrating, checking, closing
 *   sqlite_connection.c connections, their settings and prepared statements, and which thread uses which
 *   sqlite_statement.c  running a statement: parameters, rows
 *   sqlite_error.c      what SQLite says, for the log, for the caller and for the operator
 *   sqlite_queue.c      the bodies that wait for the writer, and how their fibers wait
 *   sqlite_writer.c     the writer thread: batches, savepoints, one commit for all
 */
#ifndef FOLKMOOT_SQLITE_H
#define FOLKMOOT_SQLITE_H

#include <sqlite3.h>

#include "core/db/driver.h"

typedef struct sqlite_writer sqlite_writer_t;

typedef struct sqlite_connection {
    sqlite3 *handle;
    sqlite3_stmt **prepared; /* by statement->slot; NULL: not yet */
    size_t prepared_count;
    int64_t deadline;   /* of the statement that runs: past it, it is interrupted */
    const void *thread; /* whose it is, see sqlite_connection_of_thread */
    struct sqlite_connection *next;
} sqlite_connection_t;

typedef struct sqlite_state {
    uint64_t id; /* never used twice in a process, unlike addresses */
    char *path;
    sqlite_connection_t *writing; /* migrates, then belongs to the writer thread */
    pthread_mutex_t lock;         /* of `reading` */
    sqlite_connection_t *reading;
    sqlite_writer_t *writer;
} sqlite_state_t;

static inline sqlite_state_t *sqlite_state_of(const database_t *database)
{
    return database->state;
}

typedef struct sqlite_tx {
    tx_t tx;
    sqlite_connection_t *connection; /* the writer's; NULL when reading: the thread's own */
} sqlite_tx_t;

/* ---- sqlite_error.c ---- */

/* Why a call failed, taken from the connection before another call hides it. */
typedef struct sqlite_error {
    int code;   /* extended; SQLITE_OK: none */
    int system; /* errno, when the file system said it; else 0 */
    char message[200];
} sqlite_error_t;

/* errno is to be 0 before the call that may fail. */
void sqlite_error_take(sqlite_error_t *error, sqlite3 *handle, int code);
void sqlite_error_set(sqlite_error_t *error, int code, const char *message);

/* What the request ends in: STORAGE_FULL, UNAVAILABLE, TIMED_OUT or INTERNAL. */
_Noreturn void sqlite_error_raise(req_t *req, const sqlite_error_t *error);
void sqlite_error_log(const database_t *database, const char *statement, const sqlite_error_t *error);

/* A sentence for who starts the program: what is wrong with this file, and what to do. */
str_t sqlite_error_sentence(arena_t *arena, const char *path, const sqlite_error_t *error);

/* ---- sqlite_connection.c ---- */

void sqlite_start(void); /* once per process, before the first connection */

typedef enum sqlite_purpose { PURPOSE_CREATE, PURPOSE_WRITE, PURPOSE_READ } sqlite_purpose_t;

/* NULL with *error. A connection that creates has no settings yet that would change the file: see
 * sqlite_connection_set_up. */
sqlite_connection_t *sqlite_connection_open(const database_t *database, sqlite_purpose_t purpose,
                                            sqlite_error_t *error);
bool sqlite_connection_set_up(sqlite_connection_t *connection, sqlite_purpose_t purpose,
                              sqlite_error_t *error);
void sqlite_connection_close(sqlite_connection_t *connection); /* NULL is fine */

/* This thread's connection for reading, opened on first use; NULL with *error. */
sqlite_connection_t *sqlite_connection_of_thread(database_t *database, sqlite_error_t *error);

/* The statement, prepared once per connection; NULL with *error. */
sqlite3_stmt *sqlite_prepared(sqlite_connection_t *connection, const statement_t *statement,
                              sqlite_error_t *error);

/* The one number that a statement gives; false with *error. */
bool sqlite_number(sqlite3 *handle, const char *sql, int64_t *number, sqlite_error_t *error);
bool sqlite_execute(sqlite3 *handle, const char *sql, sqlite_error_t *error);

/* ---- sqlite_statement.c ---- */

bool sqlite_fetch(tx_t *tx, const statement_t *statement, const void *in, void *row);
size_t sqlite_fetch_all(tx_t *tx, const statement_t *statement, const void *in, void **rows);
int64_t sqlite_run(tx_t *tx, const statement_t *statement, const void *in);

/* ---- sqlite_writer.c ---- */

sqlite_writer_t *sqlite_writer_start(database_t *database, sqlite_error_t *error);
void sqlite_writer_stop(sqlite_writer_t *writer); /* finishes what waits; NULL is fine */
void sqlite_transact(req_t *req, database_t *database, void (*body)(tx_t *tx, void *arg), void *arg,
                     bool *appended);

#endif
