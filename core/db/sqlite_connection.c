/*
 * Connections to a SQLite file: their settings, their prepared statements, and one for reading per thread. A
 * connection is used by one thread at a time, so SQLite's own locks are off.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/db/sqlite.h"
#include "core/runtime/clock.h"
#include "core/runtime/panic.h"

enum {
    MIGRATING_BUSY_MS = 30000, /* another process may be migrating the same file */
    WRITER_BUSY_MS = 5000,
    /* A reader finds the file locked only while another process recovers or closes it; it holds up its whole
       loop. */
    READER_BUSY_MS = 1000,
    PROGRESS_STEPS = 4096, /* of SQLite's machine between two looks at the deadline: some tens of µs */
    KNOWN_MAX = 64,
};

static void set_up_library(void)
{
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* its counters are one lock for all threads */
    if (sqlite3_initialize() != SQLITE_OK)
        panic("SQLite cannot start");
}

void sqlite_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, set_up_library);
}

bool sqlite_execute(sqlite3 *handle, const char *sql, sqlite_error_t *error)
{
    int code;

    errno = 0;
    code = sqlite3_exec(handle, sql, NULL, NULL, NULL);
    if (code != SQLITE_OK)
        sqlite_error_take(error, handle, code);
    return code == SQLITE_OK;
}

bool sqlite_number(sqlite3 *handle, const char *sql, int64_t *number, sqlite_error_t *error)
{
    sqlite3_stmt *prepared = NULL;
    int code = sqlite3_prepare_v2(handle, sql, -1, &prepared, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(prepared);
    if (code == SQLITE_ROW)
        *number = sqlite3_column_int64(prepared, 0);
    else
        sqlite_error_take(error, handle, code);
    sqlite3_finalize(prepared);
    return code == SQLITE_ROW;
}

/* ---- one connection ---- */

static const int busy_ms[] = {
    [PURPOSE_CREATE] = MIGRATING_BUSY_MS,
    [PURPOSE_WRITE] = WRITER_BUSY_MS,
    [PURPOSE_READ] = READER_BUSY_MS,
};

static int is_past_deadline(void *arg)
{
    const sqlite_connection_t *connection = arg;

    return connection->deadline != NEVER && clock_monotonic() > connection->deadline;
}

static bool use_write_ahead_log(sqlite_connection_t *connection, sqlite_error_t *error)
{
    int64_t wal;

    if (!sqlite_execute(connection->handle, "PRAGMA journal_mode = WAL", error) ||
        !sqlite_number(connection->handle, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", &wal,
                       error))
        return false;
    if (!wal)
        sqlite_error_set(
            error, SQLITE_CANTOPEN,
            "its file system cannot share memory between processes, as network file systems cannot. Put the "
            "data directory on a local disk");
    return wal;
}

/* Readers map the file: a page of a thread touches hundreds of pages of it, and the kernel's memory serves
 * all readers and is given back when it is short, where a cache of each connection's own is neither. 32-bit
 * machines have no room for it. Durable means durable: with FULL every commit is on the disk before anybody
 * is answered. */
bool sqlite_connection_set_up(sqlite_connection_t *connection, sqlite_purpose_t purpose,
                              sqlite_error_t *error)
{
    sqlite3 *handle = connection->handle;

    sqlite3_busy_timeout(handle, busy_ms[purpose]);
    if (purpose == PURPOSE_READ)
        return sqlite_execute(handle,
                              sizeof(void *) > 4 ? "PRAGMA query_only = ON; PRAGMA cache_size = -2000;"
                                                   "PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 1073741824"
                                                 : "PRAGMA query_only = ON; PRAGMA cache_size = -2000;"
                                                   "PRAGMA temp_store = MEMORY",
                              error);
    return use_write_ahead_log(connection, error) &&
           sqlite_execute(handle,
                          "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -4000;"
                          "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 33554432",
                          error);
}

static int open_handle(sqlite_connection_t *connection, const char *path, sqlite_purpose_t purpose)
{
    int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (purpose == PURPOSE_CREATE ? SQLITE_OPEN_CREATE : 0);
    int code = sqlite3_open_v2(path, &connection->handle, flags, NULL);

    if (code != SQLITE_OK)
        return code;
    sqlite3_extended_result_codes(connection->handle, 1);
    sqlite3_busy_timeout(connection->handle, busy_ms[purpose]);
    sqlite3_db_config(connection->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(connection->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL); /* "word" is never a text */
    sqlite3_db_config(connection->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_progress_handler(connection->handle, PROGRESS_STEPS, is_past_deadline, connection);
    return SQLITE_OK;
}

sqlite_connection_t *sqlite_connection_open(const database_t *database, sqlite_purpose_t purpose,
                                            sqlite_error_t *error)
{
    sqlite_connection_t *connection = memory_new(sizeof *connection);
    int code;

    *error = (sqlite_error_t){0};
    connection->deadline = NEVER;
    connection->prepared_count = database->statement_count;
    connection->prepared = memory_new((connection->prepared_count + 1) * sizeof(sqlite3_stmt *));
    code = open_handle(connection, sqlite_state_of(database)->path, purpose);
    if (code != SQLITE_OK)
        sqlite_error_take(error, connection->handle, code);
    else if (purpose == PURPOSE_CREATE || sqlite_connection_set_up(connection, purpose, error))
        return connection;
    sqlite_connection_close(connection);
    return NULL;
}

void sqlite_connection_close(sqlite_connection_t *connection)
{
    if (!connection)
        return;
    for (size_t i = 0; i < connection->prepared_count; i++)
        sqlite3_finalize(connection->prepared[i]);
    sqlite3_close(connection->handle);
    free(connection->prepared);
    free(connection);
}

static bool shape_fits(sqlite3_stmt *prepared, const statement_t *statement, sqlite_error_t *error)
{
    if (sqlite3_bind_parameter_count(prepared) != statement->in_count)
        sqlite_error_set(error, SQLITE_MISMATCH, "it has another number of parameters than its declaration");
    else if (sqlite3_column_count(prepared) != statement->out_count)
        sqlite_error_set(error, SQLITE_MISMATCH, "it has another number of columns than its declaration");
    else if (!statement->writes && !sqlite3_stmt_readonly(prepared))
        sqlite_error_set(error, SQLITE_MISMATCH, "it writes but is declared as reading");
    else
        return true;
    return false;
}

sqlite3_stmt *sqlite_prepared(sqlite_connection_t *connection, const statement_t *statement,
                              sqlite_error_t *error)
{
    sqlite3_stmt *prepared = connection->prepared[statement->slot];
    int code;

    if (prepared)
        return prepared;
    code = sqlite3_prepare_v3(connection->handle, statement->sqlite, -1, SQLITE_PREPARE_PERSISTENT, &prepared,
                              NULL);
    if (code != SQLITE_OK) {
        sqlite_error_take(error, connection->handle, code);
        return NULL;
    }
    if (!shape_fits(prepared, statement, error)) {
        sqlite3_finalize(prepared);
        return NULL;
    }
    connection->prepared[statement->slot] = prepared;
    return prepared;
}

/* ---- one per thread ---- */

typedef struct known_connection {
    uint64_t state_id;
    sqlite_connection_t *connection;
} known_connection_t;

/* What this thread used lately. Ids count up, so neighbours never share a place; an entry of a closed
 * database never matches again. */
static _Thread_local known_connection_t known[KNOWN_MAX];

static sqlite_connection_t *find_of_thread(sqlite_state_t *state)
{
    sqlite_connection_t *connection;

    pthread_mutex_lock(&state->lock);
    for (connection = state->reading; connection && connection->thread != known;)
        connection = connection->next;
    pthread_mutex_unlock(&state->lock);
    return connection;
}

/* A thread is known by the address of its table. When it ends, the next thread with that address takes over
 * what it left. */
static sqlite_connection_t *open_for_thread(database_t *database, sqlite_state_t *state,
                                            sqlite_error_t *error)
{
    sqlite_connection_t *connection = find_of_thread(state);

    if (connection)
        return connection;
    connection = sqlite_connection_open(database, PURPOSE_READ, error);
    if (!connection)
        return NULL;
    connection->thread = known;
    pthread_mutex_lock(&state->lock);
    connection->next = state->reading;
    state->reading = connection;
    pthread_mutex_unlock(&state->lock);
    return connection;
}

sqlite_connection_t *sqlite_connection_of_thread(database_t *database, sqlite_error_t *error)
{
    sqlite_state_t *state = sqlite_state_of(database);
    known_connection_t *entry = &known[state->id % KNOWN_MAX];

    if (entry->state_id == state->id)
        return entry->connection;
    sqlite_connection_t *connection = open_for_thread(database, state, error);
    if (connection)
        *entry = (known_connection_t){state->id, connection};
    return connection;
}
