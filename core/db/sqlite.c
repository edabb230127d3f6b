/*
 * The SQLite driver: opening a module's file and refusing what is not one, migrating, checking, closing. The
 * rest of the driver is listed in sqlite.h.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/db/sqlite.h"
#include "core/module.h"
#include "core/runtime/clock.h"
#include "core/runtime/panic.h"

/* "FkMt" in the file's header says whose file it is. */
#define APPLICATION_ID "1181437300"

static const char journal_sql[] = "CREATE TABLE IF NOT EXISTS migration_journal ("
                                  " part text NOT NULL, name text NOT NULL, hash text NOT NULL,"
                                  " applied_at bigint NOT NULL, PRIMARY KEY (part, name))";

/* ---- opening ---- */

/* "sqlite:" or "sqlite:/absolute/path"; NULL with *error. */
static char *path_of(const database_t *database, arena_t *arena, str_t *error)
{
    const char *given = database->url + strlen("sqlite:");
    str_t path = *given
                     ? str_from(given)
                     : arena_printf(arena, "%.*s/%s.sqlite", STR_ARGS(database->host->data), database->name);
    char *copy;

    if (path.at[0] != '/') {
        *error = arena_printf(
            arena,
            "The address \"%s\" of the database of %s is no absolute path. Write \"sqlite:\" for a file "
            "in the data directory, or \"sqlite:/path/to/file\".",
            database->url, database->name);
        return NULL;
    }
    copy = memory_new(path.length + 1);
    memcpy(copy, path.at, path.length);
    return copy;
}

/* SQLite also writes beside the file, and says less clearly why it cannot. */
static bool folder_is_writable(const char *path, arena_t *arena, sqlite_error_t *error)
{
    const char *slash = strrchr(path, '/');
    str_t folder = arena_str(arena, (str_t){path, slash == path ? 1 : (size_t)(slash - path)});

    if (eaccess(folder.at, W_OK | X_OK) == 0 && (eaccess(path, F_OK) != 0 || eaccess(path, R_OK | W_OK) == 0))
        return true;
    sqlite_error_set(error, SQLITE_CANTOPEN, "unable to open database file");
    error->system = errno;
    return false;
}

/* A new, empty file becomes ours; another program's is left as it is. */
static bool claim_file(sqlite3 *handle, sqlite_error_t *error)
{
    int64_t ours, empty;

    if (!sqlite_number(handle, "SELECT application_id = " APPLICATION_ID " FROM pragma_application_id", &ours,
                       error) ||
        !sqlite_number(handle, "SELECT count(*) = 0 FROM sqlite_schema", &empty, error))
        return false;
    if (ours)
        return true;
    if (!empty) {
        sqlite_error_set(error, SQLITE_NOTADB, "");
        return false;
    }
    return sqlite_execute(handle, "PRAGMA application_id = " APPLICATION_ID, error);
}

/* What is written there is for this user alone; SQLite would let everybody read it. */
static sqlite_connection_t *create_connection(database_t *database, sqlite_error_t *error)
{
    mode_t before = umask(077);
    sqlite_connection_t *connection = sqlite_connection_open(database, PURPOSE_CREATE, error);

    if (connection && !(claim_file(connection->handle, error) &&
                        sqlite_connection_set_up(connection, PURPOSE_CREATE, error) &&
                        /* Migrations rebuild tables; what they leave is checked as a whole. */
                        sqlite_execute(connection->handle, "PRAGMA foreign_keys = OFF", error) &&
                        sqlite_execute(connection->handle, journal_sql, error))) {
        sqlite_connection_close(connection);
        connection = NULL;
    }
    umask(before);
    return connection;
}

/* Two modules in one file would share a log. */
static bool belongs_to(database_t *database, arena_t *arena, str_t *error)
{
    sqlite3 *handle = sqlite_state_of(database)->writing->handle;
    sqlite3_stmt *find = NULL;
    bool other = false;

    if (sqlite3_prepare_v2(handle,
                           "SELECT part FROM migration_journal WHERE part NOT IN ('core', ?1) LIMIT 1", -1,
                           &find, NULL) == SQLITE_OK) {
        sqlite3_bind_text(find, 1, database->name, -1, SQLITE_STATIC);
        other = sqlite3_step(find) == SQLITE_ROW;
    }
    if (other)
        *error = arena_printf(
            arena,
            "The file %s is the database of the module %s and cannot be that of %s too. Give each module "
            "a file of its own.",
            sqlite_state_of(database)->path, (const char *)sqlite3_column_text(find, 0), database->name);
    sqlite3_finalize(find);
    return !other;
}

static bool sqlite_open(database_t *database, arena_t *arena, str_t *error)
{
    static atomic_uint_fast64_t last_id;
    sqlite_state_t *state;
    sqlite_error_t reason;
    char *path = path_of(database, arena, error);

    if (!path)
        return false;
    sqlite_start();
    state = memory_new(sizeof *state);
    state->id = atomic_fetch_add(&last_id, 1) + 1;
    state->path = path;
    pthread_mutex_init(&state->lock, NULL);
    database->state = state;
    if (folder_is_writable(path, arena, &reason))
        state->writing = create_connection(database, &reason);
    if (!state->writing) {
        *error = sqlite_error_sentence(arena, path, &reason);
        return false;
    }
    return belongs_to(database, arena, error);
}

static bool sqlite_ready(database_t *database, arena_t *arena, str_t *error)
{
    sqlite_state_t *state = sqlite_state_of(database);
    sqlite_error_t reason;

    if (sqlite_connection_set_up(state->writing, PURPOSE_WRITE, &reason))
        state->writer = sqlite_writer_start(database, &reason);
    if (!state->writer)
        *error = sqlite_error_sentence(arena, state->path, &reason);
    return state->writer != NULL;
}

/* The writing connection is the last to close: with it SQLite folds the write-ahead log into the file. */
static void sqlite_close(database_t *database)
{
    sqlite_state_t *state = sqlite_state_of(database);

    if (!state)
        return;
    sqlite_writer_stop(state->writer);
    while (state->reading) {
        sqlite_connection_t *next = state->reading->next;

        sqlite_connection_close(state->reading);
        state->reading = next;
    }
    sqlite_connection_close(state->writing);
    pthread_mutex_destroy(&state->lock);
    free(state->path);
    free(state);
    database->state = NULL;
}

static bool sqlite_alive(database_t *database)
{
    sqlite_error_t error;
    sqlite_connection_t *connection = sqlite_connection_of_thread(database, &error);

    return connection &&
           sqlite_execute(connection->handle, "SELECT 1 FROM migration_journal LIMIT 1", &error);
}

/* ---- migrating ---- */

static void copy_text(char *out, size_t size, sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);

    snprintf(out, size, "%s", text ? text : "");
}

static bool sqlite_journal(database_t *database, const char *set, arena_t *arena, applied_migration_t **rows,
                           size_t *count, str_t *error)
{
    sqlite_state_t *state = sqlite_state_of(database);
    sqlite3_stmt *find = NULL;
    size_t room = 0;
    int code = sqlite3_prepare_v2(state->writing->handle,
                                  "SELECT name, hash FROM migration_journal WHERE part = ?1 ORDER BY name",
                                  -1, &find, NULL);

    *count = 0;
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(find, 1, set, -1, SQLITE_STATIC);
    while (code == SQLITE_OK && (code = sqlite3_step(find)) == SQLITE_ROW) {
        if (*count == room) {
            applied_migration_t *larger = arena_array_of(arena, applied_migration_t, room = 2 * room + 16);

            if (*count > 0)
                memcpy(larger, *rows, *count * sizeof *larger);
            *rows = larger;
        }
        copy_text((*rows)[*count].name, sizeof(*rows)->name, find, 0);
        copy_text((*rows)[*count].hash, sizeof(*rows)->hash, find, 1);
        ++*count;
        code = SQLITE_OK;
    }
    if (code != SQLITE_DONE) {
        sqlite_error_t reason;

        sqlite_error_take(&reason, state->writing->handle, code);
        *error = sqlite_error_sentence(arena, state->path, &reason);
    }
    sqlite3_finalize(find);
    return code == SQLITE_DONE;
}

/* Another process that started at the same time may have been first. */
static bool is_applied(sqlite3 *handle, const char *set, const migration_t *migration)
{
    sqlite3_stmt *find = NULL;
    bool applied = false;

    if (sqlite3_prepare_v2(handle,
                           "SELECT 1 FROM migration_journal WHERE part = ?1 AND name = ?2 AND hash = ?3", -1,
                           &find, NULL) == SQLITE_OK) {
        sqlite3_bind_text(find, 1, set, -1, SQLITE_STATIC);
        sqlite3_bind_text(find, 2, migration->name, -1, SQLITE_STATIC);
        sqlite3_bind_text(find, 3, migration->hash, -1, SQLITE_STATIC);
        applied = sqlite3_step(find) == SQLITE_ROW;
    }
    sqlite3_finalize(find);
    return applied;
}

static bool note_applied(sqlite3 *handle, const char *set, const migration_t *migration,
                         sqlite_error_t *reason)
{
    sqlite3_stmt *insert = NULL;
    int code = sqlite3_prepare_v2(handle, "INSERT INTO migration_journal VALUES (?1, ?2, ?3, ?4)", -1,
                                  &insert, NULL);

    if (code == SQLITE_OK) {
        sqlite3_bind_text(insert, 1, set, -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 2, migration->name, -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 3, migration->hash, -1, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 4, clock_now());
        code = sqlite3_step(insert);
    }
    if (code != SQLITE_DONE)
        sqlite_error_take(reason, handle, code);
    sqlite3_finalize(insert);
    return code == SQLITE_DONE;
}

static bool references_hold(sqlite3 *handle, sqlite_error_t *reason)
{
    int64_t broken;

    if (!sqlite_number(handle, "SELECT count(*) FROM pragma_foreign_key_check", &broken, reason))
        return false;
    if (broken > 0)
        sqlite_error_set(reason, SQLITE_CONSTRAINT_FOREIGNKEY, "rows refer to others that do not exist");
    return broken == 0;
}

static bool still_in_transaction(sqlite3 *handle, sqlite_error_t *reason)
{
    if (!sqlite3_get_autocommit(handle))
        return true;
    sqlite_error_set(reason, SQLITE_MISUSE, "it ends its transaction, which it may not");
    return false;
}

static bool apply(sqlite3 *handle, const char *set, const migration_t *migration, sqlite_error_t *reason)
{
    if (!sqlite_execute(handle, "BEGIN IMMEDIATE", reason))
        return false;
    if (is_applied(handle, set, migration))
        return sqlite_execute(handle, "COMMIT", reason);
    return sqlite_execute(handle, migration->sqlite, reason) && still_in_transaction(handle, reason) &&
           references_hold(handle, reason) && note_applied(handle, set, migration, reason) &&
           sqlite_execute(handle, "COMMIT", reason);
}

static bool sqlite_migrate(database_t *database, const char *set, const migration_t *migration,
                           arena_t *arena, str_t *error)
{
    sqlite_state_t *state = sqlite_state_of(database);
    sqlite3 *handle = state->writing->handle;
    sqlite_error_t reason, ignored;

    if (apply(handle, set, migration, &reason))
        return true;
    if (!sqlite3_get_autocommit(handle))
        sqlite_execute(handle, "ROLLBACK", &ignored);
    *error = arena_printf(arena, "The migration %s/%s failed and was undone (%s). %.*s", set, migration->name,
                          reason.message, STR_ARGS(sqlite_error_sentence(arena, state->path, &reason)));
    return false;
}

/* ---- checking, reading ---- */

static bool sqlite_check(database_t *database, arena_t *arena, str_t *error)
{
    sqlite_error_t reason;
    sqlite_connection_t *connection = sqlite_connection_open(database, PURPOSE_READ, &reason);
    bool all_fit = true;

    if (!connection) {
        *error = sqlite_error_sentence(arena, sqlite_state_of(database)->path, &reason);
        return false;
    }
    for (size_t i = 0; i < database->statement_count && all_fit; i++) {
        const statement_t *statement = database->statements[i];

        all_fit = sqlite_prepared(connection, statement, &reason) != NULL;
        if (!all_fit)
            *error = arena_printf(arena, "The statement %s does not fit the SQLite database of %s: %s.",
                                  statement->name, database->name, reason.message);
    }
    sqlite_connection_close(connection);
    return all_fit;
}

static tx_t *sqlite_reading(req_t *req, database_t *database)
{
    sqlite_tx_t *reading = arena_new_of(req->arena, sqlite_tx_t);

    reading->tx.req = req;
    reading->tx.database = database;
    return &reading->tx;
}

const driver_t sqlite_driver = {
    .schemes = {"sqlite"},
    .open = sqlite_open,
    .close = sqlite_close,
    .journal = sqlite_journal,
    .migrate = sqlite_migrate,
    .check = sqlite_check,
    .ready = sqlite_ready,
    .alive = sqlite_alive,
    .reading = sqlite_reading,
    .fetch = sqlite_fetch,
    .fetch_all = sqlite_fetch_all,
    .run = sqlite_run,
    .transact = sqlite_transact,
};
