/*
 * Running a statement on SQLite: parameters out of the input struct, rows into row structs. A read runs on
 * the thread that asks; one that is marked slow runs on the worker pool while its fiber waits. Nothing here
 * unwinds while a statement is open: call_run gives back an error, and its callers raise it.
 */
#include <errno.h>

#include "core/api.h"
#include "core/db/sqlite.h"

enum { FIRST_ROWS = 16 };

typedef struct sqlite_call {
    database_t *database;
    sqlite_connection_t *connection; /* NULL: that of the thread it runs on */
    const statement_t *statement;
    const void *in;
    void *row;      /* ONE, OPTIONAL: where it goes */
    arena_t *arena; /* for texts, and the rows of MANY */
    int64_t deadline;
    char *rows;
    size_t count, room;
    int64_t affected;
    sqlite_error_t error;
} sqlite_call_t;

/* ---- parameters ---- */

static bool is_null(const value_slot_t *slot, const char *in)
{
    static const uuid_t no_uuid;
    const void *value = in + slot->offset;

    if (!slot->nullable)
        return false;
    if (slot->has_offset != NO_HAS)
        return !*(const bool *)(in + slot->has_offset);
    switch (slot->type) {
    case VALUE_TEXT:
    case VALUE_BYTES:
        return ((const str_t *)value)->at == NULL;
    case VALUE_UUID:
        return memcmp(value, &no_uuid, sizeof no_uuid) == 0;
    case VALUE_TIME:
        return *(const int64_t *)value == 0;
    default:
        return false;
    }
}

/* The memory stays where it is until the statement is reset, so nothing is copied. */
static int bind_value(sqlite3_stmt *prepared, int place, const value_slot_t *slot, const char *in)
{
    const void *value = in + slot->offset;
    const str_t *text = value;

    if (is_null(slot, in))
        return sqlite3_bind_null(prepared, place);
    switch (slot->type) {
    case VALUE_INT:
    case VALUE_TIME:
        return sqlite3_bind_int64(prepared, place, *(const int64_t *)value);
    case VALUE_BOOL:
        return sqlite3_bind_int(prepared, place, *(const bool *)value);
    case VALUE_TEXT:
        return sqlite3_bind_text64(prepared, place, text->at ? text->at : "", text->length, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case VALUE_BYTES:
        return sqlite3_bind_blob64(prepared, place, text->at ? text->at : "", text->length, SQLITE_STATIC);
    case VALUE_UUID:
        return sqlite3_bind_blob(prepared, place, value, sizeof(uuid_t), SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

static int bind_all(sqlite3_stmt *prepared, const statement_t *statement, const void *in)
{
    for (int i = 0; i < statement->in_count; i++) {
        int code = bind_value(prepared, i + 1, &statement->in[i], in);

        if (code != SQLITE_OK)
            return code;
    }
    return SQLITE_OK;
}

/* ---- columns ---- */

static int stored_type(value_type_t type)
{
    switch (type) {
    case VALUE_TEXT:
        return SQLITE_TEXT;
    case VALUE_BYTES:
    case VALUE_UUID:
        return SQLITE_BLOB;
    default:
        return SQLITE_INTEGER;
    }
}

static str_t text_of(arena_t *arena, const void *at, int length)
{
    /* SQLite gives NULL for what is empty; here that would say null. */
    return length > 0 ? arena_str(arena, (str_t){at, (size_t)length}) : STR("");
}

/* The row is all zero before, which is what null looks like. False when the column holds something else than
 * was declared. */
static bool read_value(sqlite3_stmt *prepared, int column, const value_slot_t *slot, arena_t *arena,
                       char *row)
{
    int type = sqlite3_column_type(prepared, column);
    void *out = row + slot->offset;

    if (type == SQLITE_NULL)
        return slot->nullable;
    if (type != stored_type(slot->type))
        return false;
    if (slot->has_offset != NO_HAS)
        *(bool *)(row + slot->has_offset) = true;
    switch (slot->type) {
    case VALUE_INT:
    case VALUE_TIME:
        *(int64_t *)out = sqlite3_column_int64(prepared, column);
        return true;
    case VALUE_BOOL:
        *(bool *)out = sqlite3_column_int64(prepared, column) != 0;
        return true;
    case VALUE_TEXT:
        *(str_t *)out =
            text_of(arena, sqlite3_column_text(prepared, column), sqlite3_column_bytes(prepared, column));
        return true;
    case VALUE_BYTES:
        *(str_t *)out =
            text_of(arena, sqlite3_column_blob(prepared, column), sqlite3_column_bytes(prepared, column));
        return true;
    case VALUE_UUID:
        if (sqlite3_column_bytes(prepared, column) != sizeof(uuid_t))
            return false;
        memcpy(out, sqlite3_column_blob(prepared, column), sizeof(uuid_t));
        return true;
    }
    return false;
}

static void *next_row(sqlite_call_t *call)
{
    size_t size = call->statement->row_size;

    if (call->row)
        return call->row;
    if (call->count == call->room) {
        size_t room = call->room ? 2 * call->room : FIRST_ROWS;
        char *rows = arena_alloc(call->arena, arena_array_size(size, room));

        if (call->count > 0)
            memcpy(rows, call->rows, call->count * size);
        call->rows = rows;
        call->room = room;
    }
    return call->rows + call->count * size;
}

static bool read_row(sqlite_call_t *call, sqlite3_stmt *prepared)
{
    const statement_t *statement = call->statement;
    char *row;

    if (statement->shape != SHAPE_MANY && call->count == 1) {
        sqlite_error_set(&call->error, SQLITE_MISMATCH, "it gave more than one row");
        return false;
    }
    row = next_row(call);
    memset(row, 0, statement->row_size);
    for (int i = 0; i < statement->out_count; i++) {
        if (read_value(prepared, i, &statement->out[i], call->arena, row))
            continue;
        sqlite_error_set(&call->error, SQLITE_MISMATCH,
                         "a column holds null or a type that its declaration excludes");
        return false;
    }
    call->count++;
    return true;
}

/* ---- running ---- */

/* The message of a plain SQLITE_ERROR at run time may quote a value (FTS5 does), and values do not go to the
 * log. */
static void take_error(sqlite_call_t *call, sqlite3 *handle, int code)
{
    if ((code & 0xff) == SQLITE_ERROR)
        sqlite_error_set(&call->error, code, sqlite3_errstr(code));
    else
        sqlite_error_take(&call->error, handle, code);
}

static void step_all(sqlite_call_t *call, sqlite3 *handle, sqlite3_stmt *prepared)
{
    int code;

    errno = 0;
    while ((code = sqlite3_step(prepared)) == SQLITE_ROW && call->statement->out_count > 0)
        if (!read_row(call, prepared))
            return;
    if (code == SQLITE_DONE)
        call->affected = sqlite3_changes64(handle);
    else
        take_error(call, handle, code);
}

/* A writer's connection that is no longer in its transaction: SQLite rolled it back after an earlier error,
 * and whatever ran now would be committed on its own. */
static bool lost_transaction(const sqlite_call_t *call)
{
    return call->connection && sqlite3_get_autocommit(call->connection->handle);
}

static void call_run(void *arg)
{
    sqlite_call_t *call = arg;
    sqlite_connection_t *connection = call->connection;
    sqlite3_stmt *prepared;
    int code;

    if (lost_transaction(call)) {
        sqlite_error_set(&call->error, SQLITE_ABORT_ROLLBACK, "the transaction was rolled back before");
        return;
    }
    if (!connection)
        connection = sqlite_connection_of_thread(call->database, &call->error);
    if (!connection || !(prepared = sqlite_prepared(connection, call->statement, &call->error)))
        return;
    connection->deadline = call->deadline;
    code = bind_all(prepared, call->statement, call->in);
    if (code == SQLITE_OK)
        step_all(call, connection->handle, prepared);
    else
        take_error(call, connection->handle, code);
    sqlite3_reset(prepared);
    connection->deadline = NEVER;
}

static void run_on_worker(req_t *req, sqlite_call_t *call)
{
    switch (worker_run(req->host->workers, call_run, call, req->deadline)) {
    case WORKER_DONE:
        return;
    case WORKER_FULL:
        fail_retry(req, &BUSY, SECOND_US, "Too many slow requests are waiting. Try again.");
    case WORKER_DEADLINE:
        fail(req, &TIMED_OUT, "The database had too much to do. Try again later.");
    case WORKER_CANCELLED:
        fail(req, &CLIENT_GONE, "The client went away.");
    }
}

/* A statement that takes many rows runs for one after another, and gives what they give together. */
static void run_each(sqlite_call_t *call)
{
    const statement_rows_t *rows = call->in;

    for (size_t i = 0; i < rows->count && call->error.code == SQLITE_OK; i++) {
        call->in = (const char *)rows->first + i * call->statement->in_size;
        call_run(call);
    }
}

static void call_begin(sqlite_call_t *call, tx_t *tx, const statement_t *statement, const void *in, void *row)
{
    *call = (sqlite_call_t){
        .database = tx->database,
        .connection = ((sqlite_tx_t *)tx)->connection,
        .statement = statement,
        .in = in,
        .row = row,
        .arena = tx->req->arena,
        .deadline = tx->req->deadline,
    };
}

/* Runs the call where it belongs; ends in fail() when it failed. */
static void perform(tx_t *tx, sqlite_call_t *call)
{
    if (call->statement->slow && !tx->writing && tx->req->host->workers && fiber_self())
        run_on_worker(tx->req, call);
    else if (call->statement->each)
        run_each(call);
    else
        call_run(call);
    if (call->error.code == SQLITE_OK)
        return;
    sqlite_error_log(tx->database, call->statement->name, &call->error);
    sqlite_error_raise(tx->req, &call->error);
}

bool sqlite_fetch(tx_t *tx, const statement_t *statement, const void *in, void *row)
{
    sqlite_call_t call;

    call_begin(&call, tx, statement, in, row);
    perform(tx, &call);
    if (call.count == 0 && statement->shape == SHAPE_ONE) {
        sqlite_error_set(&call.error, SQLITE_MISMATCH, "it gave no row");
        sqlite_error_log(tx->database, statement->name, &call.error);
        sqlite_error_raise(tx->req, &call.error);
    }
    return call.count > 0;
}

size_t sqlite_fetch_all(tx_t *tx, const statement_t *statement, const void *in, void **rows)
{
    sqlite_call_t call;

    call_begin(&call, tx, statement, in, NULL);
    perform(tx, &call);
    *rows = call.rows;
    return call.count;
}

int64_t sqlite_run(tx_t *tx, const statement_t *statement, const void *in)
{
    sqlite_call_t call;

    call_begin(&call, tx, statement, in, NULL);
    perform(tx, &call);
    return statement->shape == SHAPE_AFFECTED ? call.affected : 0;
}
