/*
 * What SQLite's errors mean to three people: the one who called (a problem), the one who reads the log (a
 * line), and the one who starts the program (a sentence with the remedy). A new cause that deserves its own
 * words goes here.
 */
#include <errno.h>
#include <stdio.h>

#include "core/api.h"
#include "core/db/sqlite.h"
#include "core/runtime/logline.h"

void sqlite_error_set(sqlite_error_t *error, int code, const char *message)
{
    *error = (sqlite_error_t){.code = code};
    snprintf(error->message, sizeof error->message, "%s", message);
}

void sqlite_error_take(sqlite_error_t *error, sqlite3 *handle, int code)
{
    int primary = code & 0xff;
    int cause = errno;

    sqlite_error_set(error, code, handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code));
    if (primary == SQLITE_CANTOPEN || primary == SQLITE_IOERR) {
        int known = handle ? sqlite3_system_errno(handle) : 0;

        error->system = known ? known : cause; /* SQLite forgets it when the write-ahead log cannot grow */
    }
}

static bool is_full(const sqlite_error_t *error)
{
    return (error->code & 0xff) == SQLITE_FULL ||
           ((error->code & 0xff) == SQLITE_IOERR &&
            (error->system == ENOSPC || error->system == EDQUOT || error->system == EFBIG));
}

void sqlite_error_raise(req_t *req, const sqlite_error_t *error)
{
    if (is_full(error))
        fail(req, &STORAGE_FULL,
             "The server's disk is full: nothing was saved. Try again when its operator has made room.");
    switch (error->code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        fail_retry(req, &UNAVAILABLE, SECOND_US, "The database is in use by another program. Try again.");
    case SQLITE_INTERRUPT:
        fail(req, &TIMED_OUT, "The database took too long. Try again later.");
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_NOMEM:
    case SQLITE_ABORT:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        fail(req, &UNAVAILABLE, "The server cannot use its storage at the moment. Try again later.");
    default:
        fail(req, &INTERNAL, "The database refused a statement.");
    }
}

void sqlite_error_log(const database_t *database, const char *statement, const sqlite_error_t *error)
{
    bool damaged = (error->code & 0xff) == SQLITE_CORRUPT || (error->code & 0xff) == SQLITE_NOTADB;

    logline((error->code & 0xff) == SQLITE_INTERRUPT ? LINE_WARNING : LINE_ERROR, "statement_failed",
            "database", database->name, "statement", statement, "code", line_number(error->code), "reason",
            error->message, "remedy",
            damaged ? "the file is damaged: stop the server and restore a backup" : NULL, NULL);
}

static const char *cause_and_remedy(const sqlite_error_t *error)
{
    if (is_full(error))
        return "the disk is full. Free some space and start again";
    if (error->system == EACCES || error->system == EPERM || error->system == EROFS)
        return "this user may not write there. Give the data directory to the user that runs Folkmoot, on a "
               "disk "
               "that is mounted for writing";
    if (error->system == ENOENT || error->system == ENOTDIR)
        return "its folder does not exist. Make it, or correct the path in the configuration";
    switch (error->code & 0xff) {
    case SQLITE_NOTADB:
        return "this file is not a Folkmoot database, or it is damaged. Correct the path, or restore a "
               "backup";
    case SQLITE_CORRUPT:
        return "the file is damaged. Restore a backup; keep the damaged file for examination";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "another program keeps it locked. Stop that program, or wait until it has finished, and start "
               "again";
    case SQLITE_READONLY:
        return "it is read-only. Give the data directory and its files to the user that runs Folkmoot";
    default:
        return NULL;
    }
}

str_t sqlite_error_sentence(arena_t *arena, const char *path, const sqlite_error_t *error)
{
    const char *known = cause_and_remedy(error);

    if (known)
        return arena_printf(arena, "The database %s cannot be used: %s.", path, known);
    return arena_printf(arena, "The database %s cannot be used: %s (SQLite code %d).", path, error->message,
                        error->code);
}
