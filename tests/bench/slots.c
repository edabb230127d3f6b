/* See slots.h. The loops over slots are what the server's own driver does too, so neither side has an
 * advantage. */
#include "tests/bench/slots.h"

#include "core/runtime/uuid.h"

void give_up(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

const statement_t *statement_named(const statement_t *table, size_t count, const char *name)
{
    for (size_t place = 0; place < count; place++)
        if (strcmp(table[place].name, name) == 0)
            return &table[place];
    give_up(name, "there is no such statement");
}

sqlite3 *slots_open(const char *path)
{
    sqlite3 *database = NULL;

    if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        give_up(path, sqlite3_errmsg(database));
    sqlite3_busy_timeout(database, 5000);
    return database;
}

void slots_execute(sqlite3 *database, const char *sql)
{
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK)
        give_up(sql, sqlite3_errmsg(database));
}

sqlite3_stmt *slots_prepare(sqlite3 *database, const char *sql)
{
    sqlite3_stmt *prepared = NULL;

    if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, NULL) != SQLITE_OK)
        give_up(sql, sqlite3_errmsg(database));
    return prepared;
}

static void bind(sqlite3_stmt *prepared, int place, const value_slot_t *slot, const char *in)
{
    const void *value = in + slot->offset;
    const str_t *text = value;

    switch (slot->type) {
    case VALUE_INT:
    case VALUE_TIME:
        if (!slot->nullable || *(const int64_t *)value != 0)
            sqlite3_bind_int64(prepared, place, *(const int64_t *)value);
        break;
    case VALUE_BOOL:
        sqlite3_bind_int(prepared, place, *(const bool *)value);
        break;
    case VALUE_TEXT:
        if (!slot->nullable || text->at)
            sqlite3_bind_text64(prepared, place, text->at, text->length, SQLITE_STATIC, SQLITE_UTF8);
        break;
    case VALUE_BYTES:
        if (!slot->nullable || text->at)
            sqlite3_bind_blob64(prepared, place, text->at, text->length, SQLITE_STATIC);
        break;
    case VALUE_UUID:
        if (!slot->nullable || !uuid_is_none(value))
            sqlite3_bind_blob(prepared, place, value, sizeof(uuid_t), SQLITE_STATIC);
        break;
    }
}

void slots_bind(sqlite3_stmt *prepared, const statement_t *statement, const void *in)
{
    sqlite3_clear_bindings(prepared);
    for (int place = 0; place < statement->in_count; place++)
        bind(prepared, place + 1, &statement->in[place], in);
}

static void take(sqlite3_stmt *prepared, int place, const value_slot_t *slot, char *row)
{
    void *value = row + slot->offset;
    str_t *text = value;

    switch (slot->type) {
    case VALUE_INT:
    case VALUE_TIME:
        *(int64_t *)value = sqlite3_column_int64(prepared, place);
        break;
    case VALUE_BOOL:
        *(bool *)value = sqlite3_column_int(prepared, place) != 0;
        break;
    case VALUE_TEXT:
    case VALUE_BYTES:
        text->at = sqlite3_column_blob(prepared, place);
        text->length = (size_t)sqlite3_column_bytes(prepared, place);
        break;
    case VALUE_UUID:
        if (sqlite3_column_bytes(prepared, place) == sizeof(uuid_t))
            memcpy(value, sqlite3_column_blob(prepared, place), sizeof(uuid_t));
        break;
    }
}

void slots_read(sqlite3_stmt *prepared, const statement_t *statement, void *row)
{
    memset(row, 0, statement->row_size);
    for (int place = 0; place < statement->out_count; place++)
        take(prepared, place, &statement->out[place], row);
}
